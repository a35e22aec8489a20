"""The sentence on an alert says the signal that is rarest, in its own unit."""

from __future__ import annotations

import pytest
from msgspec import structs

from groundswell.testing.streams import START
from groundswell.watch.contract import MINUTE, SeriesPoint, WatchParams
from groundswell.watch.episodes import Voice, begin
from groundswell.watch.headlines import detail, headline

PARAMS = WatchParams(window_us=15 * MINUTE)
POINT = SeriesPoint("t", 900, START, 45, 10.0, 4.0, 17.0, 1e-9, 900.0, 1.0, "usual")


def voice(signal: str, observed: float, expected: float, direction: str = "burst") -> Voice:
    plain = Voice("posts", 15 * MINUTE, START, "burst", observed, expected, 0.0, 1.0, 1e-9, 900.0, 30.0)
    return structs.replace(plain, signal=signal, direction=direction)


@pytest.mark.parametrize(
    ("said", "lead"),
    [
        ("“x” is mentioned 4.5 times as often as usual", voice("posts", 45, 10)),
        ("“x” is down to 450 % of what is usual", voice("posts", 45, 10, "drop")),
        ("“x”: 40 distinct authors in 15 min, usually 9", voice("authors", 40, 9)),
        ("“x”: only 2 distinct authors in 15 min, usually 9", voice("authors", 2, 9, "drop")),
        ("“x”: the share of near-duplicate texts is 62 % in 15 min, usually 5 %", voice("copies", 0.62, 0.05)),
        ("“x”: engagement per post, 5.0 times as high as usual in 15 min", voice("engagement", 50, 10)),
    ],
)
def test_the_headline_is_of_the_rarest_signal(said: str, lead: Voice) -> None:
    assert headline("x", begin([lead], POINT, PARAMS), PARAMS) == said


def test_a_word_that_is_usually_not_there_has_no_ratio() -> None:
    rare = structs.replace(POINT, expected=0.01, count=1)
    episode = begin([voice("posts", 1, 0.01)], rare, PARAMS)
    assert headline("x", episode, PARAMS) == "“x” is in 1 post in 15 min; usually there are almost none"


def test_the_second_line_says_who_dominates() -> None:
    evidence = {
        "posts_total": 1_200,
        "authors_total": 900,
        "authors": [{"label": "@bot", "posts": 600}],
        "parameters": {"span_s": 7_200, "copies_share": 0.1},
    }
    assert detail(evidence) == "1,200 posts in 2 h · 900 authors · @bot wrote 50 %"
