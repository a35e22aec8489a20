"""What collectors may still ask of a platform today, and which answers they have had already.

A service (`youtube`) gives so many units a day and renews them at midnight of its own zone. Units are taken before a
request is made, so that several collectors of one home never pass the limit together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from groundswell.desk.tables import AnswerRow, SpentRow
from groundswell.desk.upsert import upsert


def spent(session: Session, service: str, day: str) -> int:
    """Units that were taken on that day (`2026-11-21`)."""
    row = session.get(SpentRow, (service, day))
    return 0 if row is None else row.units


def take(session: Session, service: str, day: str, units: int, limit: int) -> bool:
    """Take units for a request; false, and nothing is taken, if they would pass the limit of that day."""
    if session.get(SpentRow, (service, day)) is None:
        upsert(session, SpentRow, [{"service": service, "day": day, "units": 0}], keep=frozenset({"units"}))
        session.expire_all()
    fits = update(SpentRow).where(SpentRow.service == service, SpentRow.day == day, SpentRow.units + units <= limit)
    taken = session.execute(fits.values(units=SpentRow.units + units).execution_options(synchronize_session=False))
    session.expire_all()
    return bool(taken.rowcount)  # type: ignore[attr-defined]  # an update has a count of rows


def exhaust(session: Session, service: str, day: str, limit: int) -> None:
    """The platform says that nothing is left today, whoever spent it."""
    units = max(limit, spent(session, service, day))
    upsert(session, SpentRow, [{"service": service, "day": day, "units": units}])


def answer(session: Session, request: str) -> tuple[str, dict[str, Any]] | None:
    """ETag of the last answer to a request, and what was kept of it; null if there was none."""
    row = session.get(AnswerRow, request)
    return None if row is None else (row.etag, row.kept)


def keep_answer(session: Session, request: str, etag: str, kept: dict[str, Any], *, now_us: int) -> None:
    """Remember the answer to a request; once what it said is durable."""
    upsert(session, AnswerRow, [{"request": request, "etag": etag, "kept": kept, "at": now_us}])


def forget_answers(session: Session, before_us: int) -> None:
    """Forget answers that are older."""
    session.execute(delete(AnswerRow).where(AnswerRow.at < before_us))
