"""A post that was observed often is one post, and its latest observation is the one that counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from groundswell.engines import Engine
from groundswell.marts.observations import latest

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


def kept(engine: Engine, posts: pa.Table) -> list[int]:
    found = engine.run(latest(engine.register("posts", posts)).select("ingest_seq")).read_all()
    return sorted(found["ingest_seq"].to_pylist())


def test_the_observation_with_the_latest_time_wins_whatever_order_it_came_in(
    engine: Engine, make_posts: MakePosts, noon: datetime
) -> None:
    times = [noon, noon + timedelta(hours=2), noon + timedelta(hours=1), None]
    assert kept(engine, make_posts([{"post_id": "a", "observed_at": at} for at in times])) == [2]


def test_without_times_the_last_to_come_in_wins(engine: Engine, make_posts: MakePosts) -> None:
    assert kept(engine, make_posts([{"post_id": "a"}, {"post_id": "a"}, {"post_id": "b"}])) == [2, 3]


def test_the_same_id_on_two_platforms_is_two_posts(engine: Engine, make_posts: MakePosts) -> None:
    assert kept(engine, make_posts([{"post_id": "a"}, {"post_id": "a", "platform": "y"}])) == [1, 2]


def test_posts_without_an_id_are_the_same_if_author_time_and_text_are(
    engine: Engine, make_posts: MakePosts, noon: datetime
) -> None:
    one = {"text": "hello", "author_name": "ann", "created_at": noon}
    others = [{**one, "text": "hallo"}, {**one, "author_name": "bob"}, {**one, "created_at": None}, {**one, "likes": 2}]
    assert kept(engine, make_posts([one, *others])) == [2, 3, 4, 5]
