"""What the runner does next: a batch of journal blocks, its clock and the trackers in force, written down first.

A plan that was written is done exactly as it says, after a kill too; so the same batch sees the same
records, the same clock and the same connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Row

from groundswell.bus import Connected
from groundswell.desk.tables import PlanRow, TrackerRow
from groundswell.kernels import loaded_live
from groundswell.watch.contract import DAY, SECOND, CountBy, TrackerSpec, WatchParams
from groundswell.watch.emerging.records import TopicParams

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: A batch holds at most this many records and bytes (before compression), and one block at least; first as the
#: engine reads them, then as the compiled kernels do. The larger, the less often is paid what a batch costs by itself,
#: and the more memory is held.
LIMITS: Final = (20_000, 32 << 20)
LIMITS_LIVE: Final = (32_000, 48 << 20)
#: Connections that ended longer before the clock than this say nothing about windows that are still open.
_CONNECTIONS_US: Final = 2 * DAY

Intervals = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One batch: journal blocks first to last (none if last < first: a tick of the clock), clock and trackers."""

    number: int
    first_block: int
    last_block: int
    clock_us: int
    trackers: tuple[tuple[str, int], ...]
    covered: Intervals | None

    @classmethod
    def of_row(cls, row: PlanRow) -> Plan:
        """The plan as it was written down."""
        covered = None if row.covered is None else tuple((int(a), int(b)) for a, b in row.covered)
        trackers = tuple((str(tracker), int(version)) for tracker, version in row.trackers)
        return cls(row.number, row.first_block, row.last_block, row.clock, trackers, covered)


def limits() -> tuple[int, int]:
    """Records and bytes of a batch, at most."""
    return LIMITS if loaded_live() is None else LIMITS_LIVE


def params_of(settings: Settings) -> WatchParams:
    """What the settings decide about the watch."""
    return WatchParams(
        window_us=settings.window * SECOND,
        windows_us=tuple(size * SECOND for size in settings.windows_s),
        budget=settings.budget or None,
        topics=TopicParams(per_day=settings.topics),
        lateness_us=settings.lateness * SECOND,
    )


def spec_of(row: TrackerRow | Row[Any]) -> TrackerSpec:
    """A tracker as the kernels know it."""
    return TrackerSpec(
        id=row.id,
        version=row.version,
        name=row.name,
        query=row.query,
        promise_days=row.promise_days,
        created_us=row.created_at,
        country=row.country,
        reach_followers=row.reach_followers,
        reach_share=row.reach_share,
        count_by=cast(CountBy, row.count_by),
    )


def in_force(plan: Plan, rows: dict[str, TrackerRow]) -> list[TrackerSpec]:
    """The trackers of a plan. One whose query was changed since (another version) is left out: it learns anew."""
    found = [(rows.get(tracker), version) for tracker, version in plan.trackers]
    return [spec_of(row) for row, version in found if row is not None and row.version == version]


def covered_until(connections: Sequence[Connected], clock_us: int) -> Intervals:
    """The intervals in which at least one source was connected, joined, as far as `clock_us`."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((c.from_us, min(c.to_us, clock_us)) for c in connections):
        if end < clock_us - _CONNECTIONS_US or start > clock_us:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
