"""What changes when rows are read again: field by field, with examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.schema import MAPPED_OF

#: The platform's own id of a row, by table.
ID_OF: Final = {"posts": "post_id", "comments": "comment_id", "authors": "author_id"}
COUNTS: Final = ("replaced", "changed", "added", "known", "rejected", "dropped", "left")
_EXAMPLES: Final = 3
_LENGTH: Final = 200


@dataclass
class FieldChange:
    """How often a field changes, how often from or to null, and some examples (id, before, after)."""

    changed: int = 0
    from_null: int = 0
    to_null: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class TableChange:
    """What changes in one table. Counts are rows.

    `replaced`: read again, of which `changed` differ; `added`: came in where no row was; `known`: became the same as
    another; `rejected`: went to the quarantine; `dropped`: their record gives fewer rows now; `left`: not met again.
    """

    table: str
    replaced: int = 0
    changed: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    dropped: int = 0
    left: int = 0
    fields: dict[str, FieldChange] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything was counted."""
        return any(getattr(self, name) for name in COUNTS)

    def compare(self, old: pa.Table, new: pa.Table) -> None:
        """Count what differs between rows as they are and as they would be."""
        any_change = np.zeros(old.num_rows, np.bool_)
        ids = new[ID_OF[self.table]]
        for name in MAPPED_OF[self.table].names:
            before, after = old[name], new[name]
            if before.equals(after):
                continue
            changed = differing(before, after)
            if not changed.any():
                continue
            any_change |= changed
            was, is_ = _null(before), _null(after)
            entry = self.fields.setdefault(name, FieldChange())
            entry.changed += int(changed.sum())
            entry.from_null += int((was & ~is_).sum())
            entry.to_null += int((~was & is_).sum())
            for at in np.flatnonzero(changed)[: _EXAMPLES - len(entry.examples)].tolist():
                values = (ids[at].as_py(), shown(before[at].as_py()), shown(after[at].as_py()))
                entry.examples.append(dict(zip(("id", "before", "after"), values, strict=True)))
        self.replaced += old.num_rows
        self.changed += int(any_change.sum())

    def document(self) -> dict[str, Any]:
        """As `remap --json` shows it."""
        counts = {name: getattr(self, name) for name in COUNTS}
        fields = [
            {
                "field": name,
                "changed": e.changed,
                "from_null": e.from_null,
                "to_null": e.to_null,
                "examples": e.examples,
            }
            for name, e in sorted(self.fields.items(), key=lambda item: -item[1].changed)
        ]
        return {"table": self.table, **counts, "fields": fields}


def differing(before: pa.ChunkedArray, after: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """In which rows two columns differ; null differs from every value."""
    if pa.types.is_nested(before.type):
        pairs = zip(_plain(before), _plain(after), strict=True)
        return np.fromiter((left != right for left, right in pairs), np.bool_, len(before))
    unequal = pc.fill_null(pc.not_equal(before, after), False).to_numpy()
    return np.asarray(unequal | (_null(before) != _null(after)))


def _plain(column: pa.ChunkedArray) -> list[Any]:
    values = column.to_pylist()
    # The order of a map's keys says nothing.
    return [None if v is None else dict(v) for v in values] if pa.types.is_map(column.type) else values


def _null(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(column.is_null().to_numpy())


def shown(value: Any) -> str | None:
    """A value as text, cut short; null for null."""
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
