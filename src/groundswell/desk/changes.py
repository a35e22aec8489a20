"""Changes: what the live page is told, in order. A page that was away asks for what came after its last number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from groundswell.desk.clock import iso, wall_us
from groundswell.desk.tables import ChangeRow

Kind = Literal["window", "alert", "topic", "tracker", "status"]

#: How many changes are kept; a page that missed more loads everything anew.
KEEP: Final = 100_000

#: Where the body of each kind stands in the document `web.models.Change`.
_BODY: Final = {"window": "windows", "alert": "alert", "topic": "topic", "tracker": "tracker", "status": "status"}


def append(
    session: Session, kind: Kind, subject: str, body: Mapping[str, Any], *, now_us: int | None = None
) -> ChangeRow:
    """Add a change. `body` is, by kind: `{tracker id: window}`, an alert's or a topic's summary, a tracker, status."""
    row = ChangeRow(at=wall_us() if now_us is None else now_us, kind=kind, subject=subject, body=dict(body))
    session.add(row)
    session.flush()
    return row


def append_all(
    session: Session, kind: Kind, told: Sequence[tuple[str, Mapping[str, Any]]], *, now_us: int | None = None
) -> None:
    """Add many changes of one kind, (subject, body) each as `append` takes them, numbered in their order."""
    if told:
        at = wall_us() if now_us is None else now_us
        rows = [{"at": at, "kind": kind, "subject": subject, "body": dict(body)} for subject, body in told]
        session.execute(insert(ChangeRow.__table__), rows)  # type: ignore[arg-type]  # a mapped class has a table


def after(session: Session, seq: int, limit: int = 1000) -> list[ChangeRow]:
    """The changes with a greater number, oldest first."""
    return list(session.scalars(select(ChangeRow).where(ChangeRow.seq > seq).order_by(ChangeRow.seq).limit(limit)))


def last_seq(session: Session) -> int:
    """Number of the newest change; 0 if there is none."""
    return session.scalar(select(func.max(ChangeRow.seq))) or 0


def first_seq(session: Session) -> int:
    """Number of the oldest change that is kept; 0 if there is none."""
    return session.scalar(select(func.min(ChangeRow.seq))) or 0


def first_told(session: Session, kind: Kind) -> dict[str, int]:
    """When each subject of a kind was first told of, as far as changes are kept; microseconds."""
    query = select(ChangeRow.subject, func.min(ChangeRow.at)).where(ChangeRow.kind == kind).group_by(ChangeRow.subject)
    return {subject: at for subject, at in session.execute(query)}


def prune(session: Session, keep: int = KEEP) -> int:
    """Remove all but the newest `keep` changes; how many."""
    old = delete(ChangeRow).where(ChangeRow.seq <= last_seq(session) - keep)
    return int(getattr(session.execute(old), "rowcount", 0))


def window_subject(window_s: int, start_us: int) -> str:
    """What a change of kind `window` is about: the size of the windows that closed and their start."""
    return f"{window_s}/{start_us}"


def document(row: ChangeRow) -> dict[str, Any]:
    """The change as `web.models.Change` says it."""
    told = {"seq": row.seq, "kind": row.kind, "at": iso(row.at), "subject": row.subject, _BODY[row.kind]: row.body}
    if row.kind == "window":
        size, _, start = row.subject.rpartition("/")
        told |= {"subject": start, "window_s": int(size) if size else None}
    return told
