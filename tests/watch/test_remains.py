"""What is left of the strongest window, by the detector that scored it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec import structs
from tests.watch.test_whatif import taught

from groundswell.testing.streams import START
from groundswell.watch.contract import MINUTE, SeriesPoint, WatchParams
from groundswell.watch.episodes import Episode, Voice, begin
from groundswell.watch.remains import remains
from groundswell.watch.whatif import capture

PARAMS = WatchParams()


def episode(count: int = 40, direction: str = "burst") -> Episode:
    point = SeriesPoint("t", 300, START, count, 10.0, 4.0, 17.0, 1e-9, 900.0, 1.0, "unusual")
    lead = Voice("posts", PARAMS.window_us, START, "burst", count, 10.0, 4.0, 17.0, 1e-9, 900.0, 30.0)
    return begin([structs.replace(lead, direction=direction)], point, PARAMS)


def rows(*authors: str, at: int = START + MINUTE) -> list[dict[str, Any]]:
    return [{"author": author, "created_us": at} for author in authors]


def lines(*arguments: Any) -> dict[str, Any]:
    return {line["name"]: (line["observed"], line["ratio"], line["holds"]) for line in remains(*arguments)}


def test_without_the_loudest_and_with_copies_once_and_both() -> None:
    posts = rows("loud", "loud", "a", "b")
    groups = [[0, 1], [2], [3]]
    assert lines(episode(), posts, groups, PARAMS, 30.0) == {
        "all": (40, 4.0, None),
        "without_top_author": (20, 2.0, None),
        "copies_once": (30, 3.0, None),
        "both": (20, 2.0, None),
    }


def test_posts_of_other_windows_do_not_count() -> None:
    posts = [*rows("a", "b"), *rows("loud", "loud", "loud", at=START + 6 * MINUTE)]
    assert lines(episode(), posts, [[n] for n in range(5)], PARAMS, 30.0)["without_top_author"] == (40, 4.0, None)
    undated = [{"author": "a", "created_us": None}, {"author": "b", "created_us": None}]
    assert lines(episode(), undated, [[0], [1]], PARAMS, 30.0)["without_top_author"][0] == 20


def test_the_detector_says_whether_it_would_have_been_an_alert() -> None:
    detector, start = taught()
    found = episode(45)
    found.tail = capture(detector, 1, np.array([950.0, 45.0, 3.0, 61.0]), start, PARAMS.window_us)
    posts = rows(*["loud"] * 30, *[f"u{n}" for n in range(15)])
    held = lines(found, posts, [[n] for n in range(45)], PARAMS, 30.0)
    assert (held["all"][2], held["without_top_author"][2]) == (True, False)


@pytest.mark.parametrize("direction", ["drop"])
def test_of_a_drop_nothing_can_be_taken_out(direction: str) -> None:
    assert remains(episode(1, direction), rows("a"), [[0]], PARAMS, 30.0) == []
    assert remains(episode(), [], [], PARAMS, 30.0) == []
