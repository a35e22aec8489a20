"""The story is always the same, whatever the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from groundswell.demo.story import STREAM, TRACKERS, UNWATCHED, tell
from groundswell.query import parse
from groundswell.simulate.plan import make_plan


@pytest.mark.parametrize("day", range(1, 15))
def test_the_live_evening_is_a_tuesday_that_is_over(day: int) -> None:
    now = datetime(2026, 6, day, 3, tzinfo=UTC)
    begins = tell(now).begins
    assert begins.weekday() == 1
    assert timedelta(0) <= now - (begins + STREAM) < timedelta(days=8)


def test_the_counts_do_not_depend_on_the_week() -> None:
    first = make_plan(tell(datetime(2026, 6, 1, tzinfo=UTC)).live)
    later = make_plan(tell(datetime(2027, 3, 1, tzinfo=UTC)).live)
    assert (first.counts == later.counts).all()


def test_history_and_stream_are_the_same_posts_seen_at_other_ages() -> None:
    story = tell(datetime(2026, 6, 1, tzinfo=UTC))
    assert replace(story.live, observed_at=story.begins, observed_after=None) == story.history


def test_all_events_happen_in_the_story_and_all_but_one_have_a_tracker() -> None:
    story = tell(datetime(2026, 6, 1, tzinfo=UTC))
    queries = {query for _, query in TRACKERS}
    topics = {topic.keyword: topic.query for topic in story.live.topics}
    for event in story.live.events:
        assert story.live.start + event.start + event.duration < story.ends
        assert event.topic in (None, UNWATCHED.keyword) or topics[event.topic] in queries
    assert UNWATCHED.query not in queries
    assert len({event.kind for event in story.live.events}) == 5
    assert len(queries) >= 4 + 4
    for query in queries:
        parse(query)
