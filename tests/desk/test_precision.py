"""The report: verdicts with an honest interval, alerts a day against the promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.desk.test_alert_life import NOW, alert
from tests.desk.test_records import window

from groundswell.desk import Desk, alerts, precision, series, trackers
from groundswell.desk.precision import report, wilson

DAY = 86_400_000_000


@given(st.integers(1, 400), st.data())
def test_the_interval_is_wilsons(all_: int, data: st.DataObject) -> None:
    good = data.draw(st.integers(0, all_))
    found = wilson(good, all_)
    assert found is not None
    exact = stats.binomtest(good, all_).proportion_ci(method="wilson")
    assert list(found) == pytest.approx([exact.low, exact.high], abs=1e-9)
    assert 0 <= found[0] <= good / all_ <= found[1] <= 1


def test_nothing_judged_is_no_precision(desk: Desk) -> None:
    assert wilson(0, 0) is None
    with desk.session() as session:
        trackers.add(session, "Shoes", "shoe*", 30.0)
        found = report(session, 0, DAY)
    assert (found["all"]["precision"], found["all"]["low"], found["all"]["alerts"]) == (None, None, 0)
    assert found["trackers"][0]["alerts_per_day"] is None


def test_verdicts_and_alerts_a_day_are_those_of_the_period(desk: Desk) -> None:
    with desk.session() as session:
        shoes = trackers.add(session, "Shoes", "shoe*", 10.0, now_us=NOW).id
        boots = trackers.add(session, "Boots", "boot*", 20.0, now_us=NOW).id
        series.write(session, [window(shoes, NOW), window(boots, NOW)])
        judged = ["real", "real", "known", "false", None]
        rows = [alert(f"s{n}", shoes, NOW + n * DAY, verdict=verdict) for n, verdict in enumerate(judged)]
        rows += [alert("old", shoes, NOW - 90 * DAY, verdict="false"), alert("b0", boots, NOW + DAY)]
        alerts.write(session, rows)
    with desk.reading() as session:
        found = report(session, NOW, NOW + 10 * DAY)
        only = report(session, NOW, NOW + 10 * DAY, boots)
    first, second = found["trackers"]
    assert (first["name"], second["name"]) == ("Shoes", "Boots")
    assert first["verdicts"] == {"real": 2, "false": 1, "known": 1, "none": 1}
    assert (first["judged"], first["precision"], first["days"]) == (4, 0.75, 10.0)
    assert (first["alerts_per_day"], first["promised_per_day"], first["false_per_day"]) == (0.5, 0.1, 0.1)
    assert second["precision"] is None
    assert (found["all"]["alerts"], found["all"]["promised_per_day"]) == (6, 0.15)
    assert [line["name"] for line in only["trackers"]] == ["Boots"]


def test_the_newest_time_is_that_of_windows_and_alerts(desk: Desk) -> None:
    with desk.session() as session:
        assert precision.newest_us(session) is None
        tracker = trackers.add(session, "Shoes", "shoe*", 10.0).id
        series.write(session, [window(tracker, 5)])
        assert precision.newest_us(session) == 5
