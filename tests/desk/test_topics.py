"""Emerging topics in the desk."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.desk import Desk, topics, trackers
from groundswell.errors import NotFoundError, UsageError
from groundswell.web.topic_models import TOPIC_EXAMPLES, Topic, TopicSummary

DAY = 86_400_000_000


def topic(topic_id: str, **more: Any) -> dict[str, Any]:
    """A topic as the watch gives it to the desk."""
    whole = TOPIC_EXAMPLES["Topic"]
    body = {name: whole[name] for name in ("terms", "platforms", "spark", "spark_s", "windows", "words", "examples")}
    row: dict[str, Any] = {
        "id": topic_id,
        "phase": "growing",
        "started_at": 100,
        "opened_at": 200,
        "updated_at": 300,
        "closed_at": None,
        "body": body | {"top_authors": whole["top_authors"], "parameters": {}, "covered_by": []},
    }
    names = ("label", "window_s", "observed", "expected", "return_days", "is_new", "rank", "authors", "posts", "reach")
    return row | {name: whole[name] for name in (*names, "query", "headline", "detail")} | more


def ids(desk: Desk, **asked: Any) -> list[str]:
    with desk.reading() as session:
        rows, _ = topics.page(session, **asked)
    return [row.id for row in rows]


def put(desk: Desk, *rows: dict[str, Any]) -> None:
    with desk.session() as session:
        topics.write(session, rows)


def test_a_topic_is_written_again_as_it_stands(desk: Desk) -> None:
    put(desk, topic("aaaa1"), topic("bbbb1"))
    put(desk, topic("aaaa1", posts=90, phase="closed", closed_at=500))
    with desk.reading() as session:
        row = topics.get(session, "aaaa")
        assert (row.posts, row.phase) == (90, "closed")
        assert topics.open_count(session) == 1
        TopicSummary.model_validate(topics.summary(row, {}))
        assert Topic.model_validate(topics.whole(row, {})).examples[0].author == "maya"


def test_open_ones_come_first_by_rank_and_then_the_newest_ends(desk: Desk) -> None:
    put(desk, topic("c1", closed_at=10), topic("o1", rank=1.0), topic("c2", closed_at=20), topic("o2", rank=5.0))
    assert ids(desk) == ["o2", "o1", "c2", "c1"]
    assert ids(desk, state="open") == ["o2", "o1"]
    assert ids(desk, state="closed") == ["c2", "c1"]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_follow_each_other_without_a_gap(desk: Desk, size: int) -> None:
    put(
        desk,
        *(topic(f"o{n}", rank=1.0 + n // 2) for n in range(5)),
        *(topic(f"c{n}", closed_at=n // 2) for n in range(5)),
    )
    seen: list[str] = []
    cursor = None
    with desk.reading() as session:
        while True:
            rows, cursor = topics.page(session, limit=size, cursor=cursor)
            seen += [row.id for row in rows]
            if cursor is None:
                break
    assert seen == ids(desk, limit=100)
    assert len(set(seen)) == 10


def test_topics_are_chosen_by_platform_and_by_time(desk: Desk) -> None:
    reddit = topic("r")
    reddit["body"] = {**reddit["body"], "platforms": [{"platform": "reddit", "posts": 1, "share": 1.0}]}
    put(desk, topic("t"), reddit, topic("old", closed_at=5, updated_at=5))
    assert ids(desk, platform="reddit") == ["r"]
    assert ids(desk, platform="Bluesky") == ["t", "old"]
    assert ids(desk, platform="red") == []
    assert set(ids(desk, since_us=6)) == {"t", "r"}


def test_a_removed_tracker_does_not_cover(desk: Desk) -> None:
    row = topic("t")
    with desk.session() as session:
        watched = trackers.add(session, "Leaks", "#novaleak", 30.0).id
        gone = trackers.add(session, "Gone", "gone", 30.0).id
        trackers.remove(session, "Gone")
    row["body"] = {**row["body"], "covered_by": [{"id": watched, "share": 0.9}, {"id": gone, "share": 0.4}]}
    put(desk, row)
    with desk.reading() as session:
        names = topics.tracker_names(session)
        assert topics.summary(topics.get(session, "t"), names)["covered_by"] == [
            {"id": watched, "name": "Leaks", "share": 0.9}
        ]


def test_what_was_over_long_ago_goes(desk: Desk) -> None:
    put(desk, topic("old", closed_at=1), topic("new", closed_at=200 * DAY), topic("open"))
    with desk.session() as session:
        assert topics.prune(session, 200 * DAY) == 1
    assert set(ids(desk)) == {"new", "open"}


def test_what_is_not_there_is_said_with_a_hint(desk: Desk) -> None:
    with desk.reading() as session:
        with pytest.raises(NotFoundError, match="no topic `zzzz`"):
            topics.get(session, "zzzz")
        wrong = ("", "x~1~a", "open~nan~a", "open~1", "closed~x~a", "open~1e400~a", "closed~1e400~a", "closed~1e19~a")
        for cursor in wrong:
            with pytest.raises(UsageError, match="not a cursor"):
                topics.page(session, cursor=cursor)
