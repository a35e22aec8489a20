"""Alerts with mostly the same posts are one group: a story that several trackers see is told once.

Two alerts belong together if the Jaccard similarity of their posts' identities is at least `ALIKE`. It is taken from
the least 512 identities of each (Broder 1997: the least of the union are a fair sample of it), so it is exact for
alerts of up to 512 posts. A group is all that hangs together; it is named after its first alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, defer

from groundswell.desk.tables import AlertCaseRow, AlertRow

Hashes = npt.NDArray[np.uint64]

#: Similarity from which two alerts are one story.
ALIKE: Final = 0.5
#: Identities that are kept of an alert.
SKETCH: Final = 512
#: Identities of which two alerts must share one to be compared.
_LEAST: Final = 32
#: Cards are large, and groups do not look at them.
_LIGHT: Final = select(AlertRow).options(defer(AlertRow.evidence))


def sketch_of(identities: Hashes) -> bytes:
    """The least `SKETCH` distinct identities, sorted, 8 bytes each, little-endian."""
    return np.unique(identities)[:SKETCH].astype("<u8").tobytes()


def jaccard(first: bytes, second: bytes) -> float:
    """Estimated similarity of two sets by their sketches; 0 where one is empty.

    >>> jaccard(sketch_of(np.array([1, 2, 3], np.uint64)), sketch_of(np.array([2, 3, 4], np.uint64)))
    0.5
    """
    a, b = (np.frombuffer(each, dtype="<u8") for each in (first, second))
    if not len(a) or not len(b):
        return 0.0
    # Beyond the end of a sketch that was cut, it is not known who has what.
    ends = [each[-1] for each in (a, b) if len(each) == SKETCH]
    if ends:
        a, b = (each[: np.searchsorted(each, min(ends), side="right")] for each in (a, b))
    both = len(np.intersect1d(a, b, assume_unique=True))
    union = len(a) + len(b) - both
    return both / union if union else 0.0


def regroup(session: Session, alert_ids: Iterable[str]) -> list[AlertRow]:
    """Find the groups of these alerts anew, among those that were there at the same time; the alerts that changed.

    It depends on what the alerts are, not on the order in which they came.
    """
    changed = list(session.scalars(_LIGHT.where(AlertRow.id.in_(list(alert_ids)))))
    around = _around(session, changed)
    if len(around) < 2:
        return []
    query = select(AlertCaseRow.alert_id, AlertCaseRow.sketch)
    found = session.execute(query.where(AlertCaseRow.alert_id.in_([row.id for row in around])))
    sketches = {alert: sketch for alert, sketch in found}
    moved: list[AlertRow] = []
    for members in _together(around, sketches):
        first = members[0].id if len(members) > 1 else None
        for row in members:
            if row.group_id != first:
                row.group_id = first
                moved.append(row)
    session.flush()
    return moved


def _around(session: Session, changed: Sequence[AlertRow]) -> list[AlertRow]:
    """The alerts and all that overlap with one of them in time or are in a group with such, the first one first."""
    if not changed:
        return []
    since, until = min(row.started_at for row in changed), max(row.updated_at for row in changed)
    near = _LIGHT.where(AlertRow.started_at <= until, AlertRow.updated_at >= since)
    found = {row.id: row for row in session.scalars(near)}
    groups = {row.group_id for row in found.values() if row.group_id is not None}
    if groups:
        rest = session.scalars(_LIGHT.where(or_(AlertRow.group_id.in_(groups), AlertRow.id.in_(groups))))
        found |= {row.id: row for row in rest}
    return sorted(found.values(), key=lambda row: (row.started_at, row.id))


def _together(rows: Sequence[AlertRow], sketches: dict[str, bytes]) -> list[list[AlertRow]]:
    """The connected parts, each in the order of `rows`."""
    root = list(range(len(rows)))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    for first, second in _candidates([sketches.get(row.id, b"") for row in rows]):
        a, b = find(first), find(second)
        if a != b and jaccard(sketches[rows[first].id], sketches[rows[second].id]) >= ALIKE:
            root[max(a, b)] = min(a, b)
    parts: dict[int, list[AlertRow]] = {}
    for at, row in enumerate(rows):
        parts.setdefault(find(at), []).append(row)
    return list(parts.values())


def _candidates(sketches: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pairs that can be alike: they share one of their least identities.

    Each of the least of a union is in both sets with a probability of their similarity: of pairs that are alike by
    `ALIKE`, 2 in 10^10 are overlooked.
    """
    having: dict[int, list[int]] = {}
    for at, sketch in enumerate(sketches):
        for identity in np.frombuffer(sketch, dtype="<u8")[:_LEAST].tolist():
            having.setdefault(identity, []).append(at)
    return sorted({pair for places in having.values() for pair in combinations(places, 2)})


def members(session: Session, group_ids: Iterable[str | None]) -> dict[str, list[AlertRow]]:
    """The alerts of each group, the first one first."""
    wanted = {group for group in group_ids if group is not None}
    if not wanted:
        return {}
    query = _LIGHT.where(AlertRow.group_id.in_(wanted)).order_by(AlertRow.started_at, AlertRow.id)
    groups: dict[str, list[AlertRow]] = {}
    for row in session.scalars(query):
        groups.setdefault(str(row.group_id), []).append(row)
    return groups
