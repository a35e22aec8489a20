"""The growth of many posts: for each that was observed twice or more, how fast it grew and how far it was at 24 h."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.marts.course import AGE_H, course_of, velocities
from groundswell.marts.observations import POST, post_identity
from groundswell.marts.parts import whole_numbers
from groundswell.marts.wanted import Wanted
from groundswell.schema import COUNTERS, POSTS, TIMESTAMP

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: Counters whose growth is given.
GROWING: Final = ("views", "likes")
#: One row a post.
VELOCITY: Final = pa.schema(
    [
        pa.field("platform", pa.string()),
        pa.field("post_id", pa.string()),
        pa.field("author_name", pa.string()),
        pa.field("created_at", TIMESTAMP, metadata={"unit": "UTC"}),
        pa.field("observations", pa.int64(), metadata={"unit": "count", "meaning": "observations with a time"}),
        pa.field("first_observed_at", TIMESTAMP, metadata={"unit": "UTC"}),
        pa.field("last_observed_at", TIMESTAMP, metadata={"unit": "UTC"}),
        *(
            pa.field(f"{name}{what}", pa.float64(), metadata={"unit": unit, "meaning": meaning})
            for name in GROWING
            for what, unit, meaning in (
                ("", "count", "when last seen"),
                ("_per_h", "per hour", "growth between the last two observations"),
                ("_at_24h", "count", "at an age of 24 hours, between observations; null where not observed around it"),
                ("_half_life_h", "hours", "age at which half of the last value was reached"),
            )
        ),
    ]
)
_ROWS: Final = 4096


def velocity(engine: Engine, lake: Lake, wanted: Wanted | None = None) -> pa.RecordBatchReader:
    """One row (`VELOCITY`) for each wanted post with at least two timed observations, by platform and post.

    A post is wanted if any of its observations is.
    """
    wanted = wanted or Wanted()
    wanted.check()
    posts = engine.read_table(lake.snapshot("posts", platforms=list(wanted.platforms) or None).files, POSTS)
    known = posts.filter(posts["observed_at"].notnull()).mutate(**{POST: post_identity(posts)})
    counted = known.group_by("platform", POST).aggregate(observations=known.count())
    often = counted.filter(counted["observations"] > 1)
    ids = wanted.of(known).select("platform", POST).distinct()
    chosen = known.semi_join(often, ["platform", POST]).semi_join(ids, ["platform", POST])
    names = ["platform", POST, "post_id", "author_name", "created_at", "observed_at", "ingest_seq", *COUNTERS]
    ordered = chosen.select(names).order_by("platform", POST, "observed_at", "ingest_seq")
    return pa.RecordBatchReader.from_batches(VELOCITY, _growth(engine.run(ordered)))


def _growth(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """One row a post from rows in the order of posts and times; a post may reach over two batches."""
    left: pa.Table | None = None
    for batch in rows:
        table = pa.Table.from_batches([batch])
        table = table if left is None else pa.concat_tables([left, table]).combine_chunks()
        starts = _starts(table)
        yield from _batches(table.slice(0, starts[-1]), starts[:-1])
        left = table.slice(starts[-1])
    if left is not None and left.num_rows:
        yield from _batches(left, np.zeros(1, np.int64))


def _starts(table: pa.Table) -> Any:
    """Where each post begins."""
    differs = np.zeros(max(table.num_rows - 1, 0), np.bool_)
    for name in ("platform", POST):
        column = table[name].combine_chunks()
        same = pc.equal(column.slice(1), column.slice(0, len(column) - 1)).to_numpy(zero_copy_only=False)
        differs |= ~same
    return np.flatnonzero(np.concatenate([[True], differs]))


def _batches(table: pa.Table, starts: Any) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(starts), _ROWS):
        ends = np.append(starts[1:], table.num_rows)
        rows = [_row(table.slice(a, b - a)) for a, b in zip(starts[first:][:_ROWS], ends[first:][:_ROWS], strict=True)]
        yield pa.RecordBatch.from_pylist(rows, schema=VELOCITY)


def _row(seen: pa.Table) -> dict[str, Any]:
    """The growth of one post; a loop over posts, because each has its own curve."""
    moments = whole_numbers(seen["observed_at"])
    created = seen["created_at"][-1]
    row: dict[str, Any] = {name: seen[name][-1].as_py() for name in ("platform", "post_id", "author_name")}
    row |= {"created_at": created.as_py(), "observations": seen.num_rows}
    row |= {"first_observed_at": seen["observed_at"][0].as_py(), "last_observed_at": seen["observed_at"][-1].as_py()}
    for name in GROWING:
        values = seen[name].cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        course = course_of(moments, values, created.value)
        last = velocities(moments, values)[-1]
        row[name] = None if np.isnan(values[-1]) else float(values[-1])
        row[f"{name}_per_h"] = None if np.isnan(last) else float(last)
        row[f"{name}_at_24h"] = course.at(AGE_H)
        row[f"{name}_half_life_h"] = course.half_life()
    return row
