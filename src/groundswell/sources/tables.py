"""Rows of a CSV or TSV file as Arrow chunks of text columns; rows of another width are set aside, not guessed.

Clean stretches go through Arrow's parser, everything doubtful row by row through Python's: a quote that is not
where a quote belongs, a row of another width, bytes that are no text. NumPy finds what is doubtful and where each
row begins, and so knows how many rows Arrow must give.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from groundswell.errors import UnreadableFileError
from groundswell.sources.blocks import Block, Found, Places
from groundswell.sources.compression import CutShortError
from groundswell.sources.containers import Container, text
from groundswell.sources.dialect import Dialect
from groundswell.sources.documents import HEAD_BYTES, Oversized
from groundswell.sources.encodings import raw_bytes, raw_text
from groundswell.sources.header import LOOKED_AT, TOTALS, Header, Oddities, find_header, unique_names
from groundswell.sources.row_chunks import CHUNK_ROWS, MISSING, BadRow, ChunkMaker, RowChunk, Rows
from groundswell.sources.rows import Broken, Row, RowParser
from groundswell.sources.stored import DEFAULT_LIMITS, Limits, Source

#: Bytes that are read at once, and of a large table: what follows a chunk costs the same for any size of it.
BLOCK: Final = 4 << 20
LARGEST_BLOCK: Final = 16 << 20
#: Bytes in which the rows of a block are found at once.
_WINDOW: Final = 256 << 10
#: Rows that are read one by one after a quote out of place; twice as many if the next one is as near.
_RUN: Final = 1
_LONGEST_RUN: Final = 1_024
_NEAR: Final = 50
#: What of a damaged file's end may be one row that the break went through, bytes.
_TORN: Final = 1 << 20
#: As they are written at the beginning of a row.
_TOTALS: Final = [
    f"{form(label)}{end}"
    for label in TOTALS
    for form in (str, str.title, str.upper, str.capitalize)
    for end in ("", ":")
]


class TableReader:
    """Reads one table of text. `columns` is its header: names are stripped, made unique, and given where missing.

    Raises:
        UnreadableFileError: it has more columns than `limits` allow.
    """

    def __init__(self, source: Source, container: Container, limit: int, limits: Limits = DEFAULT_LIMITS) -> None:
        self.notes: list[str] = []
        self._encoding = container.encoding
        self._dialect = container.dialect or Dialect(container.delimiter or ",")
        self._limit = limit
        self._failure: CutShortError | None = None
        self._text = text(source, container)
        self._buffer = b""
        self._at = 0
        self._ended = False
        self._block = BLOCK
        self._number = 0
        # The module's limit is one for the process; a cell is never longer than a record.
        csv.field_size_limit(max(limit, csv.field_size_limit()))
        self._parser = RowParser(self._dialect, self._encoding)
        self._fill()
        self._begin(container.has_header, limits)

    @property
    def failure(self) -> CutShortError | None:
        """Why the file could not be read to its end; null if it could."""
        return self._failure

    def encode(self, raw: str) -> bytes:
        """The bytes of a row as they stand in the file."""
        return raw_bytes(raw.rstrip("\r\n"), self._encoding)

    def chunks(self) -> Iterator[RowChunk]:
        """The rows in order; blank lines are no rows. `failure` is set once the file has ended too early."""
        while True:
            final = self._ended and self._failure is None
            chunk = ChunkMaker(self._number)
            used = self._read(chunk, final=final)
            passed = not used and len(self._buffer) > self._limit
            if passed:
                self._pass_over(chunk)
            self._number = chunk.number
            self._at += used
            self._buffer = self._buffer[used:]
            if chunk.number > chunk.first:
                yield chunk.finish(self.columns, self._encoding)
            if self._ended and not (self._buffer and (used or passed)):
                break
            self._fill()
        if self._failure is not None and len(self._buffer) > _TORN:
            yield from self._torn_rows()

    def _fill(self) -> None:
        parts, size = [self._buffer], 0
        while size < self._block and not self._ended:
            try:
                part = next(self._text)
            except StopIteration:
                self._ended = True
                break
            except CutShortError as error:
                self._failure, self._ended = error, True
                break
            parts.append(part)
            size += len(part)
        self._buffer = b"".join(parts)
        self._block = min(2 * self._block, LARGEST_BLOCK)

    def _begin(self, has_header: bool | None, limits: Limits) -> None:
        """Find the header and what the columns hold, and move behind the header."""
        at = 0
        if self._dialect.names_separator:
            at = self._parser.line_end(self._buffer, 0) or len(self._buffer)
        rows, ends, first = self._first_rows(at)
        if has_header and rows:
            header = Header(unique_names(rows[0]))
        else:
            header = find_header(rows) if rows else Header(["column_1"], is_written=False)
        if len(header.columns) > limits.columns:
            what = f"refused: the table has {len(header.columns):,} columns, and at most {limits.columns:,} are read"
            raise UnreadableFileError(what, hint="raise GROUNDSWELL_MAX_COLUMNS if it is meant to be so wide")
        self.columns = header.columns
        behind = (ends[header.above] if header.is_written else first[header.above]) if rows else at
        begin = first[header.above] if rows else at
        self.header = self._parser.text(self._buffer[begin:behind]) if header.is_written else self._written()
        body = [row for row in rows[header.above + header.is_written :] if len(row) == len(self.columns)]
        self._parser.learn(body, len(self.columns))
        self._oddities = Oddities(header, body)
        self._buffer, self._at = self._buffer[behind:], behind

    def _first_rows(self, at: int) -> tuple[list[list[str]], list[int], list[int]]:
        """The first rows, and where each ends and begins."""
        rows: list[list[str]] = []
        ends: list[int] = []
        begins: list[int] = []
        while at < len(self._buffer) and len(rows) <= LOOKED_AT:
            line_end = self._parser.line_end(self._buffer, at)
            if (line_end or len(self._buffer)) - at > self._limit:
                break
            row = self._parser.next(self._buffer, at, final=self._ended)
            if row is None:
                break
            if isinstance(row, Row) and row.cells:
                rows.append(row.cells)
                ends.append(row.end)
                begins.append(at)
            at = row.end
        return rows, ends, begins

    def _written(self) -> str:
        line = io.StringIO()
        csv.writer(line, delimiter=self._dialect.delimiter[0], lineterminator="").writerow(self.columns)
        return line.getvalue()

    def _read(self, chunk: ChunkMaker, *, final: bool) -> int:
        """Read the whole rows of the buffer into `chunk`; how many bytes they take."""
        chunk.data = self._buffer
        if not self._dialect.is_plain:
            return self._one_by_one(chunk, 0, len(self._buffer), final=final)
        block = Block(self._buffer, self._dialect, len(self.columns), self._parser.swallows, final=final)
        parts: list[tuple[int, Found]] = []
        at, run, window = 0, _RUN, _WINDOW
        while at < len(self._buffer):
            found = block.rows(at, window)
            parts.append((chunk.number, found))
            chunk.number += len(found.starts)
            before, at = at, found.stop
            if found.stuck:
                run = min(2 * run, _LONGEST_RUN) if len(found.starts) < _NEAR else _RUN
                at = self._one_by_one(chunk, at, run, final=final)
            if at == before:
                # No whole row in the window: a larger one, until it is all there is.
                if window > len(self._buffer):
                    break
                window *= 4
            elif window > _WINDOW:
                window = _WINDOW
        self._take(chunk, parts)
        return at

    def _take(self, chunk: ChunkMaker, parts: list[tuple[int, Found]]) -> None:
        """Rows whose places are known: the clean ones by Arrow, the doubtful ones one by one."""
        if not any(len(found.starts) for _, found in parts):
            return
        starts = np.concatenate([found.starts for _, found in parts])
        ends = np.concatenate([found.ends for _, found in parts])
        numbers = np.concatenate([np.arange(1, len(found.starts) + 1, dtype=np.int64) + at for at, found in parts])
        clean = ~np.concatenate([found.doubtful for _, found in parts]) & (ends - starts <= self._limit)
        table = self._parsed(chunk.data, starts[clean], ends[clean]) if clean.any() else None
        if table is None:
            clean = np.zeros_like(clean)
        else:
            odd = self._odd_rows(table)
            for place, reason in odd.items():
                chunk.ignored.setdefault(reason, []).append(int(numbers[clean][place]))
            keep = np.ones(table.num_rows, np.bool_)
            keep[list(odd)] = False
            rows = table if keep.all() else table.filter(pa.array(keep))
            chunk.add(rows, numbers[clean][keep], starts[clean][keep], ends[clean][keep])
        for place in np.flatnonzero(~clean).tolist():
            self._doubted(chunk, int(starts[place]), int(ends[place]), int(numbers[place]))

    def _parsed(self, data: bytes, starts: Places, ends: Places) -> pa.Table | None:
        """Clean rows by Arrow's parser; null if it does not find as many as there are."""
        joined = _joined(data, starts, ends)
        names = [str(at) for at in range(len(self.columns))]
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(joined),
                pa.csv.ReadOptions(use_threads=False, block_size=len(joined) + 64, column_names=names),
                pa.csv.ParseOptions(
                    delimiter=self._dialect.delimiter,
                    quote_char=self._dialect.quote or False,
                    newlines_in_values=True,
                ),
                pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=list(MISSING),
                    strings_can_be_null=True,
                    check_utf8=False,
                ),
            )
        except pa.ArrowException:
            return None
        return table.rename_columns(self.columns) if table.num_rows == len(starts) else None

    def _odd_rows(self, table: pa.Table) -> dict[int, str]:
        """Rows that are no records, by their place, and what they are."""
        found: set[int] = set()
        for at in range(min(3, table.num_columns)):
            values = pa.array([self.columns[at], *_TOTALS] if at == 0 else _TOTALS, pa.string())
            found |= set(pc.indices_nonzero(pc.is_in(pc.utf8_trim_whitespace(table.column(at)), values)).to_pylist())
        odd = {}
        for place in sorted(found):
            cells = [column[place].as_py() or "" for column in table.columns]
            if (reason := self._oddities.reason(cells)) is not None:
                odd[place] = reason
        return odd

    def _one_by_one(self, chunk: ChunkMaker, at: int, count: int, *, final: bool) -> int:
        """Read up to `count` rows by the parser; where the next begins."""
        torn = False
        for _ in range(count):
            if at >= len(chunk.data):
                break
            row = self._parser.next(chunk.data, at, final=final)
            if row is None and len(chunk.data) - at > self._limit and self._parser.line_end(chunk.data, at):
                row = self._parser.next(chunk.data, at, final=True)
            if row is None:
                break
            end = _without_line_end(chunk.data, at, row.end)
            if isinstance(row, Broken):
                chunk.number += 1
                letters = self._as_letters(chunk.data[at:end])
                if letters is None:
                    chunk.bad.append(self._broken(chunk, at, end))
                else:
                    self._judge(chunk, letters, at, end, chunk.number)
                torn = letters is None
            elif row.cells and end > at:
                chunk.number += 1
                torn = torn and len(row.cells) < len(self.columns)
                self._judge(chunk, row.cells, at, end, chunk.number, torn=torn)
            at = row.end
        return at

    def _as_letters(self, line: bytes) -> list[str] | None:
        """A broken line of a TSV, its quotes taken as letters, if it has as many fields as it should."""
        if self._dialect.delimiter != "\t":
            return None
        cells = self._parser.text(line).split("\t")
        return cells if len(cells) == len(self.columns) else None

    def _broken(self, chunk: ChunkMaker, at: int, end: int) -> BadRow:
        detail = "a quote that begins in this row is never closed"
        return self._bad(chunk.number, "a quote is never closed", detail, chunk.data[at:end], at)

    def _doubted(self, chunk: ChunkMaker, start: int, end: int, number: int) -> None:
        if end - start > self._limit:
            chunk.bad.append(self._bad(number, "", "", chunk.data[start:end], start))
            return
        row = self._parser.next(chunk.data[start:end], 0, final=True)
        cells = row.cells if isinstance(row, Row) else []
        self._judge(chunk, cells, start, end, number)

    def _judge(
        self, chunk: ChunkMaker, cells: list[str], start: int, end: int, number: int, *, torn: bool = False
    ) -> None:
        """Take a row, or set it aside."""
        width = len(self.columns)
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]
        raw = chunk.data[start:end]
        wrong: tuple[str, str] | None = None
        if end - start > self._limit:
            wrong = ("", "")
        elif not cells or torn:
            wrong = "a quote is never closed", "a part of a row whose quote is never closed"
        elif len(cells) > width:
            what = f"row has {len(cells)} fields, header has {width}"
            wrong = "row has more fields than the header", what
        elif b"\0" in raw:
            wrong = "not valid text", "a NUL byte"
        elif not _is_text(raw):
            wrong = "not valid text", f"bytes that are not {self._encoding}"
        if wrong is not None:
            chunk.bad.append(self._bad(number, *wrong, raw, start))
        elif (reason := self._oddities.reason(cells)) is not None:
            chunk.ignored.setdefault(reason, []).append(number)
        else:
            chunk.add_row(cells + [""] * (width - len(cells)), number, start, end)

    def _bad(self, number: int, reason: str, detail: str, raw: bytes, start: int) -> BadRow:
        if len(raw) > self._limit:
            digest = hashlib.sha256(raw).hexdigest()
            return _oversized(number, Oversized(self._at + start, len(raw), digest, raw[:HEAD_BYTES]))
        return BadRow(number, reason, detail, self.encode(raw_text(raw, self._encoding)))

    def _pass_over(self, chunk: ChunkMaker) -> None:
        """Describe a line over the limit without holding it; what is left of the buffer begins behind it."""
        digest, head, length, start = hashlib.sha256(), b"", 0, self._at
        newline = self._dialect.newline.encode()
        while True:
            part, end, rest = self._buffer.partition(newline)
            part = part.removesuffix(b"\r") if end else part
            head += part[: HEAD_BYTES - len(head)] if len(head) < HEAD_BYTES else b""
            digest.update(part)
            length += len(part)
            self._at += len(part) + len(end)
            self._buffer = rest
            if end or self._ended:
                break
            self._fill()
        chunk.data = b""
        chunk.number += 1
        chunk.bad.append(_oversized(chunk.number, Oversized(start, length, digest.hexdigest(), head)))

    def _torn_rows(self) -> Iterator[RowChunk]:
        """What a damaged file held after a quote that was never closed."""
        chunk = ChunkMaker(self._number)
        self._buffer = self._buffer[: self._buffer.rfind(self._dialect.newline.encode()) + 1]
        self._read(chunk, final=True)
        if chunk.number > chunk.first:
            yield chunk.finish(self.columns, self._encoding)


def _joined(data: bytes, starts: Places, ends: Places) -> bytes | memoryview:
    """The rows of these places, one after another with their line ends."""
    apart = np.flatnonzero(starts[1:] > ends[:-1] + 2)
    view = memoryview(data)
    if not len(apart):
        return view[int(starts[0]) : int(ends[-1])]
    firsts = starts[np.concatenate(([0], apart + 1))].tolist()
    lasts = ends[np.concatenate((apart, [len(ends) - 1]))].tolist()
    return b"\n".join(view[first:last] for first, last in zip(firsts, lasts, strict=True))


def _without_line_end(data: bytes, start: int, end: int) -> int:
    while end > start and data[end - 1] in b"\r\n":
        end -= 1
    return end


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _oversized(number: int, record: Oversized) -> BadRow:
    detail = f"{record.length:,} bytes in one line"
    return BadRow(number, "record is over the size limit", detail, record.head, record)


__all__ = ["CHUNK_ROWS", "BadRow", "RowChunk", "Rows", "TableReader"]
