"""What a layout is: data that says how one kind of raw record becomes a post.

A layout declares the part of the raw record that it reads (every leaf as text, so that nothing aborts and a
bad cell can be told from an absent one) and one Ibis expression from that to the columns of
`groundswell.schema.MAPPED`, plus `reject` (why the row is unusable, else null) and `unread` (the cells that
could not be read, else null). The guarded casts in `casts.py` build both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Shape(StrEnum):
    """What a raw record is before the layout reads it."""

    OBJECT = "object"
    """A JSON object (a line of NDJSON, an element of a JSON document, a pushed record)."""

    ROW = "row"
    """A row of a table (CSV, TSV): text columns by their header. As JSON it is a flat object."""


@dataclass(frozen=True)
class Layout:
    """One kind of raw record and how it becomes a post.

    `raw` maps each top-level key that is read to an Ibis type string whose leaves are all `string`, for
    example `"struct<id: string, tags: array<string>>"`.
    `matches(record)` says from one decoded record (a JSON object, or a table row as `{column: text}`) whether
    it is of this layout; it must look at the keys that are peculiar to it and never raise.
    `ignores(record)` says that a record of this kind is no post (a delete event) and gives the reason.
    `posts(raw)` is the expression. `version` grows with every change of what comes out.
    `parameters` are what a person chose (column map, time zone); they make up the layout with its name.
    """

    platform: str
    name: str
    version: int
    shape: Shape
    raw: Mapping[str, str]
    matches: Callable[[Mapping[str, Any]], bool]
    posts: Callable[[ir.Table], ir.Table]
    description: str = ""
    ignores: Callable[[Mapping[str, Any]], str | None] | None = None
    unwraps: tuple[tuple[str, ...], ...] = ()
    """Key paths under which a document or a line holds its records, an array or a single one: `("data", "videos")`."""

    table: str = "posts"
    """The table that its rows go to: posts, authors or comments; `posts` gives columns of `MAPPED_OF[table]`."""

    expand: Callable[[Mapping[str, Any]], list[dict[str, Any]] | None] | None = None
    """The records that stand in one together with what only the whole tells (a thread and its replies, an answer and
    its users), each as it is then read; None where it is one record by itself. Never raises."""

    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`platform.name`, as the lake, the ledger and `--layout` name it."""
        return f"{self.platform}.{self.name}"
