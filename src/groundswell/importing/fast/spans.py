"""Places of the wanted values in raw records: from paths to the kernel's tables, and from places to columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.kernels import records as kernel
from groundswell.kernels import texts, values
from groundswell.kernels.once import once

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ITEM: Final = "[]"


#: What may stand where a text is wanted, where a count is, and where anything may.
TEXTS: Final = 1 << kernel.NULL | 1 << kernel.TEXT | 1 << kernel.ESCAPED
COUNTS: Final = TEXTS | 1 << kernel.NUMBER
ANY: Final = 0xFFFF
_NODES: Final = {"struct": 1 << kernel.NULL | 1 << kernel.OBJECT, "array": 1 << kernel.NULL | 1 << kernel.ARRAY}


class Paths:
    """What is wanted of the records of a layout, by path: `commit.record.text`; `langs[]` is the items of a list.

    `raw` is `Layout.raw`: a record in which something else stands than it declares is doubted, and so is one with
    something else than `leaves` allow. `there` are paths of which only is noted what stands there.
    """

    def __init__(self, raw: Mapping[str, str], leaves: Mapping[str, int], there: Sequence[str] = ()) -> None:
        paths = [*leaves, *there]
        self.single = {path: number for number, path in enumerate(p for p in paths if _ITEM not in p)}
        self.several = {path: number for number, path in enumerate(p for p in paths if _ITEM in p)}
        nodes: dict[str, int] = {}
        for name, declared in raw.items():
            _declared(name, declared, nodes)
        self.wanted = _wanted(self.single, self.several, {**nodes, **leaves})

    def walk(self, data: Bytes, bounds: Ints) -> Spans:
        """Find the values in the records between `bounds` (n + 1)."""
        rows = len(bounds) - 1
        kind = np.zeros((len(self.single), rows), np.uint8)
        begin, end = (np.zeros((len(self.single), rows), np.int32) for _ in range(2))
        doubted = np.zeros(rows, np.uint8)
        places = kernel.Places(kind, begin, end)
        parts, done, room = [], 0, max(_FIRST_ITEMS, rows)
        while True:
            listed = _room_for(room)
            done, count = kernel.walk(data, bounds, done, self.wanted, places, doubted, listed)
            parts.append([part[:count] for part in listed])
            if done == rows:
                break
            room *= 2
        joined = parts[0] if len(parts) == 1 else [np.concatenate(each) for each in zip(*parts, strict=True)]
        return Spans(self, data, places, kernel.Listed(*joined), doubted != 0)


#: Items of lists for which there is room at first.
_FIRST_ITEMS: Final = 1024


def _room_for(items: int) -> kernel.Listed:
    row, number, begin, end = (np.empty(items, np.int32) for _ in range(4))
    return kernel.Listed(row, number, np.empty(items, np.uint8), begin, end)


class Made:
    """Columns of texts that are made of values of a record: of each its parts, in order.

    A part is a text as it stands, or what makes a value of a path: `value`, `plain` or `member`.
    """

    def __init__(self, paths: Paths, *columns: Sequence[str | Part]) -> None:
        parts = [
            Part(texts.GIVEN, "", part) if isinstance(part, str) else part for column in columns for part in column
        ]
        signs, borders = _sought(tuple(part.before for part in parts))
        places = [paths.single.get(part.path, -1) for part in parts]
        count = np.cumsum([0, *map(len, columns)])
        self.columns = texts.Columns(
            _ints(count),
            np.array([part.what for part in parts], np.uint8),
            _ints(places),
            borders[:-1],
            borders[1:],
            signs,
        )
        self.values = np.array([place for place in places if place >= 0], np.int64)
        self._column = np.repeat(np.arange(len(columns)), np.diff(count))[np.array(places) >= 0]
        # Commas, quotes and braces of an object count twice: no member has more than two of them.
        self._fixed = np.add.reduceat(np.diff(borders).astype(np.int64) + 3, count[:-1])

    def room(self, sizes: Ints, rows: int) -> Ints:
        """Bytes that each column takes at most, where its values have those `sizes` together."""
        room = self._fixed * rows + 16
        np.add.at(room, self._column, sizes)
        return room


@dataclass(frozen=True)
class Part:
    """What stands in a text: `before`, then the value of a path."""

    what: int
    path: str
    before: str = ""


def value(path: str) -> Part:
    """The value itself; the text is null where it is missing."""
    return Part(texts.VALUE, path)


def plain(path: str) -> Part:
    """As `value`; doubted where it has escapes or a slash."""
    return Part(texts.PLAIN, path)


def member(name: str, path: str) -> Part:
    """A member of an object; left out where it is missing or empty, doubted where it has escapes."""
    return Part(texts.MEMBER, path, f'"{name}":"')


@dataclass(frozen=True)
class Values:
    """Values of one path: what each is and where it stands."""

    data: Bytes
    kind: Bytes
    begin: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]

    @once
    def is_there(self) -> Bools:
        """Which values are there and not null."""
        there: Bools = self.kind > kernel.NULL
        return there

    @once
    def is_text(self) -> Bools:
        """Which values are texts."""
        text: Bools = (self.kind == kernel.TEXT) | (self.kind == kernel.ESCAPED)
        return text

    def texts(self) -> pa.Array:
        """The values as texts; null where nothing or null stands."""
        room = int((self.end - self.begin).sum()) + 8
        out, ends = np.empty(room, np.uint8), np.empty(len(self.kind) + 1, np.int32)
        size = values.copy_values(self.data, self.kind, self.begin, self.end, out, ends)
        valid = None
        nulls = len(self.kind) - int(self.is_there.sum())
        if nulls:
            valid = pa.py_buffer(np.packbits(self.is_there, bitorder="little"))
        return pa.StringArray.from_buffers(len(self.kind), pa.py_buffer(ends), pa.py_buffer(out[:size]), valid, nulls)

    def counts(self) -> tuple[Ints, Bools, Bools]:
        """The values as counts, where one is known, and where something else stands."""
        out, known = np.empty(len(self.kind), np.int64), np.empty(len(self.kind), np.uint8)
        values.read_counts(self.data, self.kind, self.begin, self.end, out, known)
        return out, known == 1, known == 2

    def times(self) -> tuple[Ints, Bools, Bools]:
        """The values as microseconds since 1970 UTC, where one is known, and where something else stands."""
        out, known = np.empty(len(self.kind), np.int64), np.empty(len(self.kind), np.uint8)
        values.read_times(self.data, self.kind, self.begin, self.end, out, known)
        return out, known == 1, known == 2

    def are(self, *sought: str) -> Bools:
        """Which values are one of these texts."""
        return self.which(*sought) > 0

    def which(self, *sought: str) -> Bytes:
        """Which of these texts each value is: its number from 1 on, 0 for any other."""
        out = np.empty(len(self.kind), np.uint8)
        signs, borders = _sought(sought)
        texts.which_texts(self.data, self.kind, self.begin, self.end, signs, borders, out)
        return out

    def take(self, rows: Any) -> Values:
        """Some of the values."""
        return Values(self.data, self.kind[rows], self.begin[rows], self.end[rows])


@dataclass(frozen=True)
class Spans:
    """Where the wanted values of n records stand; `doubted` (n) where another parser must look."""

    paths: Paths
    data: Bytes
    places: kernel.Places
    listed: kernel.Listed
    doubted: Bools

    def __len__(self) -> int:
        return len(self.doubted)

    def __getitem__(self, path: str) -> Values:
        """The values of a path that leads to one."""
        at = self.paths.single[path]
        return Values(self.data, *(part[at] for part in self.places))

    def write(self, made: Made, rows: Ints) -> tuple[list[pa.Array], Bools]:
        """Columns of texts of the records `rows`, and for which rows another must make them."""
        columns, places = made.columns, made.values
        sizes = self.places.end[places] - self.places.begin[places]
        sizes = sizes if len(rows) == len(self) else sizes[:, rows]
        room = made.room(sizes.sum(axis=1, dtype=np.int64), len(rows))
        begins = np.concatenate(([0], np.cumsum(room)))
        out, ends = np.empty(int(begins[-1]), np.uint8), np.empty((len(room), len(rows) + 1), np.int64)
        ends[:, 0] = begins[:-1]
        valid, doubted = np.zeros((len(room), len(rows)), np.bool_), np.zeros(len(rows), np.bool_)
        texts.write_texts(self.data, self.places, rows, columns, texts.Written(out, ends, valid, doubted))
        ends -= begins[:-1, None]
        arrays = []
        for begin, offsets, known in zip(begins[:-1].tolist(), ends.astype(np.int32), valid, strict=True):
            nulls = len(rows) - int(np.count_nonzero(known))
            there = pa.py_buffer(np.packbits(known, bitorder="little")) if nulls else None
            signs = pa.py_buffer(out[begin : begin + int(offsets[-1])])
            arrays.append(pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), signs, there, nulls))
        return arrays, doubted

    def items(self, path: str) -> tuple[npt.NDArray[np.int32], Values]:
        """The record of each value of a path that leads to several, ascending, and the values."""
        mine = self.listed.number == self.paths.several[path]
        row, _, kind, begin, end = (part[mine] for part in self.listed)
        return row, Values(self.data, kind, begin, end)


@cache
def _sought(words: tuple[str, ...]) -> tuple[Bytes, npt.NDArray[np.int32]]:
    """Some texts one behind the other, and their borders."""
    encoded = [word.encode() for word in words]
    return np.frombuffer(b"".join(encoded), np.uint8), _ints(np.cumsum([0, *map(len, encoded)]))


def _declared(path: str, declared: str, nodes: dict[str, int]) -> None:
    """Note what may stand at the structs and arrays that an Ibis type declares below `path`."""
    outer, _, inner = declared.partition("<")
    if outer not in _NODES:
        return
    nodes[path] = _NODES[outer]
    inner = inner.strip().removesuffix(">")
    if outer == "array":
        _declared(path + _ITEM, inner, nodes)
        return
    for field in _fields(inner):
        name, _, kind = field.partition(":")
        _declared(f"{path}.{name.strip()}", kind.strip(), nodes)


def _fields(inner: str) -> Iterator[str]:
    """The fields of a struct's type."""
    depth = begin = 0
    for at, sign in enumerate(inner):
        depth += (sign == "<") - (sign == ">")
        if sign == "," and not depth:
            yield inner[begin:at]
            begin = at + 1
    yield inner[begin:]


def _wanted(single: dict[str, int], several: dict[str, int], may: Mapping[str, int]) -> kernel.Wanted:
    """The paths as a tree of states."""
    children: list[dict[str, int]] = [{}]
    items, place, listed, allowed = [-1], [-1], [-1], [ANY]

    def new() -> int:
        children.append({})
        for column in (items, place, listed):
            column.append(-1)
        allowed.append(ANY)
        return len(children) - 1

    for path in dict.fromkeys([*may, *single, *several]):
        state = 0
        for part in path.replace(_ITEM, f".{_ITEM}").split("."):
            if part == _ITEM:
                items[state] = new() if items[state] < 0 else items[state]
                state = items[state]
            else:
                if part not in children[state]:
                    children[state][part] = new()
                state = children[state][part]
        place[state] = single.get(path, -1)
        listed[state] = several.get(path, -1)
        allowed[state] = may.get(path, ANY)
    keys = [key.encode() for names in children for key in names]
    ends = np.cumsum([0, *map(len, keys)])
    return kernel.Wanted(
        _ints(np.cumsum([0, *map(len, children)])),
        _ints(ends[:-1]),
        _ints(ends[1:]),
        _ints([state for names in children for state in names.values()]),
        np.frombuffer(b"".join(keys), np.uint8).copy(),
        _ints(items),
        _ints(place),
        _ints(listed),
        np.array(allowed, np.uint16),
    )


def _ints(values: Sequence[int] | npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    return np.array(values, np.int32)
