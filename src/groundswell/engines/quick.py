"""Raw records as tables with text leaves, by compiled kernels: the same as DuckDB's own reader gives, and quicker.

A record that the kernels doubt (not plainly valid, a key twice, a number that would be written otherwise, something
else than the layout declares) is not in the table, and its bytes are given with it, for an ordinary reader.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import local
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.kernels import leaves, lines, records

Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]
Bytes = NDArray[np.uint8]

#: Bytes that are read at once, a few thousand records; more would save some calls and cost memory.
BLOCK: Final = 8 << 20
#: So many more are read for the end of its last line.
_MORE: Final = 64 << 10
#: Items of the lists of a block for which there is room at first.
_ITEMS: Final = 1 << 14
#: Records of a block that may be doubted for being unlike the others, at most such a share of them, and not of a few.
_ODD: Final = 0.01
_MANY: Final = 512
_WHITE: Final = b" \t\r\n"
_NULL: Final = 1 << records.NULL
_FIRST: Final = np.zeros(1, np.int32)
_LEAF: Final = _NULL | sum(
    1 << kind for kind in (records.TEXT, records.ESCAPED, records.NUMBER, records.TRUE, records.FALSE)
)


@dataclass(frozen=True, slots=True)
class Block:
    """The records of some lines: a table of those that are not doubted; which the others are, and their bytes.

    `starts` and `numbers` have one a record: where its line begins in the file, and which of the `count` lines of the
    block it is, from 1, the blank ones among them.
    """

    table: pa.Table
    doubted: Ints
    lines: bytes
    starts: Ints
    numbers: Ints
    count: int


#: Makes other rows of raw ones, as many.
Then = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, slots=True)
class _Node:
    """What is read at a path: its type, and the number under which the kernel notes what stands there."""

    type: pa.DataType
    number: int
    inner: tuple[_Node, ...] = ()


class QuickReader:
    """Reads the declared part of NDJSON records: structs, lists and texts of `schema`, in any nesting."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        tree = _Tree()
        self._fields = [tree.add(0, field.name, field.type, listed=False) for field in schema]
        self._wanted = tree.wanted()
        self._places = tree.places
        self._texts = _ints(tree.texts)
        self._items = _ITEMS
        self._held = local()

    def blocks(self, path: Path, workers: int, then: Then | None = None) -> Generator[Block]:
        """The non-blank lines of a file, in order, read by some threads a little ahead of their use.

        `then` is what these threads make of the rows of each block.

        Raises:
            OSError: the file cannot be read.
        """

        def read(file: int, at: int, size: int) -> Block | None:
            block = self._read(file, at, size, alike=then is not None)
            return block if block is None or then is None else replace(block, table=then(block.table))

        with path.open("rb", buffering=0) as file, ThreadPoolExecutor(workers, "quick") as pool:
            size = os.fstat(file.fileno()).st_size
            waiting: deque[Future[Block | None]] = deque()
            try:
                for at in range(0, size, BLOCK):
                    waiting.append(pool.submit(read, file.fileno(), at, size))
                    if len(waiting) > workers + 1 and (block := waiting.popleft().result()) is not None:
                        yield block
                while waiting:
                    if (block := waiting.popleft().result()) is not None:
                        yield block
            finally:
                for future in waiting:
                    future.cancel()

    def _read(self, file: int, at: int, size: int, *, alike: bool = False) -> Block | None:
        """The lines that begin in the block at a place of a file of so many bytes; null if there are none.

        `alike`: a few records without what all others have, or with something else in its place, are doubted too.
        """
        begin, data = _lines_at(file, at, size, self._held)
        if not len(data):
            return None
        codes = np.frombuffer(data, np.uint8)
        room = np.empty(len(codes) >> 8, np.int64)
        found = lines.line_starts(codes, room)
        if found > len(room):
            room = np.empty(found, np.int64)
            lines.line_starts(codes, room)
        feeds = room[:found]
        ends = feeds if found and feeds[-1] == len(codes) else np.append(feeds, len(codes))
        starts = np.concatenate(([0], ends[:-1]))
        blank = _blank(data, codes, starts, ends)
        numbers = np.arange(1, len(ends) + 1)
        if blank:
            starts, numbers = np.delete(starts, blank), np.delete(numbers, blank)
        return self._block(data, np.append(starts, len(codes)), begin, numbers, len(ends), alike)

    def _block(self, data: memoryview, bounds: Ints, begin: int, numbers: Ints, lines: int, alike: bool) -> Block:
        codes = np.frombuffer(data, np.uint8)
        count = len(bounds) - 1
        kinds, doubted = np.zeros((self._places, count), np.uint8), np.zeros(count, np.uint8)
        begins, ends = (np.empty((self._places, count), np.int32) for _ in range(2))
        places = records.Places(kinds, begins, ends)
        listed = self._walk(codes, bounds, places, doubted)
        leaves.doubt_numbers(codes, places, listed.row, listed.kind, listed.begin, listed.end, doubted)
        if alike and count >= _MANY:
            _doubt_odd(places, doubted)
        some = np.flatnonzero(doubted)
        if len(some):
            places, listed = _without(some, places, listed)
            count -= len(some)
        found = _Found(codes, places, listed, _texts(codes, places, self._texts))
        table = pa.Table.from_arrays([found.column(node, None, count) for node in self._fields], schema=self.schema)
        texts = b"".join(bytes(data[bounds[at] : bounds[at + 1]]).rstrip(b"\n") + b"\n" for at in some.tolist())
        return Block(table, some, texts, bounds[:-1] + begin, numbers, lines)

    def _walk(self, codes: Bytes, bounds: Ints, places: records.Places, doubted: Bytes) -> records.Listed:
        parts, done, room = [], 0, self._items
        while True:
            row, number, begin, end = (np.empty(room, np.int32) for _ in range(4))
            listed = records.Listed(row, number, np.empty(room, np.uint8), begin, end)
            done, count = records.walk(codes, bounds, done, self._wanted, places, doubted, listed)
            parts.append([part[:count] for part in listed])
            if done == len(bounds) - 1:
                break
            self._items = room = 2 * room
        return records.Listed(*(parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))))


def _doubt_odd(places: records.Places, doubted: Bytes) -> None:
    """Set `doubted` for a few records that are unlike the others: columns without exceptions take much less time."""
    most = int(_ODD * len(doubted))
    odd = doubted != 0
    for has in (places.kind > records.NULL, places.kind == records.NUMBER):
        odd |= _exceptions(has, most, rare=True)
    if odd.any():
        # Texts that are nearly all of one length are times or numbers.
        sizes = places.end - places.begin
        odd |= _exceptions((places.kind == records.TEXT) & (sizes == sizes[:, :1]), most, rare=False)
    if np.count_nonzero(odd) <= most:
        doubted[odd] = 1


def _exceptions(has: NDArray[np.bool_], most: int, *, rare: bool) -> NDArray[np.bool_]:
    """The records without what all but `most` have at a place, and (`rare`) with what no more than `most` have."""
    counts, count = np.count_nonzero(has, axis=1), has.shape[1]
    without = ~has[(counts < count) & (counts >= count - most)]
    odd: NDArray[np.bool_] = without.any(axis=0) | has[(counts > 0) & (counts <= most) & rare].any(axis=0)
    return odd


def _without(some: Ints, places: records.Places, listed: records.Listed) -> tuple[records.Places, records.Listed]:
    """What was found in all records but some (ascending)."""
    begins, ends = [0, *(some + 1).tolist()], [*some.tolist(), places.kind.shape[1]]
    runs = [slice(begin, end) for begin, end in zip(begins, ends, strict=True)]
    kept = records.Places(*(np.concatenate([part[:, run] for run in runs], axis=1) for part in places))
    # Items stand in the order of their records.
    first, last = (np.searchsorted(listed.row, np.array(edges)).tolist() for edges in (begins, ends))
    items = [slice(begin, end) for begin, end in zip(first, last, strict=True)]
    row = np.concatenate([listed.row[some] - np.int32(less) for less, some in enumerate(items)])
    others = (np.concatenate([part[some] for some in items]) for part in (listed.number, listed.begin, listed.end))
    number, begin, end = others
    kind = np.concatenate([listed.kind[some] for some in items])
    return kept, records.Listed(row, number, kind, begin, end)


class _Tree:
    """The states of the kernel `records.walk`, made from types."""

    def __init__(self) -> None:
        self.places = self.lists = 0
        self.texts: list[int] = []
        self._children: list[dict[str, int]] = [{}]
        self._items, self._place, self._listed, self._allowed = [-1], [-1], [-1], [1 << records.OBJECT]

    def add(self, parent: int, name: str | None, kind: pa.DataType, *, listed: bool) -> _Node:
        """Note what may stand at the key `name` of a state (null: at its items), and below."""
        state = len(self._children)
        self._children.append({})
        self._items.append(-1)
        if name is None:
            self._items[parent] = state
        else:
            self._children[parent][name] = state
        number = self.lists if listed else self.places
        self._place.append(-1 if listed else number)
        self._listed.append(number if listed else -1)
        self.lists, self.places = self.lists + listed, self.places + (not listed)
        if pa.types.is_struct(kind):
            self._allowed.append(_NULL | 1 << records.OBJECT)
            inner = [self.add(state, field.name, field.type, listed=listed) for field in kind]
        elif pa.types.is_list(kind):
            self._allowed.append(_NULL | 1 << records.ARRAY)
            inner = [self.add(state, None, kind.value_type, listed=True)]
        else:
            self._allowed.append(_LEAF)
            inner = []
            self.texts += [] if listed else [number]
        return _Node(kind, number, tuple(inner))

    def wanted(self) -> records.Wanted:
        """The tree as the kernel takes it."""
        keys = [key.encode() for names in self._children for key in names]
        ends = np.cumsum([0, *map(len, keys)])
        return records.Wanted(
            _ints(np.cumsum([0, *map(len, self._children)])),
            _ints(ends[:-1]),
            _ints(ends[1:]),
            _ints([state for names in self._children for state in names.values()]),
            np.frombuffer(b"".join(keys), np.uint8).copy(),
            _ints(self._items),
            _ints(self._place),
            _ints(self._listed),
            np.array(self._allowed, np.uint16),
        )


def _ints(numbers: Sequence[int] | NDArray[Any]) -> Ints32:
    return np.array(numbers, np.int32)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the kernel found in some records, as columns."""

    data: Bytes
    places: records.Places
    listed: records.Listed
    texts: dict[int, pa.Array]
    """The columns of texts outside of lists, by their place."""

    def column(self, node: _Node, owners: Ints | None, count: int) -> pa.Array:
        """The values of a node: one a record, or one for each item of a list, which `owners` are (as in `listed`)."""
        if owners is None and node.number in self.texts:
            return self.texts[node.number]
        kind, begin, end = self._values(node, owners, count)
        known = kind > records.NULL
        mask = None if known.all() else pa.array(~known)
        if pa.types.is_struct(node.type):
            inner = [self.column(one, owners, count) for one in node.inner]
            return pa.StructArray.from_arrays(inner, fields=list(node.type), mask=mask)
        if pa.types.is_list(node.type):
            return self._list(node, owners, count, mask)
        items = records.Places(kind[np.newaxis], begin[np.newaxis], end[np.newaxis])
        return _texts(self.data, items, _FIRST)[0]

    def _values(self, node: _Node, owners: Ints | None, count: int) -> tuple[Bytes, Ints32, Ints32]:
        if owners is None:
            return self.places.kind[node.number], self.places.begin[node.number], self.places.end[node.number]
        mine = np.flatnonzero(self.listed.number == node.number)
        if len(mine) == count and (mine > owners).all() and (mine[:-1] < owners[1:]).all():
            return self.listed.kind[mine], self.listed.begin[mine], self.listed.end[mine]  # each item has its own
        kind = np.zeros(count, np.uint8)
        begin, end = np.zeros(count, np.int32), np.zeros(count, np.int32)
        # What belongs to an item stands behind it and before the next.
        item = np.searchsorted(owners, mine, side="right") - 1
        kind[item], begin[item], end[item] = (part[mine] for part in self.listed[2:])
        return kind, begin, end

    def _list(self, node: _Node, owners: Ints | None, count: int, mask: pa.Array | None) -> pa.Array:
        (item,) = node.inner
        mine = np.flatnonzero(self.listed.number == item.number)
        holders = self.listed.row[mine] if owners is None else np.searchsorted(owners, mine, side="right") - 1
        offsets = np.zeros(count + 1, np.int32)
        np.cumsum(np.bincount(holders, minlength=count), out=offsets[1:])
        inner = self.column(item, mine, len(mine))
        found = pa.ListArray.from_arrays(pa.array(offsets), inner, mask=mask)
        return found if found.type == node.type else found.cast(node.type)


def _texts(data: Bytes, places: records.Places, wanted: Ints32) -> dict[int, pa.Array]:
    """The columns of texts at some places."""
    count = places.kind.shape[1]
    rooms, nulls = np.empty(len(wanted) + 1, np.int64), np.empty(len(wanted), np.int64)
    leaves.text_rooms(places, wanted, rooms)
    out, ends = np.empty(int(rooms[-1]), np.uint8), np.empty((len(wanted), count + 1), np.int32)
    valid = np.zeros((len(wanted), (count + 7) // 8), np.uint8)
    leaves.copy_texts(data, places, wanted, rooms, out, ends, valid, nulls)
    whole = pa.py_buffer(out)
    texts = {}
    for at, place in enumerate(wanted.tolist()):
        begin, size, missing = int(rooms[at]), int(ends[at, -1]), int(nulls[at])
        bits = pa.py_buffer(valid[at]) if missing else None
        texts[place] = pa.StringArray.from_buffers(
            count, pa.py_buffer(ends[at]), whole.slice(begin, size), bits, missing
        )
    return texts


def _lines_at(file: int, at: int, size: int, held: local) -> tuple[int, memoryview]:
    """Where the first line begins of those that begin in the block at a place, and the lines, whole.

    They are valid until the same thread asks again.
    """
    begin, end = max(0, at - 1), min(at + BLOCK, size)
    buffer = getattr(held, "buffer", b"")
    if len(buffer) < end - begin + _MORE:
        buffer = held.buffer = bytearray(BLOCK + 2 * _MORE)
    filled = os.preadv(file, [memoryview(buffer)[: end - begin + _MORE]], begin)
    # The line feed before the block ends a line of the one before, if it stands there.
    start = buffer.find(b"\n", 0, end - begin) + 1 if at else 0
    if at and not start:
        return at, memoryview(b"")
    while (last := buffer.find(b"\n", end - begin - 1, filled)) < 0 and begin + filled < size:
        if filled == len(buffer):
            buffer = held.buffer = buffer + bytes(len(buffer))
        came = os.preadv(file, [memoryview(buffer)[filled:]], begin + filled)
        if not came:
            break
        filled += came
    stop = last + 1 if last >= 0 else filled
    return begin + start, memoryview(buffer).toreadonly()[start : min(stop, size - begin)]


def _blank(data: memoryview, codes: Bytes, starts: Ints, ends: Ints) -> list[int]:
    """Which of some lines are blank."""
    first = codes[starts]
    # Only a line that begins with white space (or is empty) can be blank.
    doubtful = np.flatnonzero((first <= 0x20) & np.isin(first, np.frombuffer(_WHITE, np.uint8)))
    return [i for i in doubtful.tolist() if not bytes(data[starts[i] : ends[i]]).strip(_WHITE)]
