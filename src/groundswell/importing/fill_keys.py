"""What stands in a record that its layout does not read: keys beside the declared ones, and values of another form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: How deep below the top a declared structure is followed.
_DEEPEST: Final = 3


@dataclass(frozen=True)
class Shape:
    """The declared part of a record: what each key holds; `kind` is `object`, `list` or `text`."""

    kind: str
    keys: Mapping[str, Shape] = field(default_factory=dict)


def shape_of(raw: Mapping[str, str]) -> Shape:
    """The shape that `Layout.raw` declares.

    >>> shape_of({"item": "struct<id: string, tags: array<string>>"}).keys["item"].keys["tags"].kind
    'list'
    """
    import ibis  # noqa: PLC0415 - an import has it loaded, others need it not

    return Shape("object", {name: _shape(ibis.dtype(kind)) for name, kind in raw.items()})


def _shape(kind: Any) -> Shape:
    if kind.is_struct():
        return Shape("object", {name: _shape(inner) for name, inner in kind.items()})
    return Shape("list" if kind.is_array() else "text")


def odd_keys(record: Mapping[str, Any], shape: Shape) -> Iterator[tuple[str, Any]]:
    """Path and value of what the shape does not know, as far down as it declares; null values are left out.

    A value of another form than declared is named with its form: where a number was read and an object stands,
    `stats.plays as object`.

    >>> shape = shape_of({"id": "string", "stats": "struct<plays: string>"})
    >>> list(odd_keys({"id": 1, "stats": {"plays": {"n": 3}, "views": 3}}, shape))
    [('stats.plays as object', {'n': 3}), ('stats.views', 3)]
    """
    yield from _odd(record, shape, "", 0)


def _odd(record: Mapping[str, Any], shape: Shape, above: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if value is None:
            continue
        declared = shape.keys.get(key)
        path = above + key
        if declared is None:
            yield path, value
            continue
        form = _form(value)
        # A single value where a text is read is the rule; a blank one where a structure is read says nothing.
        if form != declared.kind and not (form == "text" and not value):
            yield f"{path} as {form}", value
        elif declared.kind == "object" and depth < _DEEPEST:
            yield from _odd(value, declared, path + ".", depth + 1)


def _form(value: Any) -> str:
    # What JSON is decoded to, by its type: to ask whether it is a `Mapping` takes ten times as long.
    if isinstance(value, str | int | float):
        return "text"
    return "object" if isinstance(value, Mapping) else "list" if isinstance(value, list) else "text"
