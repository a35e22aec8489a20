"""From bytes to records: lines cut out of a stream in bounded memory, records over the limit described, not kept."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from groundswell.bus.buffers import BUFFERS, Bytes
from groundswell.bus.joined import JoinedRecords, plain_bounds

#: What is kept of a record over the limit.
HEAD_BYTES: Final = 64 << 10

_BOM: Final = b"\xef\xbb\xbf"
#: Bytes of an unfinished line that are joined with what follows.
_LONG: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, and the offset of its first byte. `data` is null where it was over the limit."""

    offset: int
    data: bytes | None
    description: bytes | None = None
    """Of a line over the limit: the record that goes into a block of kind `oversized`."""


def describe_oversized(head: bytes, size: int, sha256: str, offset: int, origin: str) -> bytes:
    """The record for a block of kind `oversized`: where it was, how long, its hash and its beginning."""
    document: dict[str, Any] = {
        "origin": origin,
        "offset": offset,
        "raw": base64.b64encode(head[:HEAD_BYTES]).decode(),
        "raw_bytes": size,
        "raw_sha256": sha256,
    }
    return json.dumps(document, ensure_ascii=False).encode()


Cut = JoinedRecords | Sequence[Line]
"""Lines of a stream: joined where each of them is a record as it stands."""


@dataclass
class LineCutter:
    """Cuts bytes into lines; holds at most one line up to `limit` bytes.

    It is fed chunks or reads them itself. `start` is the offset of the first byte. Blank lines are left out.
    """

    limit: int
    origin: str
    start: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _over: int = 0
    _hash: Any = None

    @property
    def position(self) -> int:
        """Offset of the first byte that is in no finished line: where to read on after a restart."""
        return self.start

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that `chunk` finishes."""
        at = 0
        while (end := chunk.find(b"\n", at)) >= 0:
            self._take(chunk[at:end])
            line = self._finish(1)
            if line is not None:
                yield line
            at = end + 1
        self._take(chunk[at:])

    def read(self, read_into: Callable[[memoryview], int], size: int) -> Cut | None:
        """The lines that the next bytes finish, up to `size` of them; null where `read_into` gives none."""
        # What is long is taken bit by bit; all else is read to where its beginning is held.
        held = 0 if self._over or len(self._held) > _LONG else len(self._held)
        room = BUFFERS.take(held + size)
        count = read_into(room.data[held:])
        if not count:
            return None
        if held == len(self._held) and not self._over:
            room[:held] = self._held
            whole = self._whole(room[: held + count])
            if whole is not None:
                return whole
        return list(self.feed(room[held : held + count].tobytes()))

    def _whole(self, data: Bytes) -> JoinedRecords | None:
        """The lines of what is held and what was read now; null if one of them is not simply a record."""
        bounds = plain_bounds(data.data)
        if bounds is None or (self.start == 0 and data[:3].tobytes() == _BOM):
            return None
        end = int(bounds[-1])
        records = JoinedRecords(data[:end].data.toreadonly(), bounds)
        if not end or max(records.longest, len(data) - end) > self.limit:
            return None
        self.start += end
        self._held = bytearray(data[end:])
        return records

    def flush(self) -> Iterator[Line]:
        """The last line, if its end never came."""
        line = self._finish(0)
        if line is not None:
            yield line

    def _take(self, part: bytes) -> None:
        if self._over:
            self._hash.update(part)
            self._over += len(part)
        elif len(self._held) + len(part) > self.limit:
            self._hash = hashlib.sha256(self._held + part)
            self._over = len(self._held) + len(part)
            self._held = (self._held + part)[:HEAD_BYTES]
        else:
            self._held += part

    def _finish(self, end_bytes: int) -> Line | None:
        offset, held, size = self.start, bytes(self._held), self._over or len(self._held)
        self.start += size + end_bytes
        self._held = bytearray()
        if self._over:
            self._over = 0
            return Line(offset, None, describe_oversized(held, size, self._hash.hexdigest(), offset, self.origin))
        if offset == 0:
            held = held.removeprefix(_BOM)
        held = held.removesuffix(b"\r")
        return Line(offset, held) if held.strip() else None
