"""Raw records as they stand one behind the other, cut only where one of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from groundswell.kernels import loaded

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = np.ndarray[Any, np.dtype[np.int64]]

_LINE_FEED: Final = 0x0A
#: Bytes up to this one may be white space.
_WHITE: Final = 0x20
#: Bytes of a line for which room is taken before the lines are counted.
_SHORT: Final = 64


class JoinedRecords(Sequence[bytes]):
    """Records in `content`, each with a line feed behind it; record n ends before `bounds[n + 1] - 1`.

    >>> JoinedRecords.of([b"a", b"", b"bc"])[2]
    b'bc'
    """

    def __init__(self, content: bytes | memoryview, bounds: Numbers) -> None:
        """`bounds` (n + 1) are where each record begins, and where the last one's line feed ends."""
        self._content = memoryview(content)
        self.bounds = bounds

    @property
    def content(self) -> memoryview:
        """All records with a line feed behind each."""
        return self._content

    @classmethod
    def of(cls, records: Sequence[bytes]) -> JoinedRecords:
        """These records; a line feed in one becomes a space."""
        if isinstance(records, cls):
            return records
        content = b"\n".join((*records, b""))
        bounds = line_bounds(content)
        if len(bounds) != len(records) + 1:
            return cls.of([record.replace(b"\n", b" ") for record in records])
        return cls(content, bounds)

    @classmethod
    def of_column(cls, column: pa.ChunkedArray) -> JoinedRecords:
        """The records of a column of `binary` without nulls; a line feed in one becomes a space."""
        import pyarrow.compute as pc  # noqa: PLC0415 - only who has a column has Arrow

        array = pc.binary_join_element_wise(column, b"", b"\n").combine_chunks()
        if not len(array):
            return cls.of([])
        _, offsets, values = array.buffers()
        places = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
        content = memoryview(values)[int(places[0]) : int(places[-1])]
        if len(line_bounds(content)) != len(places):
            return cls.of(column.to_pylist())
        return cls(content, places - places[0])

    @classmethod
    def chained(cls, parts: Sequence[Sequence[bytes]]) -> Sequence[bytes]:
        """The records of some parts one after the other; joined where they are."""
        if len(parts) == 1:
            return parts[0]
        joined = [part for part in parts if isinstance(part, cls)]
        if len(joined) < len(parts):
            return [record for part in parts for record in part]
        starts = np.cumsum([0, *(part.content.nbytes for part in joined)])
        bounds = [part.bounds[:-1] + start for part, start in zip(joined, starts, strict=False)]
        return cls(b"".join(part.content for part in joined), np.concatenate([*bounds, starts[-1:]]))

    @property
    def longest(self) -> int:
        """Bytes of the longest record; 0 where there is none."""
        return int(np.diff(self.bounds).max(initial=1)) - 1

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        if isinstance(at, slice):
            return [self[n] for n in range(*at.indices(len(self)))]
        return self._record(range(len(self))[at])

    def _record(self, n: int) -> bytes:
        return bytes(self.content[int(self.bounds[n]) : int(self.bounds[n + 1]) - 1])

    def __iter__(self) -> Iterator[bytes]:
        return iter(bytes(self.content).split(b"\n")[:-1])


def borders(content: bytes | memoryview, count: int) -> Numbers:
    """Where each of so many lines begins, and where the last one ends."""
    data = np.frombuffer(content, np.uint8)
    bounds = np.zeros(count + 1, np.int64)
    kernel = loaded()
    if kernel is None:
        bounds[1:] = np.flatnonzero(data == _LINE_FEED) + 1
    else:
        kernel.line_starts(data, bounds[1:])
    return bounds


def line_bounds(content: bytes | memoryview) -> Numbers:
    r"""Where each line begins, and where the last one that has an end ends.

    >>> line_bounds(b"a\n\nbc\nrest").tolist()
    [0, 2, 3, 6]
    """
    kernel = loaded()
    data = np.frombuffer(content, np.uint8)
    if kernel is None:
        return np.concatenate(([0], np.flatnonzero(data == _LINE_FEED) + 1))
    bounds = np.zeros(len(data) // _SHORT + 2, np.int64)
    found = kernel.line_starts(data, bounds[1:])
    return bounds[: found + 1] if found < len(bounds) else borders(content, found)


def plain_bounds(content: bytes | memoryview) -> Numbers | None:
    r"""As `line_bounds`; null if a line is blank, or begins or ends with white space.

    >>> plain_bounds(b"a\nb c\nrest").tolist(), plain_bounds(b"a\r\n"), plain_bounds(b"\n")
    ([0, 2, 6], None, None)
    """
    bounds = line_bounds(content)
    if len(bounds) > 1:
        data = np.frombuffer(content, np.uint8)
        # A line that is empty begins with its end.
        if data[bounds[:-1]].min() <= _WHITE or data[bounds[1:] - 2].min() <= _WHITE:
            return None
    return bounds
