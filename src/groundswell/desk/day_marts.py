"""What was worked out of a date, and which files of the inbox were imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from groundswell.desk.day_tables import DayMartRow, InboxRow


def put(
    session: Session, on: date, name: str, body: Mapping[str, Any], *, lake_version: int | None, now_us: int
) -> None:
    """Keep what was worked out of a date, in place of what was kept of it before."""
    session.execute(delete(DayMartRow).where(DayMartRow.date == on.isoformat(), DayMartRow.name == name))
    session.add(DayMartRow(date=on.isoformat(), name=name, made_at=now_us, lake_version=lake_version, body=dict(body)))
    session.flush()


def get(session: Session, on: date, name: str) -> DayMartRow | None:
    """One mart of a date; null where it was not made."""
    return session.get(DayMartRow, (on.isoformat(), name))


def of_date(session: Session, on: date) -> dict[str, DayMartRow]:
    """All marts of a date, by name."""
    rows = session.scalars(select(DayMartRow).where(DayMartRow.date == on.isoformat()).order_by(DayMartRow.name))
    return {row.name: row for row in rows}


def dates(session: Session, limit: int = 100) -> list[date]:
    """The dates of which something was worked out, newest first."""
    query = select(DayMartRow.date).distinct().order_by(DayMartRow.date.desc()).limit(limit)
    return [date.fromisoformat(one) for one in session.scalars(query)]


def file_id(identity: str) -> str:
    """The id of a state of a file.

    >>> len(file_id("posts.csv|10|0"))
    32
    """
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def not_imported(session: Session, identities: Iterable[str]) -> set[str]:
    """Those states of files that were not imported from the inbox."""
    wanted = {file_id(identity): identity for identity in identities}
    ids = list(wanted)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for known in session.scalars(select(InboxRow.id).where(InboxRow.id.in_(part))):
            del wanted[known]
    return set(wanted.values())


def note_imported(session: Session, identity: str, name: str, now_us: int) -> None:
    """Note that a state of a file was imported; again is once."""
    if session.get(InboxRow, file_id(identity)) is None:
        session.add(InboxRow(id=file_id(identity), name=name, imported_at=now_us))
        session.flush()
