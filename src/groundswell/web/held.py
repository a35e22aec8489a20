"""The quarantine as the page shows it: how much is held and why, the newest records, and one of them whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import NotFoundError
from groundswell.lake import Lake
from groundswell.lake.failures import told
from groundswell.schema import QUARANTINE
from groundswell.stores import parquet
from groundswell.web.data_models import Quarantine, QuarantineRecord, QuarantineRow, QuarantineShare

_SHOWN: Final = ("id", "at", "source", "origin", "row", "layout", "reason", "detail", "state")
_COUNTED: Final = ("reason", "origin", "layout")
#: Characters of a raw record that a list shows.
_EXAMPLE: Final = 300
#: Rows that are kept in memory while the newest are looked for.
_HEAP: Final = 20_000
#: Origins that are named; the rest of many files is a matter of a query.
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are listed; null: whatever it is."""

    reason: str | None = None
    origin: str | None = None
    layout: str | None = None
    state: str | None = None

    def of(self, rows: pa.Table) -> pa.Table:
        """Those of the rows; an empty text stands for null."""
        for name in ("reason", "origin", "layout", "state"):
            value = getattr(self, name)
            if value is not None and name in rows.column_names:
                rows = rows.filter(pc.is_null(rows[name]) if value == "" else pc.equal(rows[name], value))
        return rows


class HeldRecords:
    """The quarantine of one lake; safe to use from several threads. What is held is counted once for each version."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._turn = threading.Lock()
        self._version: int | None = None
        self._shares = _share_schema().empty_table()

    def held(self) -> int:
        """Records that wait to be read."""
        return pc.sum(self._counted()["rows"]).as_py() or 0

    def page(self, wanted: Filter, limit: int) -> Quarantine:
        """The newest records that are wanted, and how many are held for which reason.

        Raises:
            UnavailableError: the quarantine cannot be read.
        """
        counted = self._counted()
        # Each count leaves its own column out of the filter, so that the other choices stay in sight.
        by = {name: _shares(replace(wanted, state=None, **{name: None}).of(counted), name)[:_MOST] for name in _COUNTED}
        rows = self._newest(wanted, limit)
        newest = [identity for shares in by.values() for _, identity in shares]
        examples = self._examples([*(row["id"] for row in rows), *newest])
        named = {
            name: [
                QuarantineShare(**share, example=shown(examples.get(identity, b""))[:_EXAMPLE])
                for share, identity in shares
            ]
            for name, shares in by.items()
        }
        return Quarantine(
            items=[QuarantineRow(**row, example=shown(examples.get(row["id"], b""))[:_EXAMPLE]) for row in rows],
            held=pc.sum(counted["rows"]).as_py() or 0,
            reasons={share.name or "": share.rows for share in named["reason"]},
            by_reason=named["reason"],
            by_origin=named["origin"],
            by_layout=named["layout"],
        )

    def one(self, identity: str) -> QuarantineRecord:
        """The record of that id (or of a unique beginning of it).

        Raises:
            NotFoundError: there is none.
        """
        names = [*_SHOWN, "raw", "raw_bytes", "raw_sha256"]
        for batch in self._batches(names):
            found = batch.filter(pc.starts_with(batch["id"], identity))
            if found.num_rows:
                row = found.slice(0, 1).to_pylist()[0]
                raw = row.pop("raw") or b""
                text = shown(raw)
                return QuarantineRecord(**row, example=text[:_EXAMPLE], raw=text, whole=len(raw) == row["raw_bytes"])
        what = "no record with that id is in the quarantine"
        raise NotFoundError(what, where=identity, hint="`GET /api/v1/quarantine` lists them")

    def _counted(self) -> pa.Table:
        with self._turn:
            version = self._lake.version("quarantine")
            if version != self._version:
                self._shares = self._count()
                self._version = version
            return self._shares

    def _count(self) -> pa.Table:
        """Held rows by reason, origin and layout together."""
        parts = [_share_schema().empty_table()]
        for rows in self._batches([*_COUNTED, "id", "at", "state"]):
            held = rows.filter(pc.equal(rows["state"], "held"))
            parts.append(_joined(held.append_column("rows", pa.repeat(pa.scalar(1, pa.int64()), held.num_rows))))
        return _joined(pa.concat_tables(parts))

    def _newest(self, wanted: Filter, limit: int) -> list[dict[str, Any]]:
        found = pa.schema([QUARANTINE.field(name) for name in _SHOWN]).empty_table()
        order = [("at", "descending"), ("id", "ascending")]
        for rows in self._batches(_SHOWN):
            found = pa.concat_tables([found, wanted.of(rows)])
            if found.num_rows > _HEAP:
                found = found.sort_by(order).slice(0, limit)
        listed: list[dict[str, Any]] = found.sort_by(order).slice(0, limit).to_pylist()
        return listed

    def _examples(self, identities: Sequence[str]) -> dict[str, bytes]:
        """The beginning of the raw bytes of these records."""
        wanted = pa.array(sorted(set(identities)), pa.string())
        found: dict[str, bytes] = {}
        if not identities:
            return found
        for rows in self._batches(["id", "raw"]):
            few = rows.filter(pc.is_in(rows["id"], value_set=wanted))
            found |= {row["id"]: (row["raw"] or b"")[: 4 * _EXAMPLE] for row in few.to_pylist()}
        return found

    def _batches(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """The rows of each file in pieces, so that many large records are never in memory together."""
        schema = pa.schema([QUARANTINE.field(name) for name in names])
        for file in self._lake.snapshot("quarantine").files:
            with told("read the table `quarantine`", self._lake.path("quarantine")):
                for batch in parquet(file).iter_batches(4096, columns=list(names)):
                    yield pa.Table.from_batches([batch]).select(list(names)).cast(schema)


def _share_schema() -> pa.Schema:
    named = [QUARANTINE.field(name) for name in (*_COUNTED, "id", "at")]
    return pa.schema([*named, pa.field("rows", pa.int64())])


def _joined(rows: pa.Table, by: Sequence[str] = _COUNTED) -> pa.Table:
    """One row for each combination of `by`: how many there are, and the newest of them."""
    newest_first = rows.sort_by([("at", "descending"), ("id", "ascending")])
    sums = newest_first.group_by(list(by), use_threads=False).aggregate(
        [("rows", "sum"), ("id", "first"), ("at", "first")]
    )
    named = sums.rename_columns({"rows_sum": "rows", "id_first": "id", "at_first": "at"})
    return named.select([name for name in _share_schema().names if name in named.column_names])


def _shares(counted: pa.Table, by: str) -> list[tuple[dict[str, Any], str]]:
    """Held rows by one of the columns, most first, each with the id of the newest."""
    ordered = _joined(counted, [by]).sort_by([("rows", "descending"), (by, "ascending")])
    return [({"name": row[by], "rows": row["rows"], "newest_at": row["at"]}, row["id"]) for row in ordered.to_pylist()]


def shown(raw: bytes) -> str:
    r"""Bytes as text that is safe to show: broken UTF-8 as `\xNN`, characters that cannot be seen as `\uNNNN`.

    >>> shown(b'{"a": \xff\x00}')
    '{"a": \\xff\\u0000}'
    >>> shown("a\u202eb\tc".encode())
    'a\\u202eb\tc'
    """
    text = raw.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
