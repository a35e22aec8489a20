"""Rows of an SQL query as text columns, or, where one column holds whole JSON objects, as documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final, Protocol, overload

import msgspec
import pyarrow as pa

from groundswell.errors import UnreadableFileError
from groundswell.sources.databases import DocumentAnswer, Mark
from groundswell.sources.documents import HEAD_BYTES, Oversized
from groundswell.sources.row_chunks import CHUNK_ROWS, BadRow, RowChunk

Row = tuple[str | None, ...]

_CHUNK_CHARS: Final = 16 << 20
_BLOCK: Final = 1 << 20
#: Rows that are looked at to see whether a column holds documents.
_LOOK: Final = 100


class Reading(Protocol):
    """Rows as a database gives them."""

    columns: list[str]

    @property
    def mark(self) -> Mark | None:
        """How far a cursor column was read; null without one."""
        ...

    def batches(self) -> Iterator[Sequence[Row]]:
        """The rows in order, some at a time.

        Raises:
            UnreadableFileError: the answer broke off.
        """
        ...

    def close(self) -> None:
        """Let the database go."""
        ...


def answer(reading: Reading, cursor: str | None, limit: int) -> SqlRows | DocumentAnswer:
    """The rows as text columns, or as documents where the only column beside `cursor` holds JSON objects."""
    batches = reading.batches()
    first: Sequence[Row] = ()
    while not first and (batch := next(batches, None)) is not None:
        first = batch
    others = [at for at, name in enumerate(reading.columns) if name != cursor]
    whole = chain([first], batches)
    if len(others) == 1 and _holds_documents(row[others[0]] for row in first[:_LOOK]):
        return SqlDocuments(reading, whole, others[0])
    return SqlRows(reading, whole, limit)


class _Ended:
    """What both kinds of answer have in common: the mark and what went wrong."""

    def __init__(self, reading: Reading, batches: Iterator[Sequence[Row]]) -> None:
        self.failure: UnreadableFileError | None = None
        self._reading = reading
        self._rows = batches

    @property
    def mark(self) -> Mark | None:
        """How far a cursor column was read."""
        return self._reading.mark

    def close(self) -> None:
        """Let the database go."""
        self._reading.close()

    def _batches(self) -> Iterator[Sequence[Row]]:
        try:
            yield from self._rows
        except UnreadableFileError as error:
            self.failure = error
        finally:
            self.close()


class SqlRows(_Ended):
    """Rows of text columns (`groundswell.sources.row_chunks.Rows`); `given` and `size` count rows and bytes so far."""

    def __init__(self, reading: Reading, batches: Iterator[Sequence[Row]], limit: int) -> None:
        super().__init__(reading, batches)
        self.columns = unique_names(reading.columns)
        self.header = ""
        self.notes: list[str] = []
        self.given = 0
        self.size = 0
        self._limit = limit

    def encode(self, raw: str) -> bytes:
        """The bytes of a row: a JSON object of its texts."""
        return raw.encode("utf-8", "surrogateescape")

    def chunks(self) -> Iterator[RowChunk]:
        """The rows in order; `failure` is set once the answer has ended too early."""
        waiting: list[Row] = []
        size, number = 0, 1
        for batch in self._batches():
            waiting += batch
            size += sum(len(cell) for row in batch for cell in row if cell is not None)
            if len(waiting) >= CHUNK_ROWS or size >= _CHUNK_CHARS:
                yield self._chunk(waiting, number)
                number += len(waiting)
                waiting, size = [], 0
        if waiting:
            yield self._chunk(waiting, number)

    def _chunk(self, rows: list[Row], first: int) -> RowChunk:
        numbers = list(range(first, first + len(rows)))
        self.given += len(rows)
        bad: list[BadRow] = []
        if any(_size(row) > self._limit for row in rows) or not (arrays := self._arrays(rows)):
            faults = [self._fault(row, number) for number, row in zip(numbers, rows, strict=True)]
            bad = [fault for fault in faults if fault is not None]
            kept = [at for at, fault in enumerate(faults) if fault is None]
            rows, numbers = [rows[at] for at in kept], [numbers[at] for at in kept]
            arrays = self._arrays(rows)
        table = pa.table(arrays, names=self.columns)
        self.size += table.nbytes + sum(len(row.raw) for row in bad)
        return RowChunk(table, numbers, _RawRows(self.columns, rows), bad)

    def _arrays(self, rows: Sequence[Row]) -> list[pa.Array]:
        """The columns; none if a text among them is not valid."""
        columns: Iterator[Sequence[str | None]] = zip(*rows, strict=True) if rows else iter([()] * len(self.columns))
        try:
            return [pa.array(column, pa.string()) for column in columns]
        except UnicodeEncodeError:
            return []

    def _fault(self, row: Row, number: int) -> BadRow | None:
        raw = json.dumps(dict(zip(self.columns, row, strict=True)), ensure_ascii=False, separators=(",", ":"))
        data = raw.encode("utf-8", "surrogateescape")
        if _size(row) > self._limit:
            record = Oversized(number, len(data), hashlib.sha256(data).hexdigest(), data[:HEAD_BYTES])
            return BadRow(number, "record is over the size limit", f"{len(data):,} bytes", record.head, record)
        try:
            data.decode()
        except UnicodeDecodeError:
            return BadRow(number, "not valid text", "bytes that are not UTF-8", data)
        return None


class SqlDocuments(_Ended):
    """Documents that stand in a column."""

    def __init__(self, reading: Reading, batches: Iterator[Sequence[Row]], column: int) -> None:
        super().__init__(reading, batches)
        self._column = column

    def lines(self) -> Iterator[bytes]:
        """NDJSON in blocks of whole lines; a null is a line `null`."""
        block = bytearray()
        for batch in self._batches():
            for row in batch:
                # A line break in JSON can only be white space between tokens.
                text = (row[self._column] or "null").replace("\n", " ").replace("\r", " ")
                block += text.encode("utf-8", "surrogateescape") + b"\n"
                if len(block) >= _BLOCK:
                    yield bytes(block)
                    block.clear()
        if block:
            yield bytes(block)


class _RawRows(Sequence[str]):
    """Each row as a JSON object, made when it is asked for."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self._columns = columns
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return _RawRows(self._columns, self._rows[at])
        return msgspec.json.encode(dict(zip(self._columns, self._rows[at], strict=True))).decode()


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that came before and a name for those that have none.

    >>> unique_names(["id", "text", "id", ""])
    ['id', 'text', 'id_2', 'column_4']
    """
    unique: list[str] = []
    for position, name in enumerate(names, 1):
        base = name.strip() or f"column_{position}"
        serial, given = 2, base
        while given in unique:
            given, serial = f"{base}_{serial}", serial + 1
        unique.append(given)
    return unique


def _size(row: Row) -> int:
    return sum(len(cell) for cell in row if cell is not None)


def _holds_documents(cells: Iterator[str | None]) -> bool:
    """Whether there are JSON objects among some cells, and nothing else but nulls."""
    shown = [cell for cell in cells if cell is not None]
    return bool(shown) and all(isinstance(_decoded(cell), dict) for cell in shown)


def _decoded(cell: str) -> Any:
    if not cell.lstrip().startswith("{"):
        return None
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
