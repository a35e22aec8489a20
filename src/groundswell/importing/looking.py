"""The second look at lines that the chosen layout did not read: what is wrong with them, or what else they are.

A line may hold several records (an API's answer): each of them is then read, counted and, if need be, set aside
by itself, under the place of its line.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing.choice import GENERIC, Chooser, Held, NoPost
from groundswell.importing.reads import Flagged, Ignored, LineCountError, Posts, Read
from groundswell.importing.refusals import NOT_OBJECT, UNKNOWN_LAYOUT, Rejection, decode, platform_error
from groundswell.importing.wrappers import encoded, raw_at
from groundswell.schema import REJECT
from groundswell.sources.line_index import LineIndex
from groundswell.sources.lines import Numbers, Piece, read_lines

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms.layout import Layout

#: Why an answer without any record is ignored.
EMPTY_ANSWER: Final = "an answer that holds no records"

_LINES: Final = 5_000
_BYTES: Final = 16 << 20

#: From mapped rows, their layout, places and line numbers to whole rows.
MakePosts = Callable[[pa.Table, "Layout", Numbers, Numbers], Posts]


@dataclass(frozen=True)
class SecondLook:
    """Looks at lines of pieces once more; `layout` is the one that was chosen for them."""

    engine: Engine
    chooser: Chooser
    tmp: Path
    posts: MakePosts
    layout: Layout | None

    def at(self, piece: Piece, flagged: Iterable[Flagged]) -> Iterator[Read]:
        """What the flagged lines are: rows, ignored ones and rejections, some lines at a time.

        Raises:
            LineCountError: the engine lost count.
        """
        for lines in _bounded(piece.path, flagged):
            sorted_out = _SortedOut(self.chooser, self.layout)
            for line in lines:
                sorted_out.add(line)
            for (name, reason), numbers in sorted_out.ignored.items():
                yield Ignored(None if name is None else self.chooser.registry.get(name), reason, numbers)
            refused = sorted_out.refused
            for group in sorted_out.groups.values():
                yield from self._group(group.fitted(self.chooser), group.lines, refused)
            if refused:
                yield sorted(refused, key=lambda rejection: rejection.row)

    def _group(self, layout: Layout, lines: list[_Line], refused: list[Rejection]) -> Iterator[Posts]:
        """Lines that are JSON objects of `layout`; what it objects to is added to `refused`."""
        path = self.tmp / f"look-{secrets.token_hex(8)}.ndjson"
        self.tmp.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(b"".join(line.raw + b"\n" for line in lines))
            rows = pa.Table.from_batches(self.engine.map_json(path, layout, explain=False))
        finally:
            path.unlink(missing_ok=True)
        if rows.num_rows != len(lines):
            what = f"the engine gave {rows.num_rows:,} rows for {len(lines):,} records"
            raise LineCountError(what)
        offsets = np.array([line.offset for line in lines], dtype=np.int64)
        numbers = np.array([line.number for line in lines], dtype=np.int64)
        bad = pc.is_valid(rows[REJECT]).to_numpy()
        for at in np.flatnonzero(bad).tolist():
            line = lines[at]
            refused.append(objected(layout, rows[REJECT][at].as_py(), line.offset, line.number, line.raw))
        if not bad.all():
            yield self.posts(rows.filter(pa.array(~bad)), layout, offsets[~bad], numbers[~bad])


def all_lines(index: LineIndex) -> Iterator[Flagged]:
    """Every line of a piece, with no objection to any."""
    while True:
        local, offsets, numbers = index.take(_LINES)
        if not len(local):
            return
        yield Flagged(local, offsets, numbers, [None] * len(local))


def objected(layout: Layout, reject: str, offset: int, number: int, raw: bytes) -> Rejection:
    """A layout's objection: what stands before the first `: ` is the reason, the value stands behind."""
    columns = tuple(layout.parameters.get("map", {}).items()) if layout.platform == GENERIC else ()
    reason = reject.partition(": ")[0]
    return Rejection(offset, number, reason, reject, raw, layout.platform, layout.id, columns=columns)


@dataclass(frozen=True, slots=True)
class _Line:
    """A record: its bytes, its place, the number of its line, and the objection of the chosen layout."""

    raw: bytes
    offset: int
    number: int
    reject: str | None


@dataclass(frozen=True, slots=True)
class _Group:
    """Records of one layout, and the keys that they have."""

    layout: Layout
    lines: list[_Line]
    names: dict[str, None]

    def fitted(self, chooser: Chooser) -> Layout:
        """The layout for all of them."""
        return chooser.joined(self.layout, list(self.names))


class _SortedOut:
    """Some lines by what becomes of them."""

    def __init__(self, chooser: Chooser, layout: Layout | None) -> None:
        self.refused: list[Rejection] = []
        self.ignored: dict[tuple[str | None, str], list[int]] = {}
        self.groups: dict[object, _Group] = {}
        self._chooser = chooser
        self._layout = layout

    def add(self, line: _Line) -> None:
        """Put one line, or what it holds, where it belongs."""
        record, reason, detail = decode(line.raw)
        if record is None:
            self._refuse(line, reason, detail, self._layout)
        else:
            self._sort(line, record)

    def _sort(self, line: _Line, record: dict[str, Any], depth: int = 0) -> None:
        found = self._chooser.sort(record, depth)
        if isinstance(found, Held):
            self._take_apart(line, found, depth)
        elif isinstance(found, NoPost):
            self._ignore(line, found.layout.id, found.reason)
        elif found is None:
            said = platform_error(record)
            keys = f"keys {', '.join(record)[:200]}" if record else "an empty object"
            self._refuse(line, said or UNKNOWN_LAYOUT, said or keys, None)
        elif line.reject is not None and _same(found, self._layout):
            self.refused.append(objected(found, line.reject, line.offset, line.number, line.raw))
        else:
            group = self.groups.setdefault(_kind(found), _Group(found, [], {}))
            group.lines.append(line)
            if found.platform == GENERIC:
                group.names.update(dict.fromkeys(found.raw))

    def _take_apart(self, line: _Line, held: Held, depth: int) -> None:
        """Each record that stands in the line, under the place of the line."""
        if not held.records:
            self._ignore(line, None, EMPTY_ANSWER)
        raws = encoded(held.records) if held.path is None else raw_at(line.raw, held.path, held.records)
        for raw, record in zip(raws, held.records, strict=True):
            one = replace(line, raw=raw, reject=None)
            if isinstance(record, dict):
                self._sort(one, record, depth + 1)
            else:
                self._refuse(one, NOT_OBJECT, raw[:200].decode("utf-8", "replace"), None)

    def _ignore(self, line: _Line, layout: str | None, reason: str) -> None:
        self.ignored.setdefault((layout, reason), []).append(line.number)

    def _refuse(self, line: _Line, reason: str, detail: str, layout: Layout | None) -> None:
        self.refused.append(Rejection(line.offset, line.number, reason, detail, line.raw, *_named(layout)))


def _named(layout: Layout | None) -> tuple[str | None, str | None]:
    return (None, None) if layout is None else (layout.platform, layout.id)


def _kind(layout: Layout) -> object:
    """What lines must have in common to be read at once: the layout, and of a generic one the columns it chose."""
    return (layout.id, *sorted(layout.parameters["map"].items())) if "map" in layout.parameters else layout.id


def _same(layout: Layout, other: Layout | None) -> bool:
    return other is not None and _kind(layout) == _kind(other)


def _bounded(path: Path, flagged: Iterable[Flagged]) -> Iterator[Sequence[_Line]]:
    """The flagged lines with their bytes, some at a time."""
    lines: list[_Line] = []
    size = 0
    for part in flagged:
        raws = read_lines(path, part.local.tolist())
        places: Iterable[Any] = zip(raws, part.offsets.tolist(), part.numbers.tolist(), part.rejects, strict=True)
        for raw, offset, number, reject in places:
            lines.append(_Line(raw, offset, number, reject))
            size += len(raw)
            if len(lines) >= _LINES or size >= _BYTES:
                yield lines
                lines, size = [], 0
    if lines:
        yield lines
