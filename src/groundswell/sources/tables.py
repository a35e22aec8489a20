"""Rows of a CSV or TSV file as Arrow chunks of text columns; rows of another width are set aside, not guessed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from groundswell.sources.compression import CutShortError, content
from groundswell.sources.containers import Container
from groundswell.sources.documents import HEAD_BYTES, Oversized

CHUNK_ROWS: Final = 16_384
_CHUNK_CHARS: Final = 32 << 20
#: Cells that say that nothing is there: empty, or a spreadsheet's word for it.
_MISSING: Final = frozenset({"", "#N/A"})


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no row of this table: its number from 1 (the header is none) and what is wrong."""

    number: int
    reason: str
    detail: str
    raw: bytes
    oversized: Oversized | None = None


@dataclass(slots=True)
class RowChunk:
    """Some rows in order: the columns as text (an empty cell is null), their numbers and their text."""

    rows: pa.Table
    numbers: list[int] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


class TableReader:
    """Reads one table. `columns` is its header: names are stripped, made unique, and given where missing."""

    def __init__(self, path: Path, container: Container, limit: int) -> None:
        self._container = container
        self._encoding = container.encoding
        self._limit = limit
        self._lines = _Lines(path, container, limit)
        # The module's limit is one for the process; a cell is never longer than a record.
        csv.field_size_limit(limit)
        header = next(self._reader(), [])
        self.header = "".join(self._lines.taken)
        self._lines.taken.clear()
        self.columns = _names(header)

    @property
    def failure(self) -> CutShortError | None:
        """Why the file could not be read to its end; null if it could."""
        return self._lines.failure

    def encode(self, raw: str) -> bytes:
        """The bytes of a row as they stand in the file."""
        encoding = "utf-8" if self._encoding == "utf-8-sig" else self._encoding
        return raw.rstrip("\r\n").encode(encoding, "surrogateescape")

    def chunks(self) -> Iterator[RowChunk]:
        """The rows in order; blank lines are no rows. `failure` is set once the file has ended too early."""
        rows: list[list[str]] = []
        chunk = RowChunk(pa.table({}))
        size = 0
        for number, (row, raw) in enumerate(self._rows(), 1):
            wrong = self._wrong(row, raw)
            if isinstance(row, Oversized):
                chunk.bad.append(_oversized(number, row))
            elif wrong is not None:
                chunk.bad.append(BadRow(number, *wrong, raw=self.encode(raw)))
            else:
                rows.append(row)
                chunk.numbers.append(number)
                chunk.raw.append(raw)
                size += len(raw)
            if len(rows) >= CHUNK_ROWS or size >= _CHUNK_CHARS or len(chunk.bad) >= CHUNK_ROWS:
                chunk.rows = self._table(rows)
                yield chunk
                rows, chunk, size = [], RowChunk(pa.table({})), 0
        if rows or chunk.bad:
            chunk.rows = self._table(rows)
            yield chunk

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=self._container.delimiter or ",")

    def _rows(self) -> Iterator[tuple[list[str] | Oversized, str]]:
        lines = self._lines
        reader = self._reader()
        while True:
            try:
                row = next(reader, None)
            except csv.Error:
                # Mostly a quote that is never closed: the line is bad, what it swallowed is not.
                reader = self._reader()
                yield [], lines.give_back()
                continue
            while lines.oversized:
                yield lines.oversized.popleft(), ""
            if row is None:
                return
            spans = len(lines.taken)
            raw = "".join(lines.taken)
            if lines.ended and raw.count('"') % 2 and (spans > 1 or lines.failure is not None):
                if lines.failure is not None:
                    return  # the break in the file went through this row
                reader = self._reader()
                yield [], lines.give_back()
                continue
            lines.taken.clear()
            if row:
                yield row, raw

    def _wrong(self, row: list[str] | Oversized, raw: str) -> tuple[str, str] | None:
        if isinstance(row, Oversized):
            return None
        if not row:
            return "a quote is never closed", "a quote that begins in this row is never closed"
        if len(row) > len(self.columns):
            what = f"row has {len(row)} fields, header has {len(self.columns)}"
            return "row has more fields than the header", what
        if not raw.isascii() and any("\ud800" <= letter <= "\udfff" for letter in raw):
            return "not valid text", f"bytes that are not {self._encoding}"
        return None

    def _table(self, rows: Sequence[list[str]]) -> pa.Table:
        width = len(self.columns)
        padded = [row if len(row) == width else row + [""] * (width - len(row)) for row in rows]
        columns = zip(*padded, strict=True) if padded else ([] for _ in self.columns)
        arrays = [pa.array([None if cell in _MISSING else cell for cell in column], pa.string()) for column in columns]
        return pa.table(arrays, names=self.columns)


def _oversized(number: int, record: Oversized) -> BadRow:
    detail = f"{record.length:,} bytes in one line"
    return BadRow(number, "record is over the size limit", detail, record.head, record)


def _names(header: Sequence[str]) -> list[str]:
    names: list[str] = []
    for position, cell in enumerate(header, 1):
        name = cell.strip().lstrip("\ufeff").strip() or f"column_{position}"
        serial = 2
        unique = name
        while unique in names:
            unique, serial = f"{name}_{serial}", serial + 1
        names.append(unique)
    return names


class _Lines:
    """Lines of text for the CSV reader; remembers those that the current row took."""

    def __init__(self, path: Path, container: Container, limit: int) -> None:
        self.taken: list[str] = []
        self.oversized: deque[Oversized] = deque()
        self.ended = False
        self._again: deque[str] = deque()
        self._limit = limit
        self._at = 0
        self._stream = _Stream(path)
        self._text = io.TextIOWrapper(
            io.BufferedReader(self._stream, 1 << 20), container.encoding, errors="surrogateescape", newline=""
        )

    @property
    def failure(self) -> CutShortError | None:
        return self._stream.failure

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            self.ended = True
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back(self) -> str:
        """The first line of the row that went wrong; the others will be read again."""
        first, *others = self.taken or [""]
        self._again.extendleft(reversed(others))
        self.taken = []
        self.ended = False
        return first

    def _read(self) -> str:
        line = self._text.readline(self._limit)
        while len(line) >= self._limit and not line.endswith(("\n", "\r")):
            self._skip(line)
            line = self._text.readline(self._limit)
        if self.failure is not None and not line.endswith("\n"):
            return ""  # the break in the file went through this line
        self._at += len(line)
        return line

    def _skip(self, part: str) -> None:
        digest = hashlib.sha256()
        head, length, start = b"", 0, self._at
        while part:
            raw = part.rstrip("\r\n").encode("utf-8", "surrogateescape")
            head = head + raw[: HEAD_BYTES - len(head)] if len(head) < HEAD_BYTES else head
            length += len(raw)
            digest.update(raw)
            self._at += len(part)
            part = "" if part.endswith("\n") else self._text.readline(self._limit)
        self.oversized.append(Oversized(start, length, digest.hexdigest(), head))


class _Stream(io.RawIOBase):
    """The decompressed content of a file; ends quietly where it is damaged and keeps the reason."""

    def __init__(self, path: Path) -> None:
        self.failure: CutShortError | None = None
        self._chunks = content(path)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
            except CutShortError as error:
                self.failure = error
                return 0
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
