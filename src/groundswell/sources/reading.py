"""The records of a file as a stream would bring them: one JSON object each, in the order of the file.

A row of a table becomes a flat JSON object of text. What is no record (a broken row, a line that is not JSON)
comes as its bytes, for the lake writer to set aside with its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from groundswell.errors import UnreadableFileError
from groundswell.sources.containers import Container, Form, detect, text
from groundswell.sources.documents import RECORD_KEYS, Oversized, Splitter
from groundswell.sources.records import Line, LineCutter, describe_oversized
from groundswell.sources.tables import TableReader


def file_records(path: Path, limit: int, unwrap: Collection[tuple[str, ...]] = ()) -> Iterator[Line]:
    """The records of a file: NDJSON, a JSON document or a table, plain or compressed; the same for the same bytes.

    `unwrap` are further key paths under which a JSON document may hold its records.

    Raises:
        UnreadableFileError: it is none of these, or it ends early (after what could be read).
    """
    container = detect(path)
    if container.form in (Form.BINARY, Form.TEXT):
        what = "neither JSON nor a table"
        raise UnreadableFileError(what, where=path, hint="give NDJSON, JSON, CSV or TSV, plain or as .gz or .zst")
    if container.form is Form.TABLE:
        yield from _rows(path, container, limit)
    elif container.form is Form.JSON:
        yield from _elements(path, container, limit, unwrap)
    elif container.form is Form.NDJSON:
        cutter = LineCutter(limit, origin=str(path))
        for chunk in text(path, container):
            yield from cutter.feed(chunk)
        yield from cutter.flush()


def is_table(path: Path) -> bool:
    """Whether the file is a CSV or TSV table."""
    return detect(path).form is Form.TABLE


def _rows(path: Path, container: Container, limit: int) -> Iterator[Line]:
    reader = TableReader(path, container, limit)
    for chunk in reader.chunks():
        good = zip(chunk.numbers, map(msgspec.json.encode, chunk.rows.to_pylist()), strict=True)
        lines = [Line(number, data) for number, data in good]
        for bad in chunk.bad:
            if bad.oversized is not None:
                lines.append(_oversized(bad.oversized, path))
            else:
                lines.append(Line(bad.number, bad.raw))
        yield from sorted(lines, key=lambda line: line.offset) if chunk.bad else lines
    if reader.failure is not None:
        raise reader.failure


def _elements(path: Path, container: Container, limit: int, unwrap: Collection[tuple[str, ...]]) -> Iterator[Line]:
    splitter = Splitter([*unwrap, *((key,) for key in RECORD_KEYS)], limit, sequence=container.sequence)
    for element in splitter.records(text(path, container)):
        if isinstance(element, Oversized):
            yield _oversized(element, path)
        else:
            yield Line(element.offset, element.raw)
    if not splitter.found:
        # No array of records: the document is one record by itself (or too long to be one).
        cutter = LineCutter(limit, origin=str(path))
        for chunk in text(path, container):
            yield from cutter.feed(chunk.replace(b"\n", b" "))
        yield from cutter.flush()


def _oversized(record: Oversized, path: Path) -> Line:
    description = describe_oversized(record.head, record.length, record.sha256, record.offset, str(path))
    return Line(record.offset, None, description)
