"""Drift notices: a field of a layout that is filled less often than it was; open until it is filled again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.desk.tables import DriftRow


def open_notice(session: Session, layout: str, field: str, since_us: int, columns: Mapping[str, Any]) -> DriftRow:
    """Write a notice; the same one again changes nothing."""
    id_ = hashlib.blake2b(f"{layout}\n{field}\n{since_us}".encode(), digest_size=8).hexdigest()
    row = session.get(DriftRow, id_)
    if row is None:
        row = DriftRow(id=id_, layout=layout, field=field, since=since_us, closed_at=None, **columns)
        session.add(row)
        session.flush()
    return row


def close_notice(session: Session, id_: str, at_us: int, evidence: Mapping[str, Any]) -> DriftRow | None:
    """Close a notice that is open; `evidence` is added to its own."""
    row = session.get(DriftRow, id_)
    if row is not None and row.closed_at is None:
        row.closed_at = at_us
        row.evidence = {**row.evidence, **evidence}
        session.flush()
    return row


def listed(session: Session, *, layout: str | None = None, limit: int = 1_000) -> list[DriftRow]:
    """Notices: open ones first, then the newest."""
    query = select(DriftRow).order_by(DriftRow.closed_at.is_not(None), DriftRow.opened_at.desc(), DriftRow.id)
    if layout is not None:
        query = query.where(DriftRow.layout == layout)
    return list(session.scalars(query.limit(limit)))
