"""The layouts that are installed, and which of them a record is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any, Final

from groundswell.errors import UnknownChoiceError
from groundswell.platforms.layout import Layout

GROUP: Final = "groundswell.platforms"
_CATCH_ALL: Final = "generic"
_SAMPLE: Final = 100


@dataclass(frozen=True)
class Registry:
    """All layouts, the most specific first and the generic table last."""

    layouts: tuple[Layout, ...]

    def get(self, layout_id: str) -> Layout:
        """The layout named `platform.name`, or the saved mapping of that name.

        Raises:
            UnknownChoiceError: there is none; lists all.
        """
        for layout in self.layouts:
            if layout_id in (layout.id, layout.parameters.get("saved_as")):
                return layout
        kind = "layout"
        raise UnknownChoiceError(kind, layout_id, (layout.id for layout in self.layouts))

    def of_platform(self, platform: str) -> Registry:
        """The layouts of one platform and the generic ones.

        Raises:
            UnknownChoiceError: no layout is of that platform.
        """
        known = {layout.platform for layout in self.layouts}
        if platform not in known:
            kind = "platform"
            raise UnknownChoiceError(kind, platform, known)
        return Registry(tuple(layout for layout in self.layouts if layout.platform in (platform, _CATCH_ALL)))

    def recognise(self, record: Mapping[str, Any]) -> Layout | None:
        """The first layout that says the record is its own; None if none does."""
        for layout in self.layouts:
            if layout.matches(record):
                return layout
        return None

    def recognise_sample(self, records: Iterable[Mapping[str, Any]]) -> Layout | None:
        """The layout that most of the first hundred records are of; None if most are of none."""
        votes: Counter[str] = Counter()
        for number, record in enumerate(records):
            if number == _SAMPLE:
                break
            layout = self.recognise(record)
            votes[layout.id if layout else ""] += 1
        votes.pop("", None) if len(votes) > 1 else None
        winner = votes.most_common(1)
        return self.get(winner[0][0]) if winner and winner[0][0] else None


@cache
def registry() -> Registry:
    """The layouts of every entry point `groundswell.platforms`; the built-in ones where none is installed."""
    groups: list[tuple[Layout, ...]] = [point.load() for point in entry_points(group=GROUP)]
    if not groups:
        groups = [import_module(name).LAYOUTS for name in _built_in()]
    by_id = {layout.id: layout for group in groups for layout in group}
    return Registry(tuple(sorted(by_id.values(), key=_order)))


def _order(layout: Layout) -> tuple[bool, bool, str]:
    """The generic ones last, and of them the table that takes nearly everything."""
    return layout.platform == _CATCH_ALL, layout.name == "table", layout.id


def _built_in() -> list[str]:
    """The platforms of this package: its folders."""
    package = __name__.rpartition(".")[0]
    return [f"{package}.{found.name}" for found in iter_modules(import_module(package).__path__) if found.ispkg]
