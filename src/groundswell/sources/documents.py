"""Cutting one JSON document of any size into its records, in bounded memory.

The document is walked as bytes: where strings begin and end, how deep the brackets are. Each record keeps
its exact bytes; whether they are valid is for the reader of the record to say, so that one bad record does
not take the others with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from groundswell.errors import UnreadableFileError

#: Keys under which exports commonly hold their records, beside those that the layouts name.
RECORD_KEYS: Final = frozenset(
    {
        "items",
        "itemList",
        "videos",
        "collector",
        "records",
        "posts",
        "results",
        "data",
        "statuses",
        "tweets",
        "messages",
    }
)
#: Bytes of an oversized record that are kept.
HEAD_BYTES: Final = 64 << 10

Path_ = tuple[str, ...]
_KEY: Final = re.compile(rb'"((?:[^"\\]|\\.){0,100})"\s*:\s*\Z')
_OPEN: Final = np.frombuffer(b"{[", np.uint8)
_WHITE: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Element:
    """One record of a document: where it begins and its bytes."""

    offset: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Oversized:
    """A record over the limit, which is not read: where it is, its length, its hash and its first 64 KB."""

    offset: int
    length: int
    sha256: str
    head: bytes


class Splitter:
    """Cuts the records out of one document.

    `paths` are the key paths that may lead to the array of records (`("items",)`, `("data", "videos")`); the
    root array always does. After `records` is exhausted, `found` says whether there was such an array; if
    not, the document is one record by itself. `sequence`: there are several values, one after another, and each
    is a record.
    """

    def __init__(self, paths: Iterable[Path_], limit: int, *, sequence: bool = False) -> None:
        self.found = sequence
        self._sequence = sequence
        self._taken = False
        self._unread: int | None = None
        self._root = 0
        self._paths = frozenset(paths)
        self._deepest = max((len(path) for path in self._paths), default=1)
        self._limit = limit
        self._keys: list[str | None] = []
        self._depth = 0
        self._inside: int | None = 0 if sequence else None
        self._closed = False
        self._single = False
        self._buffer = bytearray()
        self._base = 0
        self._start = 0
        self._in_string = False
        self._escaped = False
        self._big: _Big | None = None

    def records(self, chunks: Iterable[bytes]) -> Iterator[Element | Oversized]:
        """The records in order.

        Raises:
            UnreadableFileError: after the last whole record, if the document ends early; `fields["at"]` is
                the byte from which it could not be read.
        """
        for chunk in chunks:
            yield from self._feed(chunk)
        if self._sequence:
            yield from self._between(self._base + len(self._buffer))
        if (self._sequence and self._depth > 0) or (self.found and not self._closed and not self._sequence):
            raise self._early()
        if self._unread is not None and self.found:
            what = f"another JSON document follows, and holds no records: unread from byte {self._unread:,}"
            hint = "the records before are stored; put each document into a file of its own"
            raise UnreadableFileError(what, hint=hint, fields={"at": self._unread})

    def _early(self) -> UnreadableFileError:
        return UnreadableFileError(
            f"the JSON document ends early: unreadable from byte {self._start:,}",
            hint="the records before are stored; get a whole copy of the file and import it again",
            fields={"at": self._start},
        )

    def _feed(self, chunk: bytes) -> Iterator[Element | Oversized]:
        self._buffer += chunk
        offset = self._base + len(self._buffer) - len(chunk)
        for position, byte in self._structure(np.frombuffer(chunk, np.uint8)):
            at = offset + position
            if self._sequence:
                yield from self._next_value(at, byte)
            elif byte in b"{[":
                yield from self._opened(at, byte)
            elif byte in b"}]":
                yield from self._ended(at)
            elif self._inside is not None and self._depth == self._inside:
                yield from self._cut(at)
                if self._single:
                    self._inside = None
        self._trim()

    def _next_value(self, at: int, byte: int) -> Iterator[Element | Oversized]:
        """One value of a sequence begins or ends."""
        if byte in b"{[":
            yield from self._between(at)
            self._depth += 1
        elif byte in b"}]":
            yield from self._cut(at + 1)
            self._start = at + 1
            self._depth -= 1

    def _between(self, at: int) -> Iterator[Element | Oversized]:
        """What stands between two values of a sequence; more than a comma is no JSON, and a record by itself."""
        if self._depth == 0:
            start, end = self._start - self._base, at - self._base
            raw = bytes(self._buffer[start:end]) if self._big is None else b""
            if raw.strip(_WHITE + b","):
                lead = len(raw) - len(raw.lstrip(_WHITE + b","))
                yield Element(self._start + lead, raw.strip(_WHITE + b","))
            self._start = at

    def _structure(self, codes: np.ndarray[Any, Any]) -> Iterator[tuple[int, int]]:
        """Brackets that open or close at the depth that matters, and commas there, outside strings."""
        quotes = self._quotes(codes)
        marks = np.flatnonzero((codes | 0x20 == 0x7B) | (codes | 0x20 == 0x7D) | (codes == 0x2C))
        before = np.searchsorted(quotes, marks)
        marks = marks[(before + self._in_string) % 2 == 0]
        self._in_string = bool((len(quotes) + self._in_string) % 2)
        kinds = codes[marks]
        steps = np.isin(kinds, _OPEN).astype(np.int64) - (kinds | 0x20 == 0x7D)
        depths = self._depth + np.cumsum(steps)
        shallow = self._inside if self._inside is not None else self._deepest + 1
        # Deep inside a record nothing is decided; leaving those marks out is what makes it quick.
        lower = np.minimum(depths, depths - steps)
        keep = lower <= shallow
        for mark, kind, depth, step in zip(
            marks[keep].tolist(), kinds[keep].tolist(), depths[keep].tolist(), steps[keep].tolist(), strict=True
        ):
            self._depth = depth - step
            yield mark, kind
        self._depth = int(depths[-1]) if len(depths) else self._depth

    def _quotes(self, codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Positions of the quotes that are not escaped."""
        quotes = np.flatnonzero(codes == 0x22)
        slashes = np.flatnonzero(codes == 0x5C)
        if not len(slashes) and not self._escaped:
            return quotes
        starts = np.flatnonzero(np.diff(slashes, prepend=-2) != 1)
        lengths = np.diff(np.append(starts, len(slashes)))
        if self._escaped and len(slashes) and slashes[0] == 0:
            lengths[0] += 1
        ends = slashes[np.append(starts[1:], len(slashes)) - 1] + 1 if len(slashes) else slashes
        escaped = ends[lengths % 2 == 1]
        if self._escaped and not (len(slashes) and slashes[0] == 0):
            escaped = np.append(escaped, 0)
        self._escaped = bool(len(escaped) and (escaped == len(codes)).any())
        return quotes[~np.isin(quotes, escaped)]

    def _opened(self, at: int, byte: int) -> Iterator[Element | Oversized]:
        self._depth += 1
        if self._inside is not None:
            return
        key = self._key_before(at)
        path = tuple(k for k in (*self._keys[: self._depth - 1], key) if k is not None)
        self._keys[self._depth - 1 :] = [key]
        root = self._depth == 1
        if root:
            self._root, self._taken = at, False
        if self._taken:
            return
        if byte == 0x5B and (root or path in self._paths):
            self.found, self._inside, self._start, self._closed = True, self._depth, at + 1, False
            self._taken = True
        elif byte == 0x7B and not root and path in self._paths and len(path) > 1:
            # A single record where others hold an array (`itemInfo.itemStruct`).
            self.found, self._inside, self._start, self._closed = True, self._depth - 1, at, False
            self._single = self._taken = True
        yield from ()

    def _key_before(self, at: int) -> str | None:
        end = at - self._base
        match = _KEY.search(bytes(self._buffer[max(0, end - 300) : end]))
        return match.group(1).decode("utf-8", "replace") if match else None

    def _ended(self, at: int) -> Iterator[Element | Oversized]:
        if self._inside is not None and self._depth == self._inside:
            yield from self._cut(at)
            self._inside = None
            self._start = at + 1
        self._depth -= 1
        if self._depth == 0:
            if self.found and not self._taken and self._unread is None:
                self._unread = self._root
            self._closed, self._single = True, False

    def _cut(self, at: int) -> Iterator[Element | Oversized]:
        start, end = self._start - self._base, at - self._base
        self._start = at + 1
        if self._big is not None:
            self._big.take(bytes(self._buffer[:end]))
            yield self._big.record()
            self._big = None
            return
        raw = bytes(self._buffer[start:end])
        lead = len(raw) - len(raw.lstrip(_WHITE))
        raw = raw.strip(_WHITE)
        if not raw:
            return
        if len(raw) > self._limit:
            big = _Big(self._base + start + lead)
            big.take(raw)
            yield big.record()
        else:
            yield Element(self._base + start + lead, raw)

    def _trim(self) -> None:
        """Forget what is cut; what is too long for a record goes into its hash only."""
        if self._inside is None:
            keep = min(len(self._buffer), 400)
            self._base += len(self._buffer) - keep
            del self._buffer[: len(self._buffer) - keep]
            return
        done = self._start - self._base
        if self._big is None and done > 0:
            del self._buffer[:done]
            self._base = self._start
        if self._big is None and len(self._buffer) > self._limit:
            self._big = _Big(self._base)
        if self._big is not None:
            self._big.take(bytes(self._buffer))
            self._base += len(self._buffer)
            self._buffer.clear()


class _Big:
    """A record over the limit while it passes by."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._length = 0
        self._hash = hashlib.sha256()
        self._head = b""

    def take(self, part: bytes) -> None:
        if not self._length:
            self._offset += len(part) - len(part.lstrip(_WHITE))
            part = part.lstrip(_WHITE)
        if len(self._head) < HEAD_BYTES:
            self._head += part[: HEAD_BYTES - len(self._head)]
        self._length += len(part)
        self._hash.update(part)

    def record(self) -> Oversized:
        return Oversized(self._offset, self._length, self._hash.hexdigest(), self._head)
