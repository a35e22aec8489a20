"""Which layout reads what: the one that a person named, a column map, or what the content looks like."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from groundswell.errors import UnknownChoiceError

if TYPE_CHECKING:
    from groundswell.platforms import Registry
    from groundswell.platforms.layout import Layout

#: Records that are looked at to choose the layout of a file.
SAMPLE: Final = 200

#: Platform of the layouts that guess.
GENERIC: Final = "generic"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chose for an import: layout, column map (`field: column`), platform, time zone."""

    layout: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None
    tz: str = "UTC"
    dry_run: bool = False

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

    def for_sample(self, records: Sequence[Record], columns: Sequence[str] | None = None) -> Layout | None:
        """The layout of most of some records; null if none reads them.

        Raises:
            GroundswellError: the column map names a field or a column that does not exist.
        """
        if not records and columns is None:
            return None
        names = list(columns) if columns is not None else _keys(records)
        if self.options.mapping:
            return self._table(names)
        if self.options.layout is not None:
            return self._fitted(self.registry.get(self.options.layout), names)
        found = self._restricted().recognise_sample(records) if records else None
        return None if found is None else self._fitted(found, names)

    def for_record(self, record: Record) -> Layout | None:
        """The layout of one record among others; null if none reads it."""
        found = self._restricted().recognise(record)
        return None if found is None else self._fitted(found, list(record))

    def ignored(self, record: Record) -> tuple[Layout, str] | None:
        """The layout that knows the record as no post, and what it is; null if none does."""
        for layout in self.registry.layouts:
            if layout.ignores is not None and (reason := layout.ignores(record)):
                return layout, reason
        return None

    def unwraps(self) -> set[tuple[str, ...]]:
        """Key paths under which documents hold their records."""
        return {path for layout in self.registry.layouts for path in layout.unwraps}

    def _restricted(self) -> Registry:
        wanted = self.options.platform or ""
        platforms = {layout.platform for layout in self.registry.layouts}
        # Any other name is what the generic table shall call the platform.
        return self.registry.of_platform(wanted) if wanted in platforms else self.registry

    def _fitted(self, layout: Layout, columns: Sequence[str]) -> Layout:
        """A generic layout is fitted to the columns, the time zone and the platform."""
        return self._table(columns) if layout.platform == GENERIC else layout

    def _table(self, columns: Sequence[str]) -> Layout:
        from groundswell.platforms import generic  # noqa: PLC0415 - loads Ibis, which only a generic table needs

        return generic.table(columns, self.options.mapping, self.options.tz, self.options.platform)


def _keys(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def read_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """A column map from `field=column` texts.

    >>> read_mapping(["text=Tweet body"])
    {'text': 'Tweet body'}

    Raises:
        UnknownChoiceError: a text is not of that form.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or not name.strip() or not column.strip():
            kind = "--map form"
            raise UnknownChoiceError(kind, pair, ["field=column"])
        mapping[name.strip()] = column.strip()
    return mapping
