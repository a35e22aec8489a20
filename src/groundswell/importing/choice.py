"""Which layout reads what: the one that a person named, a column map, or what the content looks like."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from groundswell.errors import ConflictError, UnknownChoiceError
from groundswell.importing.refusals import platform_error
from groundswell.importing.wrappers import Path_, held_at
from groundswell.platforms.layout import Layout
from groundswell.sources.documents import RECORD_KEYS

if TYPE_CHECKING:
    import pyarrow as pa

    from groundswell.importing.part import Part
    from groundswell.platforms import Registry
    from groundswell.sources.databases import Question

#: Records that are looked at to choose the layout of a file.
SAMPLE: Final = 200
#: Rows of a table in which is seen how it writes days and numbers.
EVIDENCE: Final = 10_000
#: So many of them are enough where they are all of one layout of its own.
AGREE: Final = 4
#: In a file of at most so many bytes one is: what it is wrong about costs a second look at few lines.
SMALL: Final = 2 << 20
#: Those that vote where they are not.
_VOTERS: Final = 100
#: How deep answers may stand in answers.
_DEEPEST: Final = 4
_COMMON: Final = tuple((key,) for key in sorted(RECORD_KEYS))

#: Platforms of the layouts that are fitted to the columns: those that guess, and a person's saved mappings.
GENERIC: Final = "generic"
_FITTED: Final = (GENERIC, "saved")
_TABLE: Final = "table"
#: What names of columns find in an error answer: its message, its address, its kind.
_OF_ERRORS: Final = {"text", "title", "url", "kind"}

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chose for an import: layout, column map (`field: column`), platform, time zone."""

    layout: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None
    tz: str = "UTC"
    dry_run: bool = False
    raw: bool = True
    """Whether the raw records are kept."""

    part: Part | None = None
    """Which of the records are wanted; null: all."""

    force: bool = False
    """Whether to import what the disk may not have room for."""

    question: Question | None = None
    """What databases are asked."""

    @classmethod
    def from_hint(cls, hint: Mapping[str, Any] | None, tz: str) -> Options:
        """The options that a stream's or a quarantined record's hint names."""
        known = hint or {}
        return cls(known.get("layout"), known.get("map") or {}, known.get("platform"), known.get("tz") or tz)

    def to_hint(self, default_tz: str, **more: object) -> str | None:
        """The options as the JSON hint of a quarantined record; null if nothing was chosen."""
        said: dict[str, object] = {"layout": self.layout, "map": dict(self.mapping), "platform": self.platform}
        if self.tz != default_tz:
            said["tz"] = self.tz
        said = {name: value for name, value in {**said, **more}.items() if value}
        return json.dumps(said, ensure_ascii=False) if said else None


@dataclass(frozen=True, slots=True)
class Held:
    """The records that stand in another: under `path`, or (null) as a layout took them out."""

    records: Sequence[Any]
    path: Path_ | None


@dataclass(frozen=True, slots=True)
class NoPost:
    """A record that a layout knows as no post, and what it is."""

    layout: Layout
    reason: str


@dataclass(frozen=True)
class Chooser:
    """Chooses layouts by the options of one import.

    Raises:
        UnknownChoiceError: (when it is made by `for_options`) there is no such layout or platform.
    """

    registry: Registry
    options: Options

    @classmethod
    def for_options(cls, registry: Registry, options: Options) -> Chooser:
        """A chooser, after the names in the options were checked."""
        if options.layout is not None:
            registry.get(options.layout)
        return cls(registry, options)

    @property
    def is_forced(self) -> bool:
        """Whether a person named the layout or a column map, so that the content does not decide."""
        return self.options.layout is not None or bool(self.options.mapping)

    def for_sample(
        self, records: Iterable[Record], columns: Sequence[str] | None = None, agree: int = AGREE
    ) -> Layout | None:
        """The layout of most of some records; null if none reads them, or if they hold the records.

        If the first `agree` are all of one layout of its own, they decide; a generic one is fitted to all of them.

        Raises:
            GroundswellError: the column map names a field or a column that does not exist.
        """
        sample = iter(records)
        if not self.is_forced and columns is None:
            first = list(islice(sample, agree))
            agreed = {id(found): found for found in map(self.sort, first)}
            only = next(iter(agreed.values()), None)
            if len(agreed) == 1 and isinstance(only, Layout) and _is_specific(only):
                return only
            sample = chain(first, sample)
        seen = list(sample)
        if not seen and columns is None:
            return None
        names = list(columns) if columns is not None else _keys(seen)
        if self.options.mapping:
            return None if self._held_by(seen) else self._table(names, seen)
        if self.options.layout is not None:
            return None if self._held_by(seen) else self._fitted(self.registry.get(self.options.layout), names, seen)
        return self._most(seen, names)

    def _most(self, records: Sequence[Record], names: Sequence[str]) -> Layout | None:
        """The layout that most of the first records are of; those that no layout knows have no vote."""
        found = [self.sort(record) for record in records[:_VOTERS]]
        layouts = [sorted_ for sorted_ in found if isinstance(sorted_, Layout)]
        if not layouts:
            return None
        winner, _ = Counter(layout.id for layout in layouts).most_common(1)[0]
        if winner.partition(".")[0] in _FITTED and any(isinstance(sorted_, Held) for sorted_ in found):
            return None  # a table's names would read what holds the records as one of them
        return self._guessed(self.registry.get(winner), names, records)

    def sort(self, record: Record, depth: int = 0) -> Held | NoPost | Layout | None:
        """What a record is: one that holds others, one that is no post, or one of a layout; null if nothing knows it.

        What only one layout can mean comes before what any table could: an answer with an `id` and `items` is
        an answer. Answers are looked into `_DEEPEST` times.
        """
        if depth < _DEEPEST and (held := self._expanded(record)) is not None:
            return held
        if (known := self.ignored(record)) is not None:
            return known
        own = self._own(record)
        if _is_specific(own):
            return own
        if depth < _DEEPEST and (held := self._held(record, self._paths, depth, sure=True)) is not None:
            return held
        if own is None and depth < _DEEPEST:
            held = self._held(record, (*self._paths, *_COMMON), depth, sure=False)
        return held or own or self._refusing(record)

    def ignored(self, record: Record) -> NoPost | None:
        """The layout that knows the record as no post, and what it is; null if none does."""
        for layout in self._ignoring:
            if layout.ignores is not None and (reason := layout.ignores(record)):
                return NoPost(layout, reason)
        return None

    def unwraps(self) -> set[Path_]:
        """Key paths under which documents hold their records."""
        return set(self._paths) | set(_COMMON)

    def is_whole(self, record: Record) -> bool:
        """Whether a document is a record as it stands: of a layout of its own, no post, or to be taken apart whole."""
        found = self.sort(record)
        return isinstance(found, NoPost) or (isinstance(found, Held) and found.path is None) or _is_specific(found)

    def _own(self, record: Record) -> Layout | None:
        """The layout that claims the record, fitted to it."""
        if self.options.mapping:
            return None if set(self.options.mapping.values()).isdisjoint(record) else self._refusing(record)
        if self.options.layout is None:
            found = self._restricted.recognise(record)
        else:
            named = self.registry.get(self.options.layout)
            found = named if named.matches(record) else None
        if found is None or (found.name == _TABLE and _is_error(record)):
            return None
        # Where names alone do not tell the columns apart, the cells must.
        tells = found.platform in _FITTED and (_is_nested(record) or not found.matches(dict.fromkeys(record)))
        return self._guessed(found, list(record), (record,) if tells else ())

    def _refusing(self, record: Record) -> Layout | None:
        """The layout that a person chose, which is to say what is wrong with a record that it does not claim."""
        if self.options.mapping:
            return self._table(list(dict.fromkeys((*record, *self.options.mapping.values()))))
        named = self.registry.get(self.options.layout) if self.options.layout else None
        return named if _is_specific(named) else None

    def _expanded(self, record: Record) -> Held | None:
        for layout in self._expanding:
            if layout.expand is not None and (records := layout.expand(record)) is not None:
                return Held(records, None)
        return None

    def _held(self, record: Record, paths: Iterable[Path_], depth: int, *, sure: bool) -> Held | None:
        """What stands under one of the paths; `sure`: only where a layout of its own knows one of the first."""
        for path in paths:
            records = held_at(record, path)
            if records is None:
                continue
            first = [one for one in records[:AGREE] if isinstance(one, dict)]
            if not sure or any(self._is_known(one, depth + 1) for one in first):
                return Held(records, path)
        return None

    def _is_known(self, record: Record, depth: int) -> bool:
        found = self.sort(record, depth)
        if self.is_forced:
            return found is not None and self._own(record) is not None
        return isinstance(found, Held | NoPost) or _is_specific(found)

    def _held_by(self, records: Sequence[Record]) -> bool:
        """Whether the first records are wrappers, for an import whose layout was chosen by a person."""
        return any(isinstance(self.sort(record), Held) for record in records[:AGREE])

    @cached_property
    def _paths(self) -> tuple[Path_, ...]:
        """Where layouts say that their records stand, the longest path first."""
        paths = dict.fromkeys(path for layout in self.registry.layouts for path in layout.unwraps)
        return tuple(sorted(paths, key=len, reverse=True))

    @cached_property
    def _ignoring(self) -> tuple[Layout, ...]:
        return tuple(layout for layout in self.registry.layouts if layout.ignores is not None)

    @cached_property
    def _expanding(self) -> tuple[Layout, ...]:
        return tuple(layout for layout in self.registry.layouts if layout.expand is not None)

    @cached_property
    def _restricted(self) -> Registry:
        wanted = self.options.platform or ""
        platforms = {layout.platform for layout in self.registry.layouts}
        # Any other name is what the generic table shall call the platform.
        return self.registry.of_platform(wanted) if wanted in platforms else self.registry

    def refitted(self, layout: Layout | None, columns: Sequence[str], rows: pa.Table) -> Layout | None:
        """A fitted layout by more rows of its table: one of many may be the first that tells days from months."""
        if layout is None or layout.platform not in _FITTED or rows.num_rows <= SAMPLE:
            return layout
        return self._fitted(layout, columns, rows.slice(0, EVIDENCE).to_pylist())

    def joined(self, layout: Layout, columns: Sequence[str]) -> Layout:
        """A generic layout with the same choice of columns over more of them; any other as it is."""
        if layout.platform not in _FITTED:
            return layout
        from groundswell.platforms import generic  # noqa: PLC0415 - loads Ibis, which only a generic table needs

        return generic.joined(layout, columns)

    def _fitted(self, layout: Layout, columns: Sequence[str], samples: Sequence[Record] = ()) -> Layout:
        """A layout that is fitted: to the columns, to how a sample writes days and numbers, to the options."""
        return self._table(columns, samples, layout) if layout.platform in _FITTED else layout

    def _guessed(self, layout: Layout, columns: Sequence[str], samples: Sequence[Record]) -> Layout | None:
        """`_fitted` for a layout that nobody named: a table in which it finds neither text nor id is of none."""
        try:
            return self._fitted(layout, columns, samples)
        except ConflictError:
            return None

    def _table(self, columns: Sequence[str], samples: Sequence[Record] = (), layout: Layout | None = None) -> Layout:
        from groundswell.platforms import generic  # noqa: PLC0415 - loads Ibis, which only a generic table needs

        said = self.options
        return generic.fit(layout, columns, samples, mapping=said.mapping, tz=said.tz, platform=said.platform)


def _is_specific(found: object) -> bool:
    """Whether a record is of a layout that knows its kind by more than the names of its columns."""
    return isinstance(found, Layout) and found.platform not in _FITTED


def _is_error(record: Record) -> bool:
    """Whether a record that a table's names would read is an error answer and nothing beside it."""
    if not isinstance(record, dict) or (said := platform_error(record)) is None or "code" in record:
        return False
    from groundswell.platforms import generic  # noqa: PLC0415 - loads Ibis, which only a generic table needs

    return bool(said) and generic.guess(list(record), [record]).keys() <= _OF_ERRORS


def _is_nested(record: Record) -> bool:
    return any(isinstance(value, dict) for value in record.values())


def _keys(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def read_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """A column map from `field=column` texts; without a column the field is not to be guessed.

    >>> read_mapping(["text=Tweet body", "likes="])
    {'text': 'Tweet body', 'likes': ''}

    Raises:
        UnknownChoiceError: a text is not of that form.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or not name.strip():
            kind = "--map form"
            raise UnknownChoiceError(kind, pair, ["field=column"])
        mapping[name.strip()] = column.strip()
    return mapping
