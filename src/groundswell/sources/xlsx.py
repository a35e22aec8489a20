"""Excel workbooks: each sheet a table of text of its own, read row by row; dates and numbers as they were meant."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any, BinaryIO, Final, cast

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from groundswell.sources.compression import BombError, CutShortError
from groundswell.sources.files import SourceFile
from groundswell.sources.header import LOOKED_AT, Oddities, find_header
from groundswell.sources.parquet import csv_line, rounded_note
from groundswell.sources.row_chunks import CHUNK_ROWS, BadRow, RowChunk, text_table
from groundswell.sources.stored import Limits, MiB

#: Texts that the sheets share are held in memory.
_SHARED: Final = 512 * MiB
#: Rows that a sheet can have.
_LAST_ROW: Final = 1_048_576
#: Digits that Excel keeps of a number.
_DIGITS: Final = 15
_FAULTS: Final = (
    zipfile.BadZipFile,
    InvalidFileException,
    SyntaxError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    OSError,
    EOFError,
    zlib.error,
    RuntimeError,  # encryption and other ways of packing that zipfile does not know
)


def sheets(file: SourceFile, archive: zipfile.ZipFile, limits: Limits) -> Iterator[SourceFile]:
    """The sheets of a workbook that hold something, each a file; valid while the archive is open."""
    refused = _refusal(archive, limits)
    if refused is not None:
        yield replace(file, refused=refused)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            workbook = openpyxl.load_workbook(
                cast(BinaryIO, archive.fp), read_only=True, data_only=True, keep_links=False
            )
    except _FAULTS as error:
        yield replace(file, refused=f"the workbook is damaged ({_said(error)})")
        return
    found = False
    for sheet in workbook.worksheets:
        rows = SheetRows(sheet, limits)
        if not rows.is_empty:
            found = True
            name = f"{file.name}::{sheet.title}"
            stamp = f"{file.identity}::{sheet.title}"
            yield replace(file, name=name, table=rows.opened, stamp=stamp, refused=rows.refused)
    if not found:
        yield replace(file, refused="the workbook holds no rows")


def _refusal(archive: zipfile.ZipFile, limits: Limits) -> str | None:
    """Why a workbook is not opened: it unpacks to far too much, or defines entities, as no spreadsheet does."""
    infos = archive.infolist()
    total, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if total > limits.unpacked or (total > limits.floor and total > limits.ratio * max(packed, 1)):
        return str(BombError(limits.ratio, 0))
    for info in infos:
        if info.flag_bits & 1:
            return "refused: the workbook is encrypted; save it without a password"
        if info.filename == "xl/sharedStrings.xml" and info.file_size > _SHARED:
            return f"refused: its texts take {info.file_size:,} bytes, which would all be held; save it as CSV"
        if info.filename.endswith((".xml", ".rels")):
            try:
                with archive.open(info) as part:
                    head = part.read(4096).replace(b"\0", b"")
            except _FAULTS as error:
                return f"the workbook is damaged ({_said(error)})"
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                return "refused: it defines XML entities, as no spreadsheet does"
    return None


class SheetRows:
    """One sheet as a table of text; see `tables.Rows`."""

    def __init__(self, sheet: Any, limits: Limits) -> None:
        self._sheet = sheet
        self.columns: list[str] = []
        self.header = ""
        self.notes: list[str] = []
        self.refused: str | None = None
        self._failure: CutShortError | None = None
        self._limit = 0
        first = list(islice(self._texts(_Numbers()), LOOKED_AT + 1))
        self.is_empty = not first and self._failure is None
        if self._failure is not None and not first:
            self.refused = str(self._failure)
        found = find_header(first)
        self.columns = found.columns
        if len(self.columns) > limits.columns:
            self.refused = (
                f"refused: the sheet has {len(self.columns):,} columns, and at most {limits.columns:,} are read"
            )
        self._skip = found.above + found.is_written
        self.header = csv_line(self.columns)
        self._oddities = Oddities(found, [row for row in first[self._skip :] if len(row) == len(self.columns)])
        self._numbers = _Numbers(first)

    def opened(self, limit: int) -> SheetRows:
        """The rows from the first on, none larger than `limit` bytes."""
        self._limit = limit
        return self

    @property
    def failure(self) -> CutShortError | None:
        """Why it could not be read to its end; null if it could."""
        return self._failure

    def encode(self, raw: str) -> bytes:
        """The bytes of a row's text."""
        return raw.encode()

    def chunks(self) -> Iterator[RowChunk]:
        """The rows in order; blank ones are no rows."""
        chunk, cells = RowChunk(text_table(self.columns, [])), list[list[str]]()
        self._failure = None
        for number, row in enumerate(islice(self._texts(self._numbers), self._skip, None), 1):
            self._take(chunk, cells, row, number)
            if len(cells) >= CHUNK_ROWS or len(chunk.bad) >= CHUNK_ROWS:
                yield self._finished(chunk, cells)
                chunk, cells = RowChunk(text_table(self.columns, [])), []
        if cells or chunk.bad or chunk.ignored:
            yield self._finished(chunk, cells)
        self.notes = [
            rounded_note(self.columns[at], count)
            for at, count in sorted(self._numbers.rounded.items())
            if at < len(self.columns)
        ]

    def _take(self, chunk: RowChunk, cells: list[list[str]], row: list[str], number: int) -> None:
        width = len(self.columns)
        if (reason := self._oddities.reason(row)) is not None:
            chunk.ignored.setdefault(reason, []).append(number)
        elif len(row) > width:
            what = f"row has {len(row)} fields, header has {width}"
            chunk.bad.append(BadRow(number, "row has more fields than the header", what, csv_line(row).encode()))
        else:
            cells.append(row + [""] * (width - len(row)))
            chunk.numbers.append(number)

    def _finished(self, chunk: RowChunk, cells: list[list[str]]) -> RowChunk:
        chunk.rows = text_table(self.columns, cells)
        chunk.raw = _Lines(cells)
        return chunk

    def _texts(self, numbers: _Numbers) -> Iterator[list[str]]:
        """Rows that hold something, as text, without the empty cells at their end."""
        self._sheet.reset_dimensions()
        rows = self._sheet.rows
        at = 0
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    row = next(rows, None)
            except _FAULTS as error:
                self._failure = CutShortError(f"the sheet is damaged ({_said(error)})", at)
                return
            at += 1
            if row is None:
                return
            if at > _LAST_ROW:
                what = f"the sheet claims more than {_LAST_ROW:,} rows, which no sheet has"
                self._failure = CutShortError(what, at)
                return
            texts = [numbers.text(cell, place) for place, cell in enumerate(row)]
            while texts and not texts[-1]:
                texts.pop()
            if texts:
                yield texts


class _Lines(Sequence[str]):
    """Rows of cells as lines of CSV, made when they are asked for."""

    def __init__(self, cells: list[list[str]]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, at: Any) -> Any:
        return [csv_line(row) for row in self._cells[at]] if isinstance(at, slice) else csv_line(self._cells[at])


@dataclass
class _Numbers:
    """Cells as text. `rounded` counts, by column from 0, the whole numbers that have lost digits.

    `seen` are the first rows: a column in which a long number ends in digits other than 0 was not typed into Excel.
    """

    seen: Sequence[Sequence[str]] = ()
    rounded: dict[int, int] = field(default_factory=dict)
    _exact: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for at, text in chain.from_iterable(map(enumerate, self.seen)):
            if len(text) > _DIGITS and text.isdigit() and not _is_rounded(int(text)):
                self._exact.add(at)

    def text(self, cell: Any, place: int) -> str:
        """A cell as text, empty where it holds nothing."""
        value = cell.value
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return self._number(value, place)
        return _moment(value, cell)

    def _number(self, value: float, place: int) -> str:
        if isinstance(value, float):
            if value % 1 != 0:
                return repr(value)
            if abs(value) < 10**_DIGITS:
                return str(int(value))
        elif abs(value) < 10**_DIGITS or place in self._exact or not _is_rounded(value):
            return str(value)
        self.rounded[place] = self.rounded.get(place, 0) + 1
        return f"{value:.{_DIGITS}e}"


def _is_rounded(number: int) -> bool:
    """Whether a whole number has no more digits than Excel keeps, and zeros behind them."""
    digits = str(abs(number))
    return not digits[_DIGITS:].strip("0")


def _moment(value: Any, cell: Any) -> str:
    if isinstance(value, datetime):
        is_day = value.time() == time() and "h" not in str(cell.number_format).lower()
        return value.date().isoformat() if is_day else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)


def _said(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
