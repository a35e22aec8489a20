"""Records that hold others are taken apart whatever stands in them, and never for ever."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.platforms import registry

EXPANDING = [layout for layout in registry().layouts if layout.expand is not None]
KEYS = (
    *("data", "includes", "meta", "users", "media", "tweets", "places", "id", "text", "author_id", "attachments"),
    *("media_keys", "referenced_tweets", "geo", "place_id", "kind", "children", "replies", "comments", "snippet"),
    *("topLevelComment", "videoId", "post", "parent", "thread", "record", "author", "did", "event", "payload"),
    *("tweet", "legacy", "full_text", "tweet_results", "result", "source_platform", "webpage_url", "extractor"),
)
VALUES = st.sampled_from(
    ["t1", "t3", "Listing", "more", "youtube#commentThread", "update", "x.com", '{"a": 1}', "[1]", "", None, 5, True]
)
anything = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)
records = st.dictionaries(st.sampled_from(KEYS), anything, max_size=6)


@given(records)
@settings(max_examples=300)
def test_nothing_in_a_record_stops_it(record: dict[str, Any]) -> None:
    for layout in EXPANDING:
        assert layout.expand is not None
        found = layout.expand(record)
        assert found is None or all(isinstance(part, dict) for part in found), layout.id


@given(records)
@settings(max_examples=300)
def test_taking_apart_comes_to_an_end(record: dict[str, Any]) -> None:
    for layout in EXPANDING:
        assert layout.expand is not None
        parts = [record]
        for _ in range(30):
            deeper = [inner for part in parts if (found := layout.expand(part)) is not None for inner in found]
            if not deeper:
                break
            assert record not in deeper, layout.id
            parts = deeper[:20]
        else:
            raise AssertionError(layout.id)
