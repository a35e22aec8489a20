from __future__ import annotations

from pathlib import Path

from groundswell.bus import Journal
from groundswell.desk import Desk
from groundswell.web.arrivals import PaceMeter
from groundswell.web.lags import reader_lags

SECOND = 1_000_000
MONDAY = 1_700_000_000 * SECOND
FRIDAY = MONDAY + 4 * 86_400 * SECOND


def test_a_replay_of_an_old_stream_is_connected_and_late_by_its_own_clock(tmp_path: Path, desk: Desk) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal, desk.reading() as session:
        meter = PaceMeter(journal)
        meter.measure(FRIDAY, 0)
        for second in range(3):
            journal.heartbeat("replay:x", MONDAY + second * SECOND)
            journal.append("replay:x", [b"{}"], received_us=MONDAY + second * SECOND)
        pace = meter.measure(FRIDAY + 3 * SECOND, 0)
        assert [source.connected for source in pace.sources] == [True]
        assert pace.clock_us == MONDAY + 2 * SECOND
        assert {lag.seconds for lag in reader_lags(session, journal, [], pace.clock_us)} == {2.0}


def test_a_source_that_was_heard_of_last_week_is_not_connected(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.heartbeat("push", FRIDAY - 3_600 * SECOND)
        assert [source.connected for source in PaceMeter(journal).measure(FRIDAY, 0).sources] == [False]
