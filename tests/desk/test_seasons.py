"""The picture of a window beside its like in earlier weeks."""

from __future__ import annotations

from tests.desk.test_alert_life import NOW
from tests.desk.test_records import window

from groundswell.desk import Desk, series, trackers
from groundswell.desk.seasons import season_of

DAY = 86_400_000_000
WIDTH = 300_000_000
START = NOW // WIDTH * WIDTH


def test_a_window_stands_beside_its_like(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 10.0).id
        rows = [window(tracker, START - 7 * DAY + n * WIDTH, 10 + n) for n in range(-12, 13)]
        rows += [window(tracker, START - 14 * DAY, 5) | {"state": "gap"}]
        rows += [window(tracker, START - DAY, 8) | {"late": 3, "expected": 4.5}]
        rows += [window(tracker, START + n * WIDTH, 70) for n in range(4)]
        series.write(session, rows)
    with desk.reading() as session:
        found = season_of(session, tracker, 300, START, START + 2 * WIDTH)
    assert found is not None
    assert [week["weeks_ago"] for week in found["weeks"]] == [0, 1]
    now, before = found["weeks"]
    assert before["counts"] == [10 + n for n in range(-12, 13)]
    assert now["counts"][12:] == [70, 70] + [None] * 11
    days = {day["days_ago"]: (day["count"], day["expected"]) for day in found["days"]}
    assert (days[1], days[7], days[14], days[2]) == ((5, 4.5), (10, None), (None, None), (None, None))


def test_without_a_past_there_is_no_picture(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 10.0).id
        series.write(session, [window(tracker, START)])
        assert season_of(session, tracker, 300, START, START + WIDTH) is None
