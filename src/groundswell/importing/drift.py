"""Drift: notices are opened where the share of a field has fallen, and closed when it is back.

A check is a function of the counts in the lake and of the notices in the desk; done twice, it changes nothing more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.desk import Desk, drift_notices
from groundswell.desk.clock import Clock, iso, wall_us
from groundswell.desk.tables import DriftRow
from groundswell.lake.rewriting import replace
from groundswell.marts.fill import DAY_US, FIELD, PAST_DAYS, RECORD, Drifted, LayoutFill, Span, read_fill
from groundswell.marts.fill_rule import is_back
from groundswell.schema import FILL, TIMESTAMP

if TYPE_CHECKING:
    from groundswell.lake import Lake

TABLE: Final = "fill"
_HOUR_US: Final = 3_600_000_000
#: Counts are joined when joining leaves at most this part of the rows.
_WORTH: Final = 0.5


def check_drift(
    lake: Lake, desk: Desk, layouts: Collection[str] | None = None, *, now: Clock = wall_us
) -> list[DriftRow]:
    """Open and close notices by what was counted; the notices that changed.

    Raises:
        UnavailableError: the lake cannot be read or the desk not be written.
    """
    fills = read_fill(lake, layouts, since_us=now() - 2 * PAST_DAYS * DAY_US)
    if not fills:
        return []
    with desk.reading() as session:
        notices = drift_notices.listed(session)
    changes = [change for fill in fills for change in _changes(fill, [n for n in notices if n.layout == fill.layout])]
    if not changes:
        return []
    with desk.session() as session:
        return [changed for change in changes if (changed := _write(session, *change, now())) is not None]


def _changes(fill: LayoutFill, notices: list[DriftRow]) -> Iterable[tuple[LayoutFill, DriftRow | None, Drifted | None]]:
    """For each field: the notice to close, or what to open one for."""
    spans: dict[str, list[Span]] = {}
    for notice in notices:
        spans.setdefault(notice.field, []).append((notice.since, notice.closed_at))
    still = {notice.field: notice for notice in notices if notice.closed_at is None}
    for name in dict.fromkeys((*fill.fields(), *still)):
        if (held := still.get(name)) is not None:
            newest = fill.newest()
            if newest[-1].at_us > held.since or newest[-1].version != held.layout_version:
                now = fill.now(FIELD if name else RECORD, name)
                if is_back(held.share_before, held.share_now, now):
                    yield fill, held, None
        elif (drifted := fill.drifted(name, spans.get(name, ()))) is not None:
            yield fill, None, drifted


def _write(
    session: Any, fill: LayoutFill, notice: DriftRow | None, drifted: Drifted | None, at: int
) -> DriftRow | None:
    if notice is not None:
        now = fill.now(FIELD if notice.field else RECORD, notice.field)
        return drift_notices.close_notice(session, notice.id, at, {"share_back": now.filled / max(now.records, 1)})
    assert drifted is not None  # noqa: S101 - a change is the one or the other
    fall = drifted.fall
    columns = {
        "layout_version": drifted.version,
        "opened_at": at,
        "share_before": fall.before,
        "records_before": fall.records_before,
        "share_now": fall.now,
        "records_now": fall.records_now,
        "p_value": fall.p_value,
        "evidence": {"instead": [asdict(key) for key in drifted.instead], "unread": drifted.cells},
    }
    return drift_notices.open_notice(session, fill.layout, drifted.field, drifted.since_us, columns)


def document(lake: Lake, desk: Desk, layout: str | None = None) -> dict[str, Any]:
    """What is known about drift, as `groundswell drift --json` and the REST API show it."""
    with desk.reading() as session:
        notices = drift_notices.listed(session, layout=layout)
    fills = read_fill(lake, None if layout is None else [layout])
    return {"notices": [notice_document(row) for row in notices], "layouts": [_fill_document(fill) for fill in fills]}


def notice_document(row: DriftRow) -> dict[str, Any]:
    """One notice; shares are fractions, `field` is empty for records that the layout can use at all."""
    return {
        "id": row.id,
        "state": "open" if row.closed_at is None else "closed",
        "layout": row.layout,
        "layout_version": row.layout_version,
        "field": row.field,
        "opened_at": iso(row.opened_at),
        "since": iso(row.since),
        "closed_at": iso(row.closed_at),
        "share_before": row.share_before,
        "records_before": row.records_before,
        "share_now": row.share_now,
        "records_now": row.records_now,
        "p_value": row.p_value,
        "instead": row.evidence["instead"],
        "unread": row.evidence["unread"],
        "share_back": row.evidence.get("share_back"),
    }


def sentence(row: DriftRow) -> str:
    """A notice in one sentence."""
    what = f"`{row.field}`" if row.field else "usable records"
    if row.closed_at is not None:
        return f"{row.layout}: {what} is back at {row.evidence.get('share_back', 0):.0%} of the records"
    fell = f"{row.layout}: {what} fell from {row.share_before:.0%} to {row.share_now:.0%} of the records"
    keys = [f"`{key['key']}`" for key in row.evidence["instead"][:2]]
    return fell + (f"; new there: {', '.join(keys)}" if keys else "") + " (`groundswell drift` has more)"


def _fill_document(fill: LayoutFill) -> dict[str, Any]:
    newest = fill.newest()
    usable = fill.now(RECORD, "")
    return {
        "layout": fill.layout,
        "layout_version": newest[-1].version,
        "at": iso(newest[-1].at_us),
        "records": usable.records,
        "usable": usable.filled,
        "fields": [asdict(share) for share in fill.shares()],
        "unknown_keys": [asdict(key) for key in fill.unknown()],
    }


def fold(lake: Lake, now_us: int) -> int:
    """Join old counts: those of a day that is over to one of that day, older ones of today by hour; rows saved.

    Hold the lease `lake`.
    """
    rows = lake.read(TABLE)
    at = rows["at"].cast(pa.int64()).to_numpy()
    if not len(at):
        return 0
    today = now_us // DAY_US * DAY_US
    old, aged = at < today, at < now_us - _HOUR_US
    bucket = at.copy()
    bucket[aged] = at[aged] // _HOUR_US * _HOUR_US
    bucket[old] = at[old] // DAY_US * DAY_US
    moved = rows.set_column(1, "at", pa.array(bucket)).set_column(
        0, "batch", pc.if_else(pa.array(aged | old), pa.scalar(None, pa.string()), rows["batch"])
    )
    moved = moved.append_column("row", pa.array(np.arange(len(at))))
    keys = ["batch", "at", "layout", "layout_version", "kind", "name"]
    sums = moved.group_by(keys).aggregate([("records", "sum"), ("filled", "sum"), ("row", "max")])
    if sums.num_rows > _WORTH * rows.num_rows:
        return 0
    columns = {name: sums[name] for name in keys} | {
        "records": sums["records_sum"],
        "filled": sums["filled_sum"],
        "examples": rows["examples"].take(sums["row_max"]),
    }
    columns["at"] = columns["at"].cast(TIMESTAMP)
    replace(lake, TABLE, pa.table([columns[spec.name].cast(spec.type) for spec in FILL], schema=FILL))
    return int(rows.num_rows - sums.num_rows)
