"""What came in: the sources as they stand now, and each of them over time with its holes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.bus import Arrivals, Connected
from groundswell.desk import checkpoints, runs
from groundswell.desk.clock import moment
from groundswell.lake.ledger import COUNTS
from groundswell.web.books import counts_of, since
from groundswell.web.data_models import Counts, Inflow, Slot, SlotState, Source, Sources, SourceSlots

if TYPE_CHECKING:
    from groundswell.web.services import Services

#: What the ledger calls imported files.
FILES: Final = "import"
QUARTER_US: Final = 900_000_000
_DAY_US: Final = 86_400_000_000
#: A stretch of which a smaller fraction than this was connected has a hole that its counts show.
_COVERED: Final = 0.9
#: A source beats every few seconds; a connection is not yet over when it was heard of this lately.
_FRESH_US: Final = 12_000_000

_ZERO: Final = Counts()


def read_sources(services: Services) -> Sources:
    """Every source that was ever heard of, the busiest of the last day first."""
    now = services.now()
    sums = services.books.sums()
    live = {each.name: each for each in services.pace.sources}
    connections = _by_source(services.journal.connections())
    with services.desk.reading() as session:
        mark = checkpoints.get(session, "lake")
        imported = runs.latest(session, "import")
    waiting = {each.source: each for each in services.journal.arrivals(0 if mark is None else mark.block)}
    clock = services.pace.clock_us or now
    items = []
    for name in sorted({*sums["source"].to_pylist(), *connections, *waiting, *live}):
        own = sums.filter(pc.equal(sums["source"], name))
        day, total = counts_of(since(own, clock - _DAY_US)), counts_of(own)
        if name == FILES:
            finished = None if imported is None else imported.finished_at or imported.started_at
            items.append(_files(services.books.origins(name), _last(own, finished), day, total))
            continue
        status = live.get(name)
        arrived = waiting.get(name)
        heard = None if arrived is None else arrived.received_us
        began = _connected_since(connections.get(name, ()), now)
        items.append(
            Source(
                name=name,
                kind="stream",
                files=None,
                last_received_at=None if (last := _last(own, heard)) is None else moment(last),
                last_day=day,
                total=total,
                # A replay says nothing of connections; it is there while it brings something.
                connected=began is not None or (status is not None and status.connected),
                connected_since=None if began is None else moment(began),
                records_per_s=0.0 if status is None else status.records_per_s,
                waiting=0 if arrived is None else arrived.records,
                lag_s=_lag(arrived, clock),
            )
        )
    items.sort(key=lambda source: (-source.last_day.received, -source.total.received, source.name))
    stock = services.stock.look()
    return Sources(
        items=items,
        posts=stock.posts,
        authors=stock.authors,
        comments=stock.comments,
        bytes=stock.bytes,
        held=services.quarantine.held(),
    )


def _files(files: int, last: int | None, day: Counts, total: Counts) -> Source:
    return Source(
        name=FILES,
        kind="files",
        files=files,
        last_received_at=None if last is None else moment(last),
        last_day=day,
        total=total,
        connected=None,
        connected_since=None,
        records_per_s=None,
        waiting=None,
        lag_s=None,
    )


def _by_source(connected: Sequence[Connected]) -> dict[str, list[Connected]]:
    found: dict[str, list[Connected]] = defaultdict(list)
    for each in connected:
        found[each.source].append(each)
    return found


def _connected_since(intervals: Sequence[Connected], now_us: int) -> int | None:
    last = max(intervals, key=lambda each: each.to_us, default=None)
    return last.from_us if last is not None and last.to_us >= now_us - _FRESH_US else None


def _last(rows: pa.Table, heard_us: int | None) -> int | None:
    """When a source was heard of last: exactly where that is known, else the quarter hour of the ledger."""
    if heard_us is not None:
        return heard_us
    newest = pc.max(rows["quarter"].cast(pa.int64())).as_py()
    return None if newest is None else int(newest)


def _lag(arrived: Arrivals | None, clock_us: int) -> float:
    return 0.0 if arrived is None else max(0, clock_us - arrived.oldest_us) / 1e6


def read_inflow(services: Services, hours: float, step_s: int) -> Inflow:
    """What each source brought in stretches of `step_s` seconds (a multiple of 900) over the last `hours`."""
    step = step_s * 1_000_000
    now = services.pace.clock_us or services.now()
    until = -(-now // step) * step
    start = until - max(1, round(hours * 3_600_000_000 / step)) * step
    sums = services.books.sums()
    first = _first_heard(sums)
    recent = since(sums, start)
    connections = _by_source(services.journal.connections())
    items = []
    for name in sorted(first.keys() | connections.keys()):
        own = recent.filter(pc.equal(recent["source"], name))
        intervals = connections.get(name, [])
        known = min((first.get(name, now), *(each.from_us for each in intervals)))
        slots = list(_slots(_counted(own, step), intervals, known, range(start, until, step), now, name == FILES))
        if any(slot.counts.received or slot.state in {"quiet", "gap"} for slot in slots):
            items.append(SourceSlots(source=name, kind="files" if name == FILES else "stream", slots=slots))
    return Inflow(since=moment(start), until=moment(until), step_s=step_s, items=items)


def _first_heard(sums: pa.Table) -> dict[str, int]:
    firsts = sums.group_by("source").aggregate([("quarter", "min")])
    starts = firsts["quarter_min"].cast(pa.int64()).to_pylist()
    return dict(zip(firsts["source"].to_pylist(), starts, strict=True))


def _counted(rows: pa.Table, step: int) -> dict[int, Counts]:
    """Sums by start of a stretch, microseconds."""
    found: dict[int, dict[str, int]] = {}
    for row in rows.set_column(1, "quarter", rows["quarter"].cast(pa.int64())).to_pylist():
        sums = found.setdefault(row["quarter"] // step * step, dict.fromkeys(COUNTS, 0))
        for name in COUNTS:
            sums[name] += row[name]
    return {start: Counts(**sums) for start, sums in found.items()}


def _slots(
    counted: Mapping[int, Counts], intervals: Sequence[Connected], known: int, starts: range, now: int, files: bool
) -> Iterator[Slot]:
    for start in starts:
        counts = counted.get(start, _ZERO)
        # Before it was first heard of there is nothing to be missed.
        begun = min(max(start, known), start + starts.step)
        covered = None if files or not intervals else _covered(intervals, begun, min(start + starts.step, now))
        if covered == 0.0 and counts.received:
            covered = None  # a replay: it came in at another time than its records say
        state = _state(counts, covered, before=start + starts.step <= known)
        yield Slot(start=moment(start), counts=counts, state=state, connected=covered)


def _covered(intervals: Sequence[Connected], start: int, end: int) -> float:
    """The fraction of [start, end) in which a source was connected; intervals of one source do not overlap."""
    if end <= start:
        return 1.0
    together = sum(max(0, min(each.to_us, end) - max(each.from_us, start)) for each in intervals)
    return round(min(1.0, together / (end - start)), 4)


def _state(counts: Counts, covered: float | None, *, before: bool) -> SlotState:
    if before and not counts.received:
        return "before"
    if covered is not None and covered < _COVERED:
        return "gap"
    return "data" if counts.received else "quiet"
