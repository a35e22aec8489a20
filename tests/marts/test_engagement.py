"""Engagement is a fraction of those who saw it, and null when nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.marts.engagement import engagement, engagement_per, interactions

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


def measured(engine: Engine, make_posts: MakePosts, **row: Any) -> tuple[int | None, float | None, str | None]:
    posts = engine.register("posts", make_posts([row]))
    shown = posts.select(n=interactions(posts), e=engagement(posts), per=engagement_per(posts))
    found = engine.run(shown).read_all().to_pylist()[0]
    return found["n"], found["e"], found["per"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"likes": 8, "comments": 1, "shares": 2, "saves": 1, "views": 100}, (12, 0.12, "view")),
        ({"likes": 8, "views": 100}, (8, 0.08, "view")),
        ({"likes": 8, "followers": 32}, (8, 0.25, "follower")),
        ({"likes": 8, "views": 100, "followers": 32}, (8, 0.08, "view")),
        ({"likes": 0, "views": 100}, (0, 0.0, "view")),
        ({"views": 100}, (None, None, None)),
        ({"likes": 8}, (8, None, None)),
        ({"likes": 8, "views": 0}, (8, None, None)),
        ({"likes": 8, "views": 0, "followers": 32}, (8, None, None)),
        ({"likes": 8, "followers": 0}, (8, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_engagement_uses_what_is_known_and_never_a_made_up_zero(
    engine: Engine, make_posts: MakePosts, row: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert measured(engine, make_posts, **row) == expected
