from __future__ import annotations

import itertools
from collections.abc import Sequence

import httpx
import pytest

from groundswell.desk import Desk, series
from groundswell.desk.trackers import add

MINUTE = 60_000_000
START = 1_700_000_000_000_000 // (60 * MINUTE) * (60 * MINUTE)


@pytest.fixture
def pair(store: Desk) -> tuple[str, str]:
    """Two trackers: one that was counted for six windows, and one that is new."""
    with store.session() as session:
        return add(session, "Shoes", "shoe*", 30.0).id, add(session, "Boots", "boot*", 30.0).id


def close(desk: Desk, tracker: str, counts: Sequence[int], window_s: int = 300, first: int = 0) -> None:
    rows = [
        {
            "tracker_id": tracker,
            "window_s": window_s,
            "start": START + (first + number) * window_s * 1_000_000,
            "count": count,
            "expected": 10.1234,
            "lower": 4.5678,
            "upper": 18.0312,
            "p_value": 0.4,
            "return_days": 0.01,
            "platform_ratio": 1.0,
            "state": "gap" if count == 0 else "usual",
            "late": 0,
        }
        for number, count in enumerate(counts)
    ]
    with desk.session() as session:
        series.write(session, rows)


def test_columns_say_what_the_series_says(client: httpx.Client, store: Desk, pair: tuple[str, str]) -> None:
    shoes, boots = pair
    close(store, shoes, [1, 2, 0, 4])

    shown = client.get("/multiples", params={"tracker": [shoes, boots], "windows": 3}).json()

    assert (shown["window_s"], shown["windows"], shown["until"]) == (300, 3, "2023-11-14T22:20:00Z")
    first, second = shown["items"]
    assert (first["steps"], first["counts"], first["states"]) == ([0, 1, 2], [2, 0, 4], "ugu")
    assert (first["lower"], first["upper"], first["posts"]) == ([4.57] * 3, [18.0] * 3, 6)
    assert (first["first"], first["last"]["count"]) == ("2023-11-14T22:05:00Z", 4)
    assert (second["tracker"], second["first"], second["counts"], second["last"]) == (boots, None, [], None)


def test_all_share_the_axis_of_the_newest(client: httpx.Client, store: Desk, pair: tuple[str, str]) -> None:
    shoes, boots = pair
    close(store, shoes, [1, 2, 3, 4])
    close(store, boots, [9], first=5)

    items = client.get("/multiples", params={"windows": 4}).json()["items"]

    assert {item["tracker"]: item["counts"] for item in items} == {shoes: [3, 4], boots: [9]}


def test_each_size_of_window_has_its_own(client: httpx.Client, store: Desk, pair: tuple[str, str]) -> None:
    shoes, _ = pair
    close(store, shoes, [1, 2, 3, 4])
    close(store, shoes, [10], window_s=900)

    shown = client.get("/multiples", params={"tracker": [shoes], "window_s": 900}).json()

    assert [item["counts"] for item in shown["items"]] == [[10]]


def test_what_was_not_watched_is_left_out(client: httpx.Client, store: Desk, pair: tuple[str, str]) -> None:
    shoes, _ = pair
    close(store, shoes, [1])
    close(store, shoes, [2], first=4)

    (item,) = client.get("/multiples", params={"tracker": [shoes]}).json()["items"]

    assert list(itertools.zip_longest(item["steps"], item["counts"])) == [(0, 1), (4, 2)]


def test_nothing_watched_is_an_empty_answer(client: httpx.Client) -> None:
    shown = client.get("/multiples").json()

    assert (shown["items"], shown["until"]) == ([], None)


def test_an_unknown_tracker_has_no_windows(client: httpx.Client) -> None:
    (item,) = client.get("/multiples", params={"tracker": ["nobody"]}).json()["items"]

    assert (item["first"], item["steps"]) == (None, [])
