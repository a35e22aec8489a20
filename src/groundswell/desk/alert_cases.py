"""What an alert's card was made of besides its posts, and which version of the lake has all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.desk.tables import AlertCaseRow, AlertRow
from groundswell.desk.upsert import upsert


def write(session: Session, cases: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update by `alert_id` (with `data` and `sketch`); the lake's version is open again."""
    upsert(session, AlertCaseRow, [{"lake_version": None, "lake_seq": None, **case} for case in cases])


def get(session: Session, alert_id: str) -> AlertCaseRow | None:
    """The case of an alert; null for one of an older Groundswell."""
    return session.get(AlertCaseRow, alert_id)


def waiting(session: Session) -> bool:
    """Whether there is a case whose posts were not all in the lake yet."""
    return session.scalar(select(AlertCaseRow.alert_id).where(AlertCaseRow.lake_version.is_(None)).limit(1)) is not None


def settle(session: Session, last_record: int, version: int, seq: int) -> int:
    """Note the lake's `version` (rows up to number `seq`) for the cases whose records it holds; how many.

    `last_record` is the last record of the journal that the lake has.
    """
    query = (
        select(AlertCaseRow, AlertRow)
        .join(AlertRow, AlertRow.id == AlertCaseRow.alert_id)
        .where(AlertCaseRow.lake_version.is_(None))
    )
    done = 0
    for case, alert in session.execute(query):
        span = alert.evidence.get("span") or [0]
        if span[-1] <= last_record:
            case.lake_version, case.lake_seq = version, seq
            done += 1
    session.flush()
    return done
