"""Blocks of the journal: up to about a thousand records of one source, compressed together."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zstandard

from groundswell.bus.buffers import BUFFERS
from groundswell.bus.joined import JoinedRecords, Numbers

#: A block is closed at this many records or bytes, whichever comes first.
MAX_RECORDS: Final = 1_000
MAX_BYTES: Final = 4 << 20

_LEVEL: Final = 1
#: How far back is looked for what repeats, in powers of two: twice as far saves half a percent and costs a tenth.
_WINDOW: Final = 18

Micros = npt.NDArray[np.int64]

#: What packs and unpacks belongs to a thread: to make it anew costs half as much as to unpack a block.
_own: Final = threading.local()


def _packer() -> zstandard.ZstdCompressor:
    found = getattr(_own, "packer", None)
    if found is None:
        how = zstandard.ZstdCompressionParameters.from_level(_LEVEL, window_log=_WINDOW, write_checksum=True)
        found = _own.packer = zstandard.ZstdCompressor(compression_params=how)
    return found


def _unpacker() -> zstandard.ZstdDecompressor:
    found = getattr(_own, "unpacker", None)
    if found is None:
        found = _own.unpacker = zstandard.ZstdDecompressor()
    return found


class Kind(StrEnum):
    """What the records of a block are."""

    RECORDS = "records"
    """One raw record each, as it was received."""

    OVERSIZED = "oversized"
    """One JSON object each, about a record over the limit: `raw` (base64 of its first 64 KB), `raw_bytes`,
    `raw_sha256`, `origin`, `offset`; or about what is no record for another `reason`. The lake writer quarantines
    it."""


@dataclass(frozen=True)
class Block:
    """Records of one source as they stand in the journal; `first_record` is the number of the first."""

    seq: int
    source: str
    kind: Kind
    hint: dict[str, Any] | None
    first_record: int
    count: int
    size: int
    received_from_us: int
    received_to_us: int
    body: bytes
    times: bytes | None

    @property
    def frame(self) -> bytes | None:
        """A zstd frame with a checksum that holds `content`, if it lies there as such."""
        # Blocks of earlier versions have no checksum, and no line feed behind the last record.
        return self.body if self.body and zstandard.get_frame_parameters(self.body).has_checksum else None

    @property
    def content(self) -> bytes:
        """The raw records with a line feed behind each."""
        found = _unpacker().decompress(self.body, max_output_size=self.size)
        return found if self.frame is not None else found + b"\n"

    def unpack(self, into: memoryview) -> None:
        """Write `content` where it shall stand, `size` bytes; only for a block that has a `frame`."""
        with _unpacker().stream_reader(self.body) as reader:
            reader.readinto(into)

    def beginning(self, size: int) -> bytes:
        """The first `size` bytes of `content`, or all of it, without unpacking what follows."""
        with _unpacker().stream_reader(self.body) as reader:
            return bytes(reader.read(size))

    @property
    def records(self) -> list[bytes]:
        """The raw records."""
        return self.content.split(b"\n")[:-1]

    @property
    def received_us(self) -> Micros:
        """When each record was received, microseconds since 1970 UTC."""
        if self.times is None:
            return np.full(self.count, self.received_from_us, dtype=np.int64)
        packed = _unpacker().decompress(self.times, max_output_size=8 * self.count)
        return np.frombuffer(packed, dtype=np.int64)

    @property
    def numbers(self) -> Micros:
        """The number of each record in the journal."""
        return np.arange(self.first_record, self.first_record + self.count, dtype=np.int64)


def content_of(blocks: Sequence[Block]) -> memoryview:
    """The raw records of some blocks one behind the other, each with a line feed behind it."""
    if len(blocks) == 1 or any(block.frame is None for block in blocks):
        return memoryview(b"".join(block.content for block in blocks))
    # Unpacked where they shall stand: pieces that are joined afterwards cost twice as much.
    content = BUFFERS.take(sum(block.size for block in blocks)).data
    at = 0
    for block in blocks:
        block.unpack(content[at : at + block.size])
        at += block.size
    return content.toreadonly()


@dataclass(frozen=True)
class Packed:
    """A block that is not numbered yet."""

    source: str
    kind: Kind
    hint: str | None
    count: int
    size: int
    received_from_us: int
    received_to_us: int
    body: bytes
    times: bytes | None


def pack(
    source: str,
    records: Sequence[bytes],
    *,
    kind: Kind,
    received_us: int | Micros,
    hint: Mapping[str, Any] | None,
) -> Iterator[Packed]:
    """Cut records into compressed blocks. A newline inside a record becomes a space."""
    text = None if hint is None else json.dumps(hint, ensure_ascii=False, sort_keys=True)
    compressor = _packer()
    for begin, part in _portions(records):
        for first, last in _borders(part.bounds):
            body = part.content[int(part.bounds[first]) : int(part.bounds[last])]
            times = None
            if isinstance(received_us, int):
                least = most = received_us
            else:
                mine = np.ascontiguousarray(received_us[begin + first : begin + last], dtype=np.int64)
                least, most = int(mine.min()), int(mine.max())
                times = compressor.compress(mine.tobytes()) if least != most else None
            packed = compressor.compress(body)
            yield Packed(source, kind, text, last - first, len(body), least, most, packed, times)


def _portions(records: Sequence[bytes]) -> Iterator[tuple[int, JoinedRecords]]:
    """The records joined, and the index of the first; those that are not yet so in parts, which bounds the memory."""
    if isinstance(records, JoinedRecords):
        yield 0, records
        return
    for begin in range(0, len(records), MAX_RECORDS):
        yield begin, JoinedRecords.of(records[begin : begin + MAX_RECORDS])


def _borders(bounds: Numbers) -> Iterator[tuple[int, int]]:
    """The first record of each block, and the one behind its last."""
    at = 0
    while at < len(bounds) - 1:
        fitting = int(np.searchsorted(bounds, bounds[at] + MAX_BYTES, side="right")) - 1
        last = min(at + MAX_RECORDS, max(at + 1, fitting))
        yield at, last
        at = last


def last_of_batch(
    sizes: Iterable[tuple[int, int, int, int, int]],
    after_block: int,
    max_records: int,
    max_bytes: int,
    max_span_us: int | None,
) -> int:
    """The last block of a batch that starts after `after_block` and keeps to the limits, but for its first block.

    `sizes`: number, records, bytes and first and last receipt (microseconds) of the blocks after it, in order.

    >>> last_of_batch([(8, 10, 1, 0, 5), (9, 10, 1, 5, 9), (10, 1, 1, 9, 9)], 7, 20, 100, None)
    9
    >>> last_of_batch([(8, 10, 1, 0, 5), (9, 10, 1, 5, 9)], 7, 20, 100, 6), last_of_batch([], 7, 20, 100, None)
    (8, 7)
    """
    last, records, size, start = after_block, 0, 0, 0
    for seq, count, block_bytes, received_from, received_to in sizes:
        if last == after_block:
            start = received_from
        elif (
            records + count > max_records
            or size + block_bytes > max_bytes
            or (max_span_us is not None and received_to - start > max_span_us)
        ):
            break
        last, records, size = seq, records + count, size + block_bytes
    return last
