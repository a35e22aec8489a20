"""The records of one file, whatever its container, read by the layouts that fit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol

from groundswell.errors import UnreadableFileError
from groundswell.importing.choice import AGREE, SAMPLE, SMALL, Chooser
from groundswell.importing.databases import Sampled
from groundswell.importing.looking import EMPTY_ANSWER
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, Reached, Read
from groundswell.importing.refusals import Rejection, decode
from groundswell.sources.ahead import ahead
from groundswell.sources.compression import Compression, CutShortError
from groundswell.sources.containers import Container, Form, detect, text
from groundswell.sources.databases import Database, DocumentAnswer, Mark
from groundswell.sources.documents import HEAD_BYTES, Element, Oversized, Splitter
from groundswell.sources.files import SourceFile
from groundswell.sources.lines import LongLine, Piece, pieces, spill_elements
from groundswell.sources.sql import SqlRows
from groundswell.sources.stored import DEFAULT_LIMITS, Limits, Source
from groundswell.sources.tables import RowChunk, Rows, TableReader

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout

_SAMPLE_BYTES: Final = 8 << 20
#: A table of more bytes is read and mapped and derived at the same time; so many chunks of it may wait.
_LARGE_TABLE: Final = 8 << 20
_CHUNKS_AHEAD: Final = 2
#: A document of at most so many bytes is looked at whole before it is cut into records.
_WHOLE_BYTES: Final = 4 << 20


#: Endings of files that are not read as they are, and what may be found under them.
_PACKED: Final = frozenset((".zip", ".gz", ".zst", ".bz2", ".xz", ".tar", ".tgz", ".xlsx", ".xls", ".parquet"))
_FORMS: Final = {
    Form.NDJSON: "plain JSON",
    Form.JSON: "plain JSON",
    Form.TABLE: "a plain table",
    Form.TEXT: "plain text",
    Form.BINARY: "binary and of no kind that is known",
}


class Watcher(Protocol):
    """Is told what is read before its records come."""

    def begin(self, file: SourceFile, container: Container | None, position: int) -> None:
        """Reading begins at this place of the content."""

    def sample(self, layout: Layout, records: list[dict[str, Any]]) -> None:
        """The layout of the file, and the records that it was chosen by."""


@dataclass
class FileReading:
    """Reads one file. After `reads` is exhausted, `error` says why the file could not be read to its end.

    `start` is where to go on in a file of which the beginning was read before; `stride` how many bytes of text are
    between the places where an import may commit (0: there are none). `hint` is what a retry needs besides
    the raw bytes (a table's header). `after` is how far the cursor column of a database was read before, `mark` how
    far it is now, and `size` the bytes that it answered.
    """

    file: SourceFile
    reader: Reader
    limit: int
    strict: bool = False
    start: Reached | None = None
    watcher: Watcher | None = None
    stride: int = 0
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    limits: Limits = DEFAULT_LIMITS
    hint: dict[str, Any] = field(default_factory=dict)
    after: Mark | None = None
    mark: Mark | None = None
    size: int = 0

    @property
    def chooser(self) -> Chooser:
        """Chooses the layouts."""
        return self.reader.chooser

    def reads(self) -> Iterator[Read]:
        """What becomes of each record, and the places up to which all have been given.

        Raises:
            LineCountError: the engine lost count; read again with `strict`.
            GroundswellError: the column map does not fit the file.
        """
        if self.file.refused is not None:
            self.error = self.file.refused
            return
        if self.file.table is not None:
            yield from self._of_table(self.file.table)
            return
        if self.file.database is not None:
            yield from self._of_database(self.file.database)
            return
        try:
            container = detect(self.file.stored)
        except OSError as error:
            self.error = f"cannot be opened ({error.strerror or error})"
            return
        odd = _misnamed(self.file.name, container)
        self.notes += odd
        yield from self._of_container(container)
        if self.error is not None and odd:
            self.error = f"{self.error}; {odd[0]}"

    def _of_container(self, container: Container) -> Iterator[Read]:
        if container.form is Form.EMPTY:
            self.error = "the file is empty"
        elif container.form is Form.BINARY:
            self.error = "neither JSON nor a table: the content is binary"
        elif container.form is Form.TEXT:
            self.error = "neither JSON nor a table: the content is running text"
        else:
            yield from self._by_form(container)

    def _by_form(self, container: Container) -> Iterator[Read]:
        read = {Form.NDJSON: self._lines, Form.JSON: self._document, Form.TABLE: self._table}[container.form]
        if self.watcher is not None:
            start = self.start or Reached(0, 1, 0)
            self.watcher.begin(self.file, container, start.line if container.form is Form.TABLE else start.offset)
        try:
            yield from read(container)
        except UnreadableFileError as error:
            self.error = str(error)

    def _of_table(self, opened: Callable[[int], Rows]) -> Iterator[Read]:
        """The rows of a sheet or of a Parquet file."""
        try:
            table = opened(self.limit)
            if self.watcher is not None:
                self.watcher.begin(self.file, None, 1 if self.start is None else self.start.line)
            self.hint = {"header": table.header, "delimiter": ",", "encoding": "utf-8"}
            yield from self._rows(table)
        except UnreadableFileError as error:
            self.error = str(error)

    def _of_database(self, database: Database) -> Iterator[Read]:
        """What a database answers. Its rows have no lasting order, so nothing is gone on from in their middle."""
        with closing(database.read(self.after, self.limit)) as answer:
            if self.watcher is not None:
                self.watcher.begin(self.file, None, 1)
            for read in self._rows_of(answer) if isinstance(answer, SqlRows) else self._documents_of(answer):
                if not isinstance(read, Reached):
                    yield read
            self.error = self.error or (None if answer.failure is None else str(answer.failure))
            self.mark = answer.mark

    def _rows_of(self, answer: SqlRows) -> Iterator[Read]:
        try:
            yield from self._rows(answer)
        except UnreadableFileError as error:
            self.error = str(error)
        self.size = answer.size
        if not answer.given and answer.failure is None:
            self.error = None  # nothing (new) is no fault of a database

    def _documents_of(self, answer: DocumentAnswer) -> Iterator[Read]:
        documents = Sampled(answer)
        yield from self._pieces(documents.pieces(self.limit, self.reader.tmp), self._chosen(documents.first))
        self.size = documents.size

    def _lines(self, container: Container) -> Iterator[Read]:
        layout = self._chosen(_first_records(self.file.stored, container))
        start = None if self.start is None else (self.start.offset, self.start.line)
        yield from self._pieces(pieces(self.file.stored, container, self.limit, self.reader.tmp, start), layout)

    def _pieces(self, parts: Iterable[Piece | LongLine], layout: Layout | None) -> Iterator[Read]:
        """What becomes of the records of pieces; a border after every `stride` bytes, which is the same every time."""
        last = 0 if self.start is None else self.start.offset
        for part in parts:
            if isinstance(part, LongLine):
                at = part.record.offset
                if self.stride and at - last >= self.stride:
                    yield Reached(at, part.line, at - last)
                    last = at
                yield [Rejection.too_long(part.line, part.record)]
                continue
            bounded = replace(part, border=last + self.stride, stride=self.stride) if self.stride else part
            try:
                for read in self.reader.read_piece(bounded, layout, strict=self.strict):
                    if isinstance(read, Reached):
                        yield replace(read, size=read.offset - last)
                        last = read.offset
                    else:
                        yield read
            finally:
                part.remove()

    def _document(self, container: Container) -> Iterator[Read]:
        chunks = text(self.file.stored, container)
        beginning, whole = _up_to(chunks, min(_WHOLE_BYTES, self.limit))
        record = decode(beginning)[0] if whole else None
        splitter = Splitter(self.chooser.unwraps(), self.limit, sequence=container.sequence)
        failure: Exception | None = None
        if record is not None and self.chooser.is_whole(record):
            elements: Iterator[Element | Oversized] = iter([Element(0, beginning.strip())])
            first = list(elements)
        else:
            elements = splitter.records(chain((beginning,), chunks))
            first, failure = _take(elements, SAMPLE)
            if not splitter.found:
                if failure is not None:
                    raise failure
                first = [_whole(self.file.stored, container, self.limit)]
                elements = iter(())
            elif not first and failure is None:
                yield Ignored(None, EMPTY_ANSWER, [1])
        decoded = (decode(element.raw)[0] for element in first if isinstance(element, Element))
        layout = self._chosen([record for record in decoded if record is not None])
        begin = self.start or Reached(0, 1, 0)
        every = chain(first, elements if failure is None else ())
        rest = (element for element in every if element.offset >= begin.offset)
        yield from self._pieces(spill_elements(rest, self.reader.tmp, begin.line), layout)
        if failure is not None:
            raise failure

    def _table(self, container: Container) -> Iterator[Read]:
        table = TableReader(self.file.stored, container, self.limit, self.limits)
        self.hint = container.hint(table.header)
        yield from self._rows(table)

    def _rows(self, table: Rows) -> Iterator[Read]:
        begun: list[RowChunk] = []
        steps = self._row_steps(table, begun)
        yield from self.reader.read_table(steps) if self.file.size > _LARGE_TABLE else (step() for step in steps)
        self.notes += table.notes
        if table.failure is not None:
            raise table.failure
        if not begun:
            self.error = self.error or "the table has a header but no rows"

    def _row_steps(self, table: Rows, begun: list[RowChunk]) -> Iterator[Callable[[], Read]]:
        """What is to be done for each chunk; the first that has rows goes into `begun`."""
        layout: Layout | None = None
        for chunk in ahead(table.chunks(), _CHUNKS_AHEAD) if self.file.size > _LARGE_TABLE else table.chunks():
            if not begun and (chunk.rows.num_rows or not chunk.bad):
                layout = self._chosen(chunk.rows.slice(0, SAMPLE).to_pylist(), table.columns)
                layout = self.chooser.refitted(layout, table.columns, chunk.rows)
                begun.append(chunk)
            ignored = (number for numbers in chunk.ignored.values() for number in numbers[-1:])
            last = max([*chunk.numbers[-1:], *(bad.number for bad in chunk.bad[-1:]), *ignored], default=0)
            if self.start is not None and last < self.start.line:
                continue
            yield from self.reader.row_steps(chunk, table, layout)
            size = chunk.rows.nbytes + sum(len(bad.raw) for bad in chunk.bad)
            yield partial(Reached, last + 1, last + 1, size)

    def _chosen(self, records: list[dict[str, Any]], columns: list[str] | None = None) -> Layout | None:
        """The layout of the file by its first records."""
        agree = 1 if self.file.is_plain and self.file.size <= SMALL else AGREE
        layout = self.chooser.for_sample(records, columns, agree)
        if layout is not None and self.watcher is not None:
            self.watcher.sample(layout, records)
        return layout


def _misnamed(name: str, container: Container) -> list[str]:
    """What to say of a file whose name promises a packed one, or another kind, than it holds."""
    ending = PurePath(name).suffix.lower()
    if container.form is Form.EMPTY or container.compression is not Compression.NONE or ending not in _PACKED:
        return []
    return [f"the name says {ending}, but the content is {_FORMS[container.form]}, and is read as what it is"]


def _first_records(source: Source, container: Container) -> list[dict[str, Any]]:
    """The first valid records of an NDJSON file."""
    records: list[dict[str, Any]] = []
    carry = b""
    seen = 0
    try:
        for chunk in chain(text(source, container), (b"\n",)):
            seen += len(chunk)
            *lines, carry = (carry + chunk).split(b"\n")
            decoded = (decode(line)[0] for line in lines if line.strip())
            records += [record for record in islice(decoded, SAMPLE) if record is not None]
            if len(records) >= SAMPLE or seen >= _SAMPLE_BYTES:
                break
    except CutShortError:
        pass  # told when the lines are read
    return records[:SAMPLE]


def _up_to(chunks: Iterator[bytes], most: int) -> tuple[bytes, bool]:
    """The beginning of some chunks, and whether that is all of them."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            return b"".join(parts), False
    return b"".join(parts), True


def _take(elements: Iterator[Element | Oversized], count: int) -> tuple[list[Element | Oversized], Exception | None]:
    """The first elements, and what went wrong after them."""
    first: list[Element | Oversized] = []
    size = 0
    try:
        for element in islice(elements, count):
            first.append(element)
            size += len(element.raw) if isinstance(element, Element) else 0
            if size > _SAMPLE_BYTES:
                break
    except UnreadableFileError as error:
        return first, error
    return first, None


def _whole(source: Source, container: Container, limit: int) -> Element | Oversized:
    """The document as one record."""
    digest, head, length = hashlib.sha256(), b"", 0
    parts: list[bytes] = []
    for chunk in text(source, container):
        length += len(chunk)
        digest.update(chunk)
        head += chunk[: HEAD_BYTES - len(head)] if len(head) < HEAD_BYTES else b""
        if length <= limit:
            parts.append(chunk)
        else:
            parts.clear()
    if length > limit:
        return Oversized(0, length, digest.hexdigest(), head)
    return Element(0, b"".join(parts).strip())
