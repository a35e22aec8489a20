"""A generic layout under another name: the same object for the same arguments, because engines keep a plan for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from groundswell.platforms.layout import Layout


class _Same:
    """A layout by what it is, not by what it holds."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.layout is self.layout

    def __hash__(self) -> int:
        return id(self.layout)


def renamed(
    layout: Layout, platform: str, name: str, description: str, matches: Callable[[Mapping[str, Any]], bool]
) -> Layout:
    """`layout` as version 1 of the layout `platform.name`."""
    return _renamed(_Same(layout), platform, name, description, matches)


def with_parameters(layout: Layout, more: Mapping[str, Any]) -> Layout:
    """`layout` with further parameters; what it was fitted with stays."""
    return _with_parameters(_Same(layout), _Held(more))


class _Held:
    """Parameters that do not count for a cache, but by identity."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=256)
def _with_parameters(same: _Same, more: _Held) -> Layout:
    return replace(same.layout, parameters=MappingProxyType({**more.value, **same.layout.parameters}))


@lru_cache(maxsize=256)
def _renamed(
    same: _Same, platform: str, name: str, description: str, matches: Callable[[Mapping[str, Any]], bool]
) -> Layout:
    return replace(same.layout, platform=platform, name=name, version=1, description=description, matches=matches)
