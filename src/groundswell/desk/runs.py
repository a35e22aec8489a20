"""Runs: one row for each import unit, replay, retry or maintenance, so that an interrupted one is taken up."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.desk.clock import wall_us
from groundswell.desk.tables import RunRow
from groundswell.errors import NotFoundError


def start(
    session: Session,
    kind: str,
    subject: str,
    *,
    run_id: str | None = None,
    summary: Mapping[str, Any] | None = None,
    now_us: int | None = None,
) -> RunRow:
    """Record a run as running. `subject` says what it works on, in a form that finds it again."""
    row = RunRow(
        id=run_id or secrets.token_hex(8),
        kind=kind,
        subject=subject,
        state="running",
        started_at=wall_us() if now_us is None else now_us,
        finished_at=None,
        summary=None if summary is None else dict(summary),
    )
    session.add(row)
    session.flush()
    return row


def finish(
    session: Session,
    run_id: str,
    summary: Mapping[str, Any] | None,
    *,
    state: Literal["done", "failed"] = "done",
    now_us: int | None = None,
) -> RunRow:
    """Record the end of a run.

    Raises:
        NotFoundError: there is no such run.
    """
    row = get(session, run_id)
    row.state, row.summary = state, None if summary is None else dict(summary)
    row.finished_at = wall_us() if now_us is None else now_us
    return row


def get(session: Session, run_id: str) -> RunRow:
    """The run of that id.

    Raises:
        NotFoundError: there is no such run.
    """
    row = session.get(RunRow, run_id)
    if row is None:
        what = f"no run `{run_id}`"
        raise NotFoundError(what)
    return row


def unfinished(session: Session, kind: str, subject: str) -> RunRow | None:
    """The newest run of that kind and subject, if it was begun and neither done nor failed."""
    row = latest(session, kind, subject)
    return row if row is not None and row.state == "running" else None


def latest(session: Session, kind: str, subject: str | None = None) -> RunRow | None:
    """The newest run of that kind (and subject); null if there was none."""
    query = select(RunRow).where(RunRow.kind == kind)
    if subject is not None:
        query = query.where(RunRow.subject == subject)
    return session.scalars(query.order_by(RunRow.started_at.desc(), RunRow.id).limit(1)).one_or_none()


def listed(session: Session, kind: str | None = None, limit: int = 100) -> list[RunRow]:
    """Runs, newest first."""
    query = select(RunRow).order_by(RunRow.started_at.desc(), RunRow.id).limit(limit)
    return list(session.scalars(query if kind is None else query.where(RunRow.kind == kind)))
