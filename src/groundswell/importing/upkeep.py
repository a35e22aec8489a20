"""Keeping a home small and quick: files joined, old versions, raw content and counts removed or summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundswell.desk import Desk, leases
from groundswell.desk.clock import Clock, wall_us
from groundswell.importing import drift
from groundswell.lake import Lake, raw_index
from groundswell.lake.maintenance import KEEP_HOURS, compact, vacuum
from groundswell.lake.raw_join import join_objects
from groundswell.lake.tables import TABLES

if TYPE_CHECKING:
    from groundswell.settings import Settings

LEASE: Final = "lake"


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done: files joined to fewer, files of old versions removed, counts summed up, raw content removed."""

    files_before: int
    files_after: int
    removed: int
    folded: int
    raw_forgotten: int
    raw_objects: int
    raw_bytes: int


def keep_up(
    lake: Lake,
    desk: Desk,
    settings: Settings,
    *,
    keep_hours: int = KEEP_HOURS,
    now: Clock = wall_us,
    wait_s: float = 3600.0,
) -> Upkeep:
    """Do all of it, under the lease of the lake; versions of the last `keep_hours` hours stay readable.

    Raises:
        ConflictError: another process keeps the lake for longer than `wait_s` seconds.
        UnavailableError: the lake cannot be written; what was done before stays done.
    """
    before = after = removed = 0
    with leases.hold(desk, LEASE, wait_s=wait_s) as held:
        folded = drift.fold(lake, now())
        swept = raw_index.forget_old(lake, settings.raw_days, now())
        for table in TABLES:
            held.renew()
            joined = compact(lake, table)
            before, after = before + joined.files_before, after + joined.files_after
            removed += vacuum(lake, table, keep_hours=keep_hours)
        held.renew()
        objects = join_objects(lake, settings.tmp_path)
        before, after = before + objects.objects_before, after + objects.objects_after
    return Upkeep(before, after, removed, folded, swept.forgotten, swept.objects, swept.bytes)
