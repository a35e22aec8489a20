"""Some rows of a table in order, whatever it is read from, and what every reader of tables gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, overload

import numpy as np
import pyarrow as pa

from groundswell.errors import UnreadableFileError
from groundswell.sources.blocks import Places
from groundswell.sources.documents import Oversized
from groundswell.sources.encodings import raw_text

#: Rows that a reader gives at once where it counts rows.
CHUNK_ROWS: Final = 16_384
#: Cells that say that nothing is there: empty, or a spreadsheet's word for it.
MISSING: Final = ("", "#N/A")


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
    """Some rows in order: the columns as text (an empty cell is null), their numbers and their text.

    `raw` may be made when it is asked for: take what is needed. `ignored` has the numbers of rows that are no
    records (the header once more, a row of totals) by what they are.
    """

    rows: pa.Table
    numbers: list[int] = field(default_factory=list)
    raw: Sequence[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    ignored: dict[str, list[int]] = field(default_factory=dict)


class Rows(Protocol):
    """A table that is read in chunks: of a text, a sheet, a Parquet file, a database.

    `header` is the text of the header that a retry puts above a row's raw text; `notes` are sentences for people,
    complete once the chunks are exhausted.
    """

    columns: list[str]
    header: str
    notes: list[str]

    @property
    def failure(self) -> UnreadableFileError | None:
        """Why it could not be read to its end; null if it could."""
        ...

    def encode(self, raw: str) -> bytes:
        """The bytes of a row's text."""
        ...

    def chunks(self) -> Iterator[RowChunk]:
        """The rows in order."""
        ...


@dataclass
class ChunkMaker:
    """A chunk while it is read; `first` is the number of the row before it."""

    first: int
    number: int = field(init=False)
    data: bytes = b""
    bad: list[BadRow] = field(default_factory=list)
    ignored: dict[str, list[int]] = field(default_factory=dict)
    _tables: list[pa.Table] = field(default_factory=list)
    _places: list[tuple[Places, Places, Places]] = field(default_factory=list)
    _single: list[tuple[list[str], int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.number = self.first

    def add(self, rows: pa.Table, numbers: Places, starts: Places, ends: Places) -> None:
        """Rows that were read together."""
        self._tables.append(rows)
        self._places.append((numbers, starts, ends))

    def add_row(self, cells: list[str], number: int, start: int, end: int) -> None:
        """A row that was read by itself."""
        self._single.append((cells, number, start, end))

    def finish(self, columns: list[str], encoding: str) -> RowChunk:
        """The chunk, its rows in order."""
        if self._single:
            cells, *places = zip(*self._single, strict=True)
            self._tables.append(text_table(columns, cells))
            numbers, starts, ends = (np.array(place, dtype=np.int64) for place in places)
            self._places.append((numbers, starts, ends))
        if not self._tables:
            return RowChunk(text_table(columns, []), [], [], self.bad, self.ignored)
        numbers, starts, ends = (np.concatenate(parts) for parts in zip(*self._places, strict=True))
        rows = pa.concat_tables(self._tables) if len(self._tables) > 1 else self._tables[0]
        if len(self._tables) > 1:
            order = np.argsort(numbers, kind="stable")
            numbers, starts, ends = numbers[order], starts[order], ends[order]
            rows = rows.combine_chunks().take(pa.array(order))
        self.bad.sort(key=lambda bad: bad.number)
        return RowChunk(rows, numbers.tolist(), RawRows(self.data, starts, ends, encoding), self.bad, self.ignored)


class RawRows(Sequence[str]):
    """The texts of rows, made when they are asked for."""

    def __init__(self, data: bytes, starts: Places, ends: Places, encoding: str) -> None:
        self._data = data
        self._starts = starts
        self._ends = ends
        self._encoding = encoding

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return raw_text(self._data[int(self._starts[at]) : int(self._ends[at])], self._encoding)


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.Table:
    """Rows of text cells as a table; what says that nothing is there is null."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    arrays = [pa.array([None if cell in MISSING else cell for cell in column], pa.string()) for column in cells]
    return pa.table(arrays, names=list(columns))
