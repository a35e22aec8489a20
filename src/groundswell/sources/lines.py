"""NDJSON as an engine wants it: pieces of clean lines on disk, with the place of every line in its origin.

A plain UTF-8 file is its own only piece. Around a byte order mark, another encoding, compression or a line
over the limit, pieces are written to a temporary folder, so that memory stays bounded.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from groundswell.sources.compression import CutShortError
from groundswell.sources.containers import Container, text
from groundswell.sources.documents import HEAD_BYTES, Element, Oversized
from groundswell.sources.stored import Source

#: Bytes of a piece that is written to disk.
PIECE: Final = 128 << 20
_LARGE: Final = 8 << 20
#: Bytes in which a line feed is looked for first, and at most at once.
_LOOK: Final = 16 << 10
_STEP: Final = 1 << 20
_WHITE: Final = b" \t\r\n"

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines for the engine. `base` is the place in the origin of the first byte, `first_line` its line number.

    `offsets` are the places of the records in the origin where they are not simply `base` plus the place in
    the piece (a document was cut up). `spilled`: the reader removes the file when it is done. `border`: the place
    in the origin from which on the next record is one to stop before; then again after `stride` bytes. `has_mark`:
    a byte order mark stands before the first line.
    """

    path: Path
    base: int
    first_line: int
    spilled: bool
    offsets: Numbers | None = None
    border: int | None = None
    stride: int = 0
    has_mark: bool = False

    @property
    def is_large(self) -> bool:
        """Whether it is worth a thread that reads ahead."""
        return self.path.stat().st_size > _LARGE

    def remove(self) -> None:
        """Remove the file if it is a temporary one."""
        if self.spilled:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line over the limit: its number and what is kept of it."""

    line: int
    record: Oversized


def pieces(
    source: Source, container: Container, limit: int, tmp: Path, start: tuple[int, int] | None = None
) -> Iterator[Piece | LongLine]:
    """The lines of an NDJSON file in order; each piece is read before the next is made.

    `start` is the offset in the content and the number of the line to begin with.

    Raises:
        CutShortError: after what could be read, if a compressed file ends early.
    """
    has_mark = container.encoding == "utf-8-sig"
    is_raw = replace(container, encoding="utf-8").is_raw if has_mark else container.is_raw
    if isinstance(source, Path) and is_raw and start is None and not long_lines(source, limit):
        yield Piece(source, 0, 1, spilled=False, has_mark=has_mark)
        return
    bom = len(codecs.BOM_UTF8) if has_mark else 0
    at, line = start or (bom, 1)
    # Offsets count the bytes of the text as UTF-8 where the file is in another encoding.
    yield from spill_lines(text(source, container, at), (at, line), limit, tmp)


def long_lines(path: Path, limit: int) -> list[tuple[int, int]]:
    """Start and end of the lines over `limit` bytes; looks at a few bytes in every `limit` only."""
    size = path.stat().st_size
    if size <= limit:
        return []
    found: list[tuple[int, int]] = []
    # Read and not mapped: of a mapped file half a megabyte around each place would count as memory of this process.
    with path.open("rb", buffering=0) as file:
        start = 0
        while size - start > limit:
            last = _last_feed(file.fileno(), start, start + limit + 1)
            if last < 0:
                end = _next_feed(file.fileno(), start + limit, size)
                found.append((start, end))
                last = end
            start = last + 1
    return found


def spill_lines(chunks: Iterable[bytes], begin: tuple[int, int], limit: int, tmp: Path) -> Iterator[Piece | LongLine]:
    """The lines of some content as pieces on disk; `begin` is the place of the first and its number.

    Raises:
        CutShortError: after the whole lines before the break, if the content ends early.
    """
    tmp.mkdir(parents=True, exist_ok=True)
    cutter = _Cutter(begin, limit, tmp)
    failure: CutShortError | None = None
    try:
        for chunk in chunks:
            yield from cutter.feed(chunk)
    except CutShortError as error:
        failure = error  # raised again once the whole lines before it are read
    yield from cutter.close(whole=failure is None)
    if failure is not None:
        raise failure


def _last_feed(file: int, begin: int, end: int) -> int:
    """The place of the last line feed between two places of a file; -1 if there is none."""
    step = _LOOK
    while end > begin:
        at = max(begin, end - step)
        last = os.pread(file, end - at, at).rfind(b"\n")
        if last >= 0:
            return at + last
        end, step = at, min(2 * step, _STEP)
    return -1


def _next_feed(file: int, begin: int, size: int) -> int:
    """The place of the first line feed from a place on; the size of the file if none follows."""
    at = begin
    while block := os.pread(file, _STEP, at):
        found = block.find(b"\n")
        if found >= 0:
            return at + found
        at += len(block)
    return size


class _Cutter:
    """Writes whole lines to pieces and sets long ones aside."""

    def __init__(self, begin: tuple[int, int], limit: int, tmp: Path) -> None:
        self._limit = limit
        self._tmp = tmp
        self._at, self._line = begin
        self._carry = b""
        self._long: _Long | None = None
        self._piece: Path | None = None
        self._file: Any = None
        self._begun = begin
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Piece | LongLine]:
        if self._long is not None:
            head, newline, chunk = chunk.partition(b"\n")
            self._long.take(head)
            if not newline:
                return
            yield from self._end_long()
        text = self._carry + chunk
        cut = text.rfind(b"\n") + 1
        whole, self._carry = text[:cut], text[cut:]
        yield from self._lines(whole)
        if len(self._carry) > self._limit:
            yield from self._flush()
            self._long = _Long(self._at)
            self._long.take(self._carry)
            self._carry = b""

    def close(self, *, whole: bool) -> list[Piece | LongLine]:
        out: list[Piece | LongLine] = []
        if not whole:
            self._long, self._carry = None, b""  # the line that the break cut in two
        if self._long is not None:
            out.extend(self._end_long())
        elif self._carry:
            out.extend(self._lines(self._carry + b"\n"))
        out.extend(self._flush())
        return out

    def _lines(self, whole: bytes) -> Iterator[Piece | LongLine]:
        start = 0
        while len(whole) - start > self._limit + 1:
            last = whole.rfind(b"\n", start, start + self._limit + 1)
            if last < 0:
                end = whole.index(b"\n", start + self._limit)
                yield from self._flush()
                self._long = _Long(self._at)
                self._long.take(whole[start:end])
                yield from self._end_long()
                last = end
            else:
                self._write(whole[start : last + 1])
            start = last + 1
        self._write(whole[start:])
        if self._size >= PIECE:
            yield from self._flush()

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        if self._file is None:
            self._piece = self._tmp / f"piece-{secrets.token_hex(8)}.ndjson"
            self._file = self._piece.open("wb")
            self._begun = (self._at, self._line)
        self._file.write(lines)
        self._size += len(lines)
        self._at += len(lines)
        self._line += lines.count(b"\n")

    def _flush(self) -> Iterator[Piece | LongLine]:
        if self._file is not None and self._piece is not None:
            self._file.close()
            piece = Piece(self._piece, *self._begun, spilled=True)
            self._file, self._piece, self._size = None, None, 0
            yield piece

    def _end_long(self) -> Iterator[LongLine]:
        if self._long is not None:
            record = self._long.record()
            yield LongLine(self._line, record)
            self._at += record.length + 1
            self._line += 1
            self._long = None


class _Long:
    """A line over the limit while it passes by."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._hash = hashlib.sha256()
        self._length = 0
        self._head = b""

    def take(self, part: bytes) -> None:
        if len(self._head) < HEAD_BYTES:
            self._head += part[: HEAD_BYTES - len(self._head)]
        self._length += len(part)
        self._hash.update(part)

    def record(self) -> Oversized:
        return Oversized(self._offset, self._length, self._hash.hexdigest(), self._head)


def spill_elements(elements: Iterable[Element | Oversized], tmp: Path, number: int = 1) -> Iterator[Piece | LongLine]:
    """The records of a document as pieces of one line each; `number` is that of the first of them."""
    tmp.mkdir(parents=True, exist_ok=True)
    first = number
    lines: list[bytes] = []
    offsets: list[int] = []
    size = 0

    def piece() -> Piece:
        path = tmp / f"piece-{secrets.token_hex(8)}.ndjson"
        path.write_bytes(b"".join(lines))
        return Piece(path, 0, first, spilled=True, offsets=np.array(offsets, dtype=np.int64))

    failure: Exception | None = None
    source = iter(elements)
    while failure is None:
        try:
            element = next(source)
        except StopIteration:
            break
        except Exception as error:
            failure = error
            break
        long = isinstance(element, Oversized)
        if not isinstance(element, Oversized):
            # A raw line break can only be white space between tokens (inside a string it would be invalid).
            lines.append(element.raw.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
            offsets.append(element.offset)
            size += len(element.raw)
        number += 1
        if lines and (long or size >= PIECE // 4):
            yield piece()
            lines, offsets, size = [], [], 0
        if isinstance(element, Oversized):
            yield LongLine(number - 1, element)
        if not lines:
            first = number
    if lines:
        yield piece()
    if failure is not None:
        raise failure


def read_lines(path: Path, offsets: Iterable[int]) -> Iterator[bytes]:
    """The lines that begin at `offsets` of the file, without their line break."""
    with path.open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            yield file.readline().rstrip(b"\n").removesuffix(b"\r")
