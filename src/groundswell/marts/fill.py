"""How often each field of a layout has a value, import by import, and which keys the layout does not read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake import Lake
from groundswell.marts.fill_rule import LEAST_FALL, LEAST_NOW, LEAST_PART, Fall, Group, fall_of

TABLE: Final = "fill"
FIELD, KEY, CELL, RECORD = "field", "key", "cell", "record"
#: The past that the newest records are compared with, days.
PAST_DAYS: Final = 28
DAY_US: Final = 86_400_000_000
_INSTEAD: Final = 5

#: From and to (null: still), microseconds: what was taken in between is no part of the past.
Span = tuple[int, int | None]


@dataclass
class Batch:
    """What one import (or hour, or day of them) counted of one version of a layout: (kind, name) to records, filled."""

    at_us: int
    version: int
    counts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Rows that it stored."""
        return max((n for (kind, _), (n, _k) in self.counts.items() if kind == FIELD), default=0)

    def group(self, kind: str, name: str) -> Group:
        """The counts of one name; a field that it does not mention has no value in it."""
        if kind == FIELD:
            return Group(self.stored, self.counts.get((kind, name), (0, 0))[1])
        if kind == KEY:
            return Group(self.counts.get((KEY, ""), (0, 0))[0], self.counts.get((kind, name), (0, 0))[1])
        return Group(*self.counts.get((kind, name), (0, 0)))


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a layout does not read: in what part of the sampled records it stands, now and before."""

    key: str
    share: float
    before: float | None
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Share:
    """In what part of the newest records a field has a value, and before (null: there is no past)."""

    field: str
    share: float
    records: int
    before: float | None
    records_before: int


@dataclass(frozen=True, slots=True)
class Drifted:
    """A field whose share fell (empty: records that the layout can use at all), and what stands there instead."""

    field: str
    since_us: int
    version: int
    fall: Fall
    instead: list[Key]
    cells: list[str]


@dataclass(frozen=True)
class LayoutFill:
    """The counts of one layout, oldest first."""

    layout: str
    batches: list[Batch]

    def newest(self) -> list[Batch]:
        """The newest batches of one version that hold `LEAST_NOW` records together; all of them if they hold fewer."""
        found: list[Batch] = []
        for batch in reversed(self.batches):
            if found and batch.version != found[-1].version:
                break
            found.append(batch)
            if sum(max(b.stored, b.group(RECORD, "").records) for b in found) >= LEAST_NOW:
                break
        return found[::-1]

    def past(self, without: Sequence[Span] = ()) -> list[Batch]:
        """What was before the newest, in the last `PAST_DAYS` days, without some spans."""
        newest = self.newest()
        if not newest:
            return []
        first = newest[0].at_us - PAST_DAYS * DAY_US
        batches = self.batches[: len(self.batches) - len(newest)]
        return [b for b in batches if b.at_us >= first and not any(_within(b.at_us, span) for span in without)]

    def now(self, kind: str, name: str) -> Group:
        """The newest counts of one name."""
        return _sum(batch.group(kind, name) for batch in self.newest())

    def drifted(self, name: str, without: Sequence[Span] = ()) -> Drifted | None:
        """Whether the share of a field (empty: of usable records) has fallen; null if not."""
        kind = FIELD if name else RECORD
        newest, past = self.newest(), self.past(without)
        if not newest:
            return None
        fall = fall_of(_by_day(past, kind, name, newest[0].at_us), _sum(b.group(kind, name) for b in newest))
        if fall is None:
            return None
        cells = _examples(newest, CELL, _cell_names(newest, name)) if name else _examples(newest, RECORD, [""])
        instead = self._risen(newest, past, fall)
        return Drifted(name, newest[0].at_us, newest[0].version, fall, instead, cells)

    def fields(self) -> list[str]:
        """All fields that ever had a value, and the empty name of usable records."""
        names = {
            name
            for batch in self.batches
            for (kind, name), (_, filled) in batch.counts.items()
            if kind == FIELD and filled
        }
        return ["", *sorted(names)]

    def shares(self) -> list[Share]:
        """The share of each field now, and before."""
        newest, past = self.newest(), self.past()
        found = []
        for name in self.fields()[1:]:
            now, was = _sum(b.group(FIELD, name) for b in newest), _sum(b.group(FIELD, name) for b in past)
            if now.records:
                found.append(Share(name, now.filled / now.records, now.records, _share(was), was.records))
        return found

    def unknown(self) -> list[Key]:
        """The keys of the newest records that the layout does not read, most frequent first."""
        newest, past = self.newest(), self.past()
        found = [self._key(name, newest, past) for name in _key_names(newest)]
        return sorted(found, key=lambda key: (-key.share, key.key))

    def _risen(self, newest: Sequence[Batch], past: Sequence[Batch], fall: Fall) -> list[Key]:
        """The keys whose share rose when that of the field fell, those first that rose most like it fell."""
        lost = fall.before - fall.now
        keys = [self._key(name, newest, past) for name in _key_names(newest)]
        rises = [(key.share - (key.before or 0.0), key) for key in keys]
        risen = [(rise, key) for rise, key in rises if rise >= max(LEAST_FALL, LEAST_PART * lost)]
        return [key for _, key in sorted(risen, key=lambda pair: (abs(pair[0] - lost), pair[1].key))[:_INSTEAD]]

    def _key(self, name: str, newest: Sequence[Batch], past: Sequence[Batch]) -> Key:
        now, was = _sum(b.group(KEY, name) for b in newest), _sum(b.group(KEY, name) for b in past)
        return Key(name, _share(now) or 0.0, _share(was), _examples(newest, KEY, [name]))


def read_fill(lake: Lake, layouts: Collection[str] | None = None, *, since_us: int = 0) -> list[LayoutFill]:
    """The counts of some layouts (null: all), taken in since then."""
    rows = lake.read(TABLE)
    keep = pc.greater_equal(rows["at"].cast(pa.int64()), since_us)
    if layouts is not None:
        keep = pc.and_(keep, pc.is_in(rows["layout"], value_set=pa.array(list(layouts), pa.string())))
    rows = rows.filter(keep)
    at = rows["at"].cast(pa.int64()).to_pylist()
    found: dict[str, dict[tuple[int, str, int], Batch]] = {}
    for at_us, row in zip(at, rows.drop_columns(["at"]).to_pylist(), strict=True):
        place = (at_us, row["batch"] or "", row["layout_version"])
        batch = found.setdefault(row["layout"], {}).setdefault(place, Batch(at_us, row["layout_version"]))
        name = (row["kind"], row["name"])
        # A run of several parts has several rows of one name.
        before = batch.counts.get(name, (0, 0))
        batch.counts[name] = before[0] + row["records"], before[1] + row["filled"]
        batch.examples.setdefault(name, []).extend(row["examples"] or ())
    return [LayoutFill(layout, [by[place] for place in sorted(by)]) for layout, by in sorted(found.items())]


def _within(at_us: int, span: Span) -> bool:
    return span[0] <= at_us and (span[1] is None or at_us < span[1])


def _sum(groups: Iterable[Group]) -> Group:
    every = list(groups)
    return Group(sum(group.records for group in every), sum(group.filled for group in every))


def _share(group: Group) -> float | None:
    return group.filled / group.records if group.records else None


def _by_day(batches: Sequence[Batch], kind: str, name: str, now_us: int) -> list[Group]:
    """A group for each day before today, and one for each batch of today."""
    today = now_us // DAY_US
    days = groupby(batches, key=lambda b: (b.at_us // DAY_US, b.at_us if b.at_us // DAY_US == today else 0))
    groups = [_sum(batch.group(kind, name) for batch in members) for _, members in days]
    return [group for group in groups if group.records]


def _key_names(batches: Iterable[Batch]) -> list[str]:
    return sorted({name for batch in batches for kind, name in batch.counts if kind == KEY and name})


def _cell_names(batches: Iterable[Batch], field_name: str) -> list[str]:
    """Unread cells go by the platform's names; those that are alike are of the field, else any may be."""
    names = sorted({name for batch in batches for kind, name in batch.counts if kind == CELL})
    return [name for name in names if name == field_name.removeprefix("metrics.")] or names


def _examples(batches: Iterable[Batch], kind: str, names: Sequence[str]) -> list[str]:
    shown = [
        text if kind != CELL else f"{name}={text}"
        for batch in batches
        for name in names
        for text in batch.examples.get((kind, name), [])
    ]
    return list(dict.fromkeys(shown))[:3]
