"""Mappings of columns that a person saved under a name: layouts `saved.NAME`, recognised by their columns.

Each is a JSON file in the home's folder `layouts`, so that it can be copied to another home or kept in version
control. A table is of a saved mapping if it has all columns that the mapping names; of several, the one that names
most of the table's columns goes first.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from groundswell.errors import ConflictError, NotFoundError, UnknownChoiceError, UnreadableFileError, UsageError
from groundswell.platforms.generic.fitting import SAVED
from groundswell.platforms.generic.names import NAMES
from groundswell.platforms.generic.renamed import renamed, with_parameters
from groundswell.platforms.generic.table import Samples, table
from groundswell.platforms.layout import Layout
from groundswell.platforms.registry import Registry, registry
from groundswell.settings import Settings

FOLDER: Final = "layouts"
#: The share of the columns that a table must have to be of a mapping.
_MOSTLY: Final = 0.8
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A named mapping: column by field, platform (null: what the table says), zone of times that name none."""

    name: str
    map: Mapping[str, str]
    columns: tuple[str, ...] = ()
    """All columns of the table that it was made for; shown to people, not needed to recognise another."""

    platform: str | None = None
    tz: str | None = None
    hidden: tuple[str, ...] = field(default=())
    """Fields that are not to be guessed."""

    @property
    def layout_id(self) -> str:
        """`saved.NAME`, as the lake and `--layout` name it."""
        return f"{SAVED}.{self.name}"

    def document(self) -> dict[str, Any]:
        """The mapping as JSON has it."""
        return {**asdict(self), "map": dict(self.map), "columns": list(self.columns), "hidden": list(self.hidden)}


def folder_of(settings: Settings) -> Path:
    """Where saved mappings lie."""
    return settings.home.absolute() / FOLDER


def save(settings: Settings, mapping: SavedMapping, *, replace: bool = False) -> Path:
    """Write a mapping; gives its file.

    Raises:
        UsageError: the name is none of lower-case letters, digits, `-` and `_`, or no column is named.
        UnknownChoiceError: a field does not exist.
        ConflictError: a mapping of that name is there and `replace` was not said.
    """
    if not _NAME.fullmatch(mapping.name):
        what = f"`{mapping.name}` is no name of a layout"
        raise UsageError(what, hint="lower-case letters, digits, - and _, at most 64")
    for name in (*mapping.map, *mapping.hidden):
        if name not in NAMES:
            kind = "field"
            raise UnknownChoiceError(kind, name, NAMES)
    if not mapping.map:
        what = "a mapping names at least one column"
        raise UsageError(what, hint="--map text=COLUMN")
    path = folder_of(settings) / f"{mapping.name}.json"
    if path.exists() and not replace:
        what = f"a layout `{mapping.name}` is saved already"
        raise ConflictError(what, where=path, hint="--replace writes over it")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(mapping.document(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def remove(settings: Settings, name: str) -> None:
    """Forget a mapping; posts that it read stay.

    Raises:
        NotFoundError: there is none of that name; lists those that are there.
    """
    find(settings, name)
    (folder_of(settings) / f"{_bare(name)}.json").unlink()


def find(settings: Settings, name: str) -> SavedMapping:
    """The mapping of that name (with or without `saved.`).

    Raises:
        NotFoundError: there is none of that name; lists those that are there.
    """
    known = {mapping.name: mapping for mapping in listed(settings)}
    if _bare(name) not in known:
        what = f"no saved layout `{_bare(name)}`"
        raise NotFoundError(what, hint=f"there are: {', '.join(sorted(known)) or 'none yet'}")
    return known[_bare(name)]


def listed(settings: Settings) -> tuple[SavedMapping, ...]:
    """All saved mappings, by name.

    Raises:
        UnreadableFileError: one of the files is no mapping.
    """
    return _read(folder_of(settings), _state(folder_of(settings)))


def registry_for(settings: Settings) -> Registry:
    """All layouts with the saved ones; the same object while nothing changes."""
    folder = folder_of(settings)
    return _with_saved(folder, _state(folder))


def fitted(
    layout: Layout,
    columns: Sequence[str],
    samples: Samples,
    more: Mapping[str, str] | None,
    tz: str,
    platform: str | None,
) -> Layout:
    """A saved layout for a table with `columns`; `more` columns that a person names go before its own."""
    saved: SavedMapping = layout.parameters["saved"]
    mapping = {**{name: "" for name in saved.hidden}, **saved.map, **(more or {})}
    own = table(columns, mapping, saved.tz or tz, platform or saved.platform, samples, saved.name)
    return with_parameters(renamed(own, SAVED, saved.name, layout.description, layout.matches), layout.parameters)


def _bare(name: str) -> str:
    return name.removeprefix(f"{SAVED}.")


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells one state of the folder from another."""
    try:
        entries = [(entry.name, entry.stat()) for entry in os.scandir(folder) if entry.name.endswith(".json")]
    except FileNotFoundError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in entries))


@lru_cache(maxsize=8)
def _read(folder: Path, state: tuple[tuple[str, int, int], ...]) -> tuple[SavedMapping, ...]:
    found = []
    for name, _, _ in state:
        path = folder / name
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            columns = {str(key): str(value) for key, value in said["map"].items() if key in NAMES}
            hidden = tuple(said.get("hidden") or ())
            found.append(
                SavedMapping(
                    path.stem, columns, tuple(said.get("columns") or ()), said.get("platform"), said.get("tz"), hidden
                )
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = "not a saved layout"
            hint = "`groundswell layouts save` writes them; correct it or remove the file"
            raise UnreadableFileError(what, where=path, hint=hint) from error
    return tuple(found)


@lru_cache(maxsize=8)
def _with_saved(folder: Path, state: tuple[tuple[str, int, int], ...]) -> Registry:
    base = registry()
    saved = sorted(_read(folder, state), key=lambda mapping: (-len(mapping.map), mapping.name))
    own = tuple(_layout(mapping) for mapping in saved)
    return Registry((*own, *base.layouts)) if own else base


def _layout(mapping: SavedMapping) -> Layout:
    needed = tuple(column for column in mapping.map.values() if column)
    columns = tuple(dict.fromkeys((*mapping.columns, *(column.partition(".")[0] for column in needed))))
    base = table(columns, dict(mapping.map), mapping.tz or "UTC", mapping.platform, (), mapping.name)
    shown = ", ".join(f"{name}={column}" for name, column in mapping.map.items())
    layout = renamed(base, SAVED, mapping.name, f"saved mapping: {shown}", partial(_matches, needed, mapping.columns))
    return with_parameters(layout, MappingProxyType({**layout.parameters, "saved": mapping, "saved_as": mapping.name}))


def _matches(needed: Sequence[str], columns: Sequence[str], record: Mapping[str, Any]) -> bool:
    """Whether all columns that the mapping names are there, and most of the others that it was made for."""
    if not all(name in record or name.partition(".")[0] in record for name in needed):
        return False
    return sum(name in record for name in columns) >= _MOSTLY * len(columns)
