"""The records of one file, whatever its container, read by the layouts that fit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundswell.errors import UnreadableFileError
from groundswell.importing.choice import SAMPLE, Chooser
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Read
from groundswell.importing.refusals import Rejection, decode
from groundswell.sources.compression import CutShortError, content
from groundswell.sources.containers import Container, Form, detect
from groundswell.sources.documents import HEAD_BYTES, RECORD_KEYS, Element, Oversized, Splitter
from groundswell.sources.files import SourceFile
from groundswell.sources.lines import LongLine, Piece, pieces, recoded, spill_elements
from groundswell.sources.tables import TableReader

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout

_SAMPLE_BYTES: Final = 8 << 20


@dataclass
class FileReading:
    """Reads one file. After `reads` is exhausted, `error` says why the file could not be read to its end.

    `hint` is what a retry needs besides the raw bytes (a table's header); `position` how far it is, in bytes.
    """

    file: SourceFile
    reader: Reader
    limit: int
    strict: bool = False
    error: str | None = None
    position: int = 0
    hint: dict[str, Any] = field(default_factory=dict)

    @property
    def chooser(self) -> Chooser:
        """Chooses the layouts."""
        return self.reader.chooser

    def reads(self) -> Iterator[Read]:
        """What becomes of each record.

        Raises:
            LineCountError: the engine lost count; read again with `strict`.
            GroundswellError: the column map does not fit the file.
        """
        try:
            container = detect(self.file.path)
        except OSError as error:
            self.error = f"cannot be opened ({error.strerror or error})"
            return
        if container.form is Form.EMPTY:
            self.error = "the file is empty"
        elif container.form is Form.BINARY:
            self.error = "neither JSON nor a table: the content is binary"
        else:
            yield from self._by_form(container)

    def _by_form(self, container: Container) -> Iterator[Read]:
        read = {Form.NDJSON: self._lines, Form.JSON: self._document, Form.TABLE: self._table}[container.form]
        try:
            yield from read(container)
        except UnreadableFileError as error:
            self.error = str(error)

    def _lines(self, container: Container) -> Iterator[Read]:
        layout = self.chooser.for_sample(_first_records(self.file.path, container))
        yield from self._pieces(pieces(self.file.path, container, self.limit, self.reader.tmp), layout)

    def _pieces(self, parts: Iterable[Piece | LongLine], layout: Layout | None) -> Iterator[Read]:
        for part in parts:
            if isinstance(part, LongLine):
                yield [Rejection.too_long(part.line, part.record)]
                continue
            try:
                yield from self.reader.read_piece(part, layout, strict=self.strict)
            finally:
                part.remove()

    def _document(self, container: Container) -> Iterator[Read]:
        paths = self.chooser.unwraps() | {(key,) for key in RECORD_KEYS}
        splitter = Splitter(paths, self.limit)
        elements = splitter.records(recoded(content(self.file.path), container.encoding))
        first, failure = _take(elements, SAMPLE)
        if not splitter.found:
            if failure is not None:
                raise failure
            first = [_whole(self.file.path, container, self.limit)]
        decoded = (decode(element.raw)[0] for element in first if isinstance(element, Element))
        layout = self.chooser.for_sample([record for record in decoded if record is not None])
        rest: Iterable[Element | Oversized] = elements if splitter.found and failure is None else ()
        yield from self._pieces(spill_elements(chain(first, rest), self.reader.tmp), layout)
        if failure is not None:
            raise failure

    def _table(self, container: Container) -> Iterator[Read]:
        table = TableReader(self.file.path, container, self.limit)
        self.hint = {"header": table.header, "delimiter": container.delimiter, "encoding": container.encoding}
        layout: Layout | None = None
        begun = False
        for chunk in table.chunks():
            if not begun and (chunk.rows.num_rows or not chunk.bad):
                layout = self.chooser.for_sample(chunk.rows.slice(0, SAMPLE).to_pylist(), table.columns)
                begun = True
            yield from self.reader.read_rows(chunk, table, layout)
        if table.failure is not None:
            raise table.failure
        if not begun:
            self.error = self.error or "the table has a header but no rows"


def _first_records(path: Path, container: Container) -> list[dict[str, Any]]:
    """The first valid records of an NDJSON file."""
    records: list[dict[str, Any]] = []
    carry = b""
    seen = 0
    try:
        for chunk in chain(recoded(content(path), container.encoding), (b"\n",)):
            seen += len(chunk)
            *lines, carry = (carry + chunk).split(b"\n")
            decoded = (decode(line)[0] for line in lines if line.strip())
            records += [record for record in decoded if record is not None]
            if len(records) >= SAMPLE or seen >= _SAMPLE_BYTES:
                break
    except CutShortError:
        pass  # told when the lines are read
    return records[:SAMPLE]


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


def _whole(path: Path, container: Container, limit: int) -> Element | Oversized:
    """The document as one record."""
    digest, head, length = hashlib.sha256(), b"", 0
    parts: list[bytes] = []
    for chunk in recoded(content(path), container.encoding):
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
