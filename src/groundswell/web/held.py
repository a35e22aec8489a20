"""The quarantine as the page shows it: how much is held and why, the newest records, and one of them whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from groundswell.errors import NotFoundError
from groundswell.lake import Lake
from groundswell.lake.failures import told
from groundswell.schema import QUARANTINE
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
            if value is not None:
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
        shares = self._counted()
        by_reason = _shares(shares, "reason")
        rows = self._newest(wanted, limit)
        examples = self._examples([row["id"] for row in rows])
        return Quarantine(
            items=[QuarantineRow(**row, example=shown(examples.get(row["id"], b""))[:_EXAMPLE]) for row in rows],
            held=pc.sum(shares["rows"]).as_py() or 0,
            reasons={share.name or "": share.rows for share in by_reason},
            by_reason=by_reason,
            by_origin=_shares(shares, "origin")[:_MOST],
            by_layout=_shares(shares, "layout"),
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
        for rows in self._batches([*_COUNTED, "at", "state"]):
            held = rows.filter(pc.equal(rows["state"], "held"))
            sums = held.group_by(list(_COUNTED)).aggregate([("state", "count"), ("at", "max")])
            parts.append(sums.rename_columns({"state_count": "rows", "at_max": "at"}).cast(_share_schema()))
        return pa.concat_tables(parts)

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
        wanted = pa.array(identities, pa.string())
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
                for batch in pq.ParquetFile(file).iter_batches(4096, columns=list(names)):
                    yield pa.Table.from_batches([batch]).select(list(names)).cast(schema)


def _share_schema() -> pa.Schema:
    named = [QUARANTINE.field(name) for name in _COUNTED]
    return pa.schema([*named, pa.field("rows", pa.int64()), QUARANTINE.field("at")])


def _shares(counted: pa.Table, by: str) -> list[QuarantineShare]:
    """Held rows by one of the columns, most first."""
    sums = counted.group_by(by).aggregate([("rows", "sum"), ("at", "max")])
    ordered = sums.sort_by([("rows_sum", "descending"), (by, "ascending")])
    return [QuarantineShare(name=row[by], rows=row["rows_sum"], newest_at=row["at_max"]) for row in ordered.to_pylist()]


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
