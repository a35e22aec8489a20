"""How fast records come in, measured from the journal, so that it is the same whoever receives them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from groundswell.bus import Bus
from groundswell.desk.clock import moment
from groundswell.web.models import SourceStatus

#: Rates are means over this long, microseconds.
SPAN_US: Final = 10_000_000
#: A source that was not heard of for this long is not connected, microseconds.
CONNECTED_US: Final = 12_000_000
#: A record received this long ago at most is of now; an older one comes from a replay.
LIVE_US: Final = 60_000_000
#: Sources that were connected this long ago are still listed, microseconds.
LISTED_US: Final = 24 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What comes in now: records a second in all and by source, and the stream's clock (null while nothing comes in).

    `late_s` is how far the watch is behind that clock, seconds.
    """

    per_second: float = 0.0
    sources: tuple[SourceStatus, ...] = ()
    clock_us: int | None = None
    late_s: float | None = None


class PaceMeter:
    """Measures the pace each time it is asked to; belongs to one thread."""

    def __init__(self, journal: Bus) -> None:
        self._journal = journal
        self._marks: deque[tuple[int, int]] = deque()  # when, last block then
        self._newest: dict[str, int] = {}

    def measure(self, now_us: int, watched_block: int) -> Pace:
        """The pace over the last ten seconds (or since the first measurement, if that is less).

        `watched_block` is the last journal block that the watch has done.
        """
        self._marks.append((now_us, self._journal.last_block()))
        while len(self._marks) > 2 and self._marks[1][0] <= now_us - SPAN_US:
            self._marks.popleft()
        began, block = self._marks[0]
        arrived = {each.source: each for each in self._journal.arrivals(block)}
        self._newest.update({source: each.received_us for source, each in arrived.items()})
        seconds = max(now_us - began, 1_000_000) / 1e6
        beats = {each.source: each.to_us for each in self._journal.connections(now_us - LISTED_US)}
        sources = tuple(
            SourceStatus(
                name=source,
                kind=source.partition(":")[0],
                # The beats of a replay are of the stream's time, and what it brings is of now.
                connected=source in arrived or beats.get(source, 0) >= now_us - CONNECTED_US,
                records_per_s=round(arrived[source].records / seconds, 1) if source in arrived else 0.0,
                newest_event_at=moment(self._newest[source]) if source in self._newest else None,
            )
            for source in sorted(beats.keys() | arrived.keys())
        )
        total = sum(each.records for each in arrived.values()) / seconds
        clock = stream_clock(max((each.received_us for each in arrived.values()), default=None), now_us)
        return Pace(round(total, 1), sources, clock, None if clock is None else self._late(clock, watched_block))

    def _late(self, clock_us: int, watched_block: int) -> float:
        waiting = self._journal.read(watched_block, 1, 1)
        return max(0, clock_us - waiting[0].received_from_us) / 1e6 if waiting else 0.0


def stream_clock(newest_us: int | None, now_us: int) -> int | None:
    """The stream's clock: now, or in a replay the receive time of its newest record; null while nothing comes in.

    >>> stream_clock(1_000_000, 5_000_000), stream_clock(1_000_000, 99_000_000)
    (5000000, 1000000)
    """
    if newest_us is None:
        return None
    return now_us if abs(now_us - newest_us) < LIVE_US else newest_us
