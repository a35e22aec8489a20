"""Rows of a table as a stream: for posts, authors and comments, each thing once or every observation of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import ibis
import pyarrow as pa

from groundswell.errors import UnknownChoiceError
from groundswell.marts.engagement import engagement, engagement_per
from groundswell.marts.observations import author_identity, latest_by, post_identity
from groundswell.marts.wanted import Wanted
from groundswell.schema import FIELDS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: Columns that are for the machine only.
HIDDEN: Final = ("tokens", "key", "month")
#: For each table, the column that `identity=True` adds: with `platform` it names a thing, and is never null.
IDENTITY: Final = {"posts": "post", "authors": "author", "comments": "comment"}


class Observations(StrEnum):
    """Which observations of a thing are given."""

    LATEST = "latest"
    ALL = "all"


def row_schema(table: str = "posts", *, identity: bool = False) -> pa.Schema:
    """The columns that `rows` gives.

    Raises:
        UnknownChoiceError: there is no such table.
    """
    if table not in FIELDS:
        kind = "table"
        raise UnknownChoiceError(kind, table, FIELDS)
    fields = [field.to_arrow() for field in FIELDS[table] if field.name not in HIDDEN]
    if table == "posts":
        fields.append(pa.field("engagement", pa.float64(), metadata={"unit": "fraction"}))
        fields.append(pa.field("engagement_per", pa.string()))
    if identity:
        meaning = "what names it within the platform: its id, or its content where it has none"
        fields.insert(1, pa.field(IDENTITY[table], pa.string(), metadata={"meaning": meaning}))
    return pa.schema(fields)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one version of a table; `open` streams them, as often as it is called the same."""

    engine: Engine
    expression: ir.Table
    schema: pa.Schema
    version: int | None

    def open(self, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """The rows, in no promised order: all columns, or those named."""
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        return self.engine.run(self.expression.select(schema.names)).cast(schema)


def select_rows(
    engine: Engine,
    lake: Lake,
    table: str = "posts",
    wanted: Wanted | None = None,
    *,
    observations: str = Observations.LATEST,
    identity: bool = False,
) -> Rows:
    """The rows of a table as it is now (columns: `row_schema`); nothing is read yet.

    `wanted` chooses posts. For the other tables it chooses the authors who wrote such posts and the comments under
    them, or, without a query, rows by platform and time of their own.

    Raises:
        UnknownChoiceError: there is no such table.
        UsageError: `wanted` asks for a period that holds nothing.
    """
    schema = row_schema(table, identity=identity)
    wanted = wanted or Wanted()
    wanted.check()
    stored, version = _table(engine, lake, table, wanted)
    chosen = stored if observations == Observations.ALL else latest_by(stored, _identity(stored, table))
    if table == "posts" or wanted.query is None:
        chosen = wanted.of(chosen)
    else:
        chosen = _related(chosen, table, wanted.of(_latest_posts(engine, lake, wanted)))
    if table == "posts":
        chosen = chosen.mutate(engagement=engagement(chosen), engagement_per=engagement_per(chosen))
    if identity:
        chosen = chosen.mutate(**{IDENTITY[table]: _identity(chosen, table)})
    return Rows(engine, chosen.select(schema.names), schema, version if version >= 0 else None)


def rows(
    engine: Engine,
    lake: Lake,
    table: str = "posts",
    wanted: Wanted | None = None,
    *,
    observations: str = Observations.LATEST,
    identity: bool = False,
) -> pa.RecordBatchReader:
    """Stream the rows of a table; as `select_rows`, opened."""
    return select_rows(engine, lake, table, wanted, observations=observations, identity=identity).open()


def _table(engine: Engine, lake: Lake, table: str, wanted: Wanted) -> tuple[ir.Table, int]:
    snapshot = lake.snapshot(table, platforms=list(wanted.platforms) or None)
    schema = pa.schema([field.to_arrow() for field in FIELDS[table]])
    return engine.read_table(snapshot.files, schema), snapshot.version


def _latest_posts(engine: Engine, lake: Lake, wanted: Wanted) -> ir.Table:
    posts, _ = _table(engine, lake, "posts", wanted)
    return latest_by(posts, post_identity(posts))


def _related(chosen: ir.Table, table: str, posts: ir.Table) -> ir.Table:
    """Those rows that belong to one of `posts`."""
    if table == "comments":
        ids = posts.filter(posts["post_id"].notnull()).select("platform", "post_id").distinct()
        return chosen.semi_join(ids, ["platform", "post_id"])
    who = posts.select("platform", who=author_identity(posts)).filter(ibis._["who"].notnull()).distinct()
    return chosen.mutate(who=author_identity(chosen)).semi_join(who, ["platform", "who"])


def _identity(stored: ir.Table, table: str) -> ir.StringValue:
    if table == "posts":
        return post_identity(stored)
    if table == "authors":
        return ibis.coalesce(author_identity(stored), stored["url"], stored["display_name"], ibis.literal(""))
    content = ibis.literal("")
    for part in (stored["post_id"], author_identity(stored), stored["created_at"].cast("string"), stored["text"]):
        content = content + "\n" + part.fill_null("")
    return stored["comment_id"].fill_null(content)
