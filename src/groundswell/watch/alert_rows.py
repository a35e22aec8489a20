"""Alerts into the desk: the row with its card, what the card was made of, its group, and what people are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.attributes import set_committed_value

from groundswell.desk import alert_cases, alert_documents, alert_groups, alert_life, alerts, changes, outbox, seasons
from groundswell.desk.clock import moment
from groundswell.desk.tables import AlertRow, TrackerRow
from groundswell.telemetry import count
from groundswell.watch import frozen
from groundswell.watch.contract import AlertRecord

#: More alerts than a desk has open at once.
_ALL: Final = 100_000
#: Who says why an alert was closed that nobody watches any more.
_WE: Final = "Groundswell"


def write_alerts(
    session: Session, records: Iterable[AlertRecord], trackers: Mapping[str, TrackerRow], now_us: int
) -> None:
    """Put alerts into the caller's transaction; their windows are to be there already."""
    found = list(records)
    rows = [_row(session, record, trackers[record.tracker_id], now_us) for record in found]
    before = outbox.known(session, (row["id"] for row in rows))
    count("alerts_raised", sum(row["id"] not in before for row in rows))
    alerts.write(session, rows)
    alert_cases.write(session, [_case(record) for record in found if record.case])
    stored = _stored(session, {row["id"]: row["evidence"] for row in rows})
    moved = alert_groups.regroup(session, stored)
    for record in found:
        if record.has_card:  # channels are told with it
            row = stored[record.id]
            outbox.enqueue(session, before.get(row.id), row, trackers[row.tracker_id], now_us)
    told = [*stored.values(), *(row for row in moved if row.id not in stored)]
    summaries = alert_documents.summaries(session, told)
    changes.append_all(session, "alert", [(said["id"], said) for said in summaries], now_us=now_us)


def close_lost(session: Session, why: str, now_us: int) -> int:
    """Close the open alerts of episodes that the watch does not know any more, in the caller's transaction; how many.

    Nothing would ever close them. `why` is written under each, and channels are told.
    """
    lost = alerts.listed(session, open_only=True, limit=_ALL)
    before = outbox.known(session, (row.id for row in lost))
    for row in lost:
        row.closed_at, row.phase = row.updated_at, "closed"
        alert_life.comment(session, row.id, why, who=_WE, now_us=now_us)
    for row in lost:
        outbox.enqueue(session, before.get(row.id), row, session.get_one(TrackerRow, row.tracker_id), now_us)
    summaries = alert_documents.summaries(session, lost)
    changes.append_all(session, "alert", [(said["id"], said) for said in summaries], now_us=now_us)
    return len(lost)


def _stored(session: Session, evidence: Mapping[str, dict[str, Any]]) -> dict[str, AlertRow]:
    """Alerts as they are in the desk now, with what people did with them, in the order of their `evidence`.

    That is not read again: it has just been written, and is the greatest part of an alert.
    """
    query = select(AlertRow).options(defer(AlertRow.evidence)).where(AlertRow.id.in_(evidence))
    found = {row.id: row for row in session.scalars(query, execution_options={"populate_existing": True})}
    for alert, row in found.items():
        set_committed_value(row, "evidence", evidence[alert])
    return {alert: found[alert] for alert in evidence}


def _row(session: Session, record: AlertRecord, tracker: TrackerRow, now_us: int) -> dict[str, Any]:
    row = msgspec.structs.asdict(record)
    del row["authors"], row["case"], row["has_card"]  # the evidence has the first, a table of its own the second
    detail = row.pop("detail")
    row["headline"] = f"{record.headline}\n{detail}" if detail else record.headline
    row["evidence"] = {**record.evidence, "season": _season(session, record)}
    row |= {"verdict": None, "created_wall": now_us}
    if tracker.removed_at is not None and record.closed_at is None:
        # Nobody watches it any more, so nothing would ever close it.
        row |= {"closed_at": record.updated_at, "phase": "closed"}
    return row


def _season(session: Session, record: AlertRecord) -> dict[str, Any] | None:
    if record.window_s == 0:
        return None
    start = datetime.fromisoformat(record.evidence["window_start"])
    start_us = (start - moment(0)) // timedelta(microseconds=1)
    return seasons.season_of(session, record.tracker_id, record.window_s, start_us, record.updated_at)


def _case(record: AlertRecord) -> dict[str, Any]:
    case = frozen.thaw(record.case)
    sketch = b"" if case is None else alert_groups.sketch_of(case.posts()[0])
    return {"alert_id": record.id, "data": record.case, "sketch": sketch}
