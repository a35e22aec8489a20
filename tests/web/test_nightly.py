"""The server does the day's work once, after the time that is set, and goes on with it after it was stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from groundswell.desk import Desk
from groundswell.errors import UsageError
from groundswell.settings import load_settings
from groundswell.watch.daily import is_done
from groundswell.web.nightly import Nightly, due


def micros(hour: int, minute: int = 0) -> int:
    return round(datetime(2026, 11, 20, hour, minute, tzinfo=UTC).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("hour", "tz", "on"),
    [
        (2, "UTC", None),
        (4, "UTC", date(2026, 11, 19)),
        (2, "Europe/Paris", date(2026, 11, 19)),
        (23, "UTC", date(2026, 11, 19)),
        # 03:30 in Tokyo is 18:30 UTC of the day before; midnight UTC in between changes nothing.
        (18, "Asia/Tokyo", date(2026, 11, 19)),
        (14, "Asia/Tokyo", date(2026, 11, 18)),
        (1, "Asia/Tokyo", date(2026, 11, 18)),
        # 03:30 in Los Angeles is 11:30 UTC; at 01:45 UTC it is 17:45 of the day before.
        (1, "America/Los_Angeles", date(2026, 11, 18)),
        (11, "America/Los_Angeles", date(2026, 11, 19)),
        (10, "America/Los_Angeles", None),
    ],
)
def test_the_work_of_yesterday_is_due_after_the_time_that_is_set(hour: int, tz: str, on: date | None) -> None:
    assert due(datetime(2026, 11, 20, hour, 45, tzinfo=UTC), "03:30", tz) == on
    assert due(datetime(2026, 11, 20, hour, 45, tzinfo=UTC), "", tz) is None


def test_it_is_done_once_in_a_process_of_its_own(desk: Desk) -> None:
    settings = load_settings(daily_at="03:30")
    clock = micros(3)
    nightly = Nightly(settings, desk, lambda: clock)
    assert not nightly.look()
    clock = micros(4)
    assert nightly.look()
    assert is_done(desk, date(2026, 11, 19))
    assert not nightly.look()


def test_a_server_that_ends_meanwhile_stops_it_and_nothing_is_said(desk: Desk) -> None:
    nightly = Nightly(load_settings(daily_at="03:30"), desk, lambda: micros(4), every_s=0.01)
    nightly.start()
    nightly.stop()
    Nightly(load_settings(), desk, lambda: micros(4)).start()  # no time is set: nothing to do


def test_a_defect_of_one_night_does_not_end_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nightly = Nightly(load_settings(daily_at="03:30"), desk, lambda: micros(4), every_s=0.001)
    looks: list[int] = []

    def look() -> bool:
        looks.append(1)
        if len(looks) == 1:
            what = "a defect"
            raise RuntimeError(what)
        nightly._stop.set()
        return False

    monkeypatch.setattr(nightly, "look", look)
    nightly._keep()
    assert len(looks) == 2
    assert "a defect" in caplog.text


def test_what_is_no_time_of_day_is_refused() -> None:
    with pytest.raises(UsageError, match="DAILY_AT"):
        load_settings(daily_at="25:00")
