"""Records with objects in them as columns with dotted names: `stats.likes` is the key `likes` of the object `stats`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import ibis.expr.datatypes as dt

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: How deep objects in objects are looked into, and how many columns that makes at most.
_DEEPEST: Final = 5
_MOST: Final = 1000

Path_ = tuple[str, ...]


def leaves_of(columns: Sequence[str], samples: Iterable[Mapping[str, Any]]) -> dict[str, Path_]:
    """The path of each column: keys that hold objects in the samples, and nothing else, are opened.

    >>> leaves_of(["id", "stats"], [{"id": 1, "stats": {"likes": 3}}])
    {'id': ('id',), 'stats.likes': ('stats', 'likes')}
    """
    rows = list(samples)
    found: dict[str, Path_] = {}
    for column in columns:
        for path in _opened((column,), [row.get(column) for row in rows]):
            name = ".".join(path)
            # A column that is called `a.b` goes before the key `b` of `a`.
            if len(path) == 1 or (name not in columns and len(found) < _MOST):
                found.setdefault(name, path)
    return found


def _opened(path: Path_, values: Sequence[Any]) -> list[Path_]:
    some = [value for value in values if value is not None]
    objects = [value for value in some if isinstance(value, Mapping) and value]
    if not objects or len(path) >= _DEEPEST or not all(isinstance(value, Mapping) for value in some):
        return [path]
    # No engine has a field without a name.
    keys = dict.fromkeys(key for value in objects for key in value if key)
    return [leaf for key in keys for leaf in _opened((*path, key), [value.get(key) for value in objects])]


def distinct(paths: Mapping[str, Path_]) -> dict[str, Path_]:
    """The columns that engines can tell apart: of keys that differ in case only, the first is read.

    >>> sorted(distinct({"Text": ("Text",), "text": ("text",), "id": ("id",)}))
    ['Text', 'id']
    """
    spelled: dict[Path_, str] = {}
    kept: dict[str, Path_] = {}
    leaves: set[Path_] = set()
    for name, path in paths.items():
        folded = tuple(key.lower() for key in path)
        prefixes = [folded[:depth] for depth in range(1, len(path) + 1)]
        if folded in leaves or any(prefix in leaves for prefix in prefixes):
            continue
        if any(spelled.setdefault(prefix, path[len(prefix) - 1]) != path[len(prefix) - 1] for prefix in prefixes):
            continue
        leaves.add(folded)
        kept[name] = path
    return kept


def raw_of(paths: Iterable[Path_]) -> dict[str, Any]:
    """The raw record in which the (distinct) paths are texts: columns by name, objects as structs."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = "string"
    return {key: _type_of(part) for key, part in tree.items()}


def _type_of(part: Any) -> Any:
    if isinstance(part, str):
        return part
    return dt.Struct({key: dt.dtype(_type_of(inner)) for key, inner in part.items()})


def at(raw: Any, path: Path_) -> ir.StringValue:
    """The text at a path of the raw record."""
    for key in path:
        raw = raw[key]
    return raw
