"""Threads posts as the browser extension Zeeschuimer collects them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.threads import api
from groundswell.platforms.wrapped import foreign, of_platform, raw_of, seen

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SOURCES: Final = ("threads.net", "threads.com", "threads")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it says that it comes from Threads."""
    return of_platform(record, *_SOURCES) is not None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each item, seen when it was collected."""
    return api.posts_of(raw, raw.data, seen(raw), foreign(raw, *_SOURCES))


ITEMS: Final = Layout(
    platform="threads",
    name="zeeschuimer",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(api.RAW),
    matches=matches,
    posts=posts,
    description="Zeeschuimer NDJSON of Threads: a threads.api post under data",
)
