"""What is in a data set: for each field what is missing and how it is spread, unlikely values, and outliers.

Two passes over the latest observations of the wanted posts, both streams in bounded memory. Outliers are those of each
metric on each platform by bounds of its own (`outliers.py`); they are counted and shown, never removed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.marts.distribution import Distribution
from groundswell.marts.outliers import Bounds, Rule, find_bounds
from groundswell.marts.rows import Rows, row_schema, select_rows
from groundswell.marts.tally import Tally
from groundswell.marts.unlikely import CHECKS, Unlikely
from groundswell.marts.wanted import Wanted
from groundswell.platforms.definitions import Definition, crossed
from groundswell.schema import COUNTERS, POST_FIELDS

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

Floats = npt.NDArray[np.float64]
Progress = Callable[[int], None]

#: Columns whose outliers are told, besides what stands in `metrics`.
METRICS: Final = (*COUNTERS, "followers", "following")
_UNITS: Final = {one.name: one.unit for one in POST_FIELDS} | {"engagement": "fraction"}
_EXAMPLES: Final = 5


@dataclass(slots=True)
class Outliers:
    """The outliers of one metric on one platform."""

    platform: str
    metric: str
    bounds: Bounds
    low: int = 0
    high: int = 0
    examples: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    """The most extreme, as a heap: (value, number of the row, what it is)."""

    def document(self) -> dict[str, Any]:
        """As JSON-ready values."""
        bounds = self.bounds
        found = sorted(self.examples, key=lambda one: -one[0])
        return {
            "platform": self.platform,
            "metric": self.metric,
            "rule": bounds.rule.value,
            "limit": bounds.limit,
            "lower": bounds.lower,
            "upper": bounds.upper,
            "centre": bounds.centre,
            "spread": bounds.spread,
            "values": bounds.values,
            "low": self.low,
            "high": self.high,
            "why_none": bounds.why,
            "examples": [{**what, "value": value} for value, _, what in found],
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """What was found."""

    rows: int
    platforms: dict[str, int]
    """Posts of each platform."""

    first: datetime | None
    last: datetime | None
    fields: list[Tally]
    unlikely: list[Unlikely]
    outliers: list[Outliers]
    definitions: tuple[Definition, ...]
    lake_version: int | None

    def document(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "rows": self.rows,
            "platforms": self.platforms,
            "first": self.first,
            "last": self.last,
            "fields": [one.document(_UNITS.get(one.name, "")) for one in self.fields],
            "unlikely": [one.document() for one in self.unlikely],
            "outliers": [one.document() for one in self.outliers],
            "definitions": [one.document() for one in self.definitions],
            "lake_version": self.lake_version,
        }


def profile(
    engine: Engine,
    lake: Lake,
    wanted: Wanted | None = None,
    *,
    rule: Rule = Rule.ROBUST_Z,
    limit: float | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Profile the latest observations of the wanted posts. `progress` is told the rows read, of both passes.

    Raises:
        UsageError: the limit is not above 0, or the period holds nothing.
    """
    wanted = wanted or Wanted()
    stream = select_rows(engine, lake, "posts", wanted)
    tallies = [Tally(one.name, one.type) for one in row_schema("posts")]
    unlikely = [Unlikely(check) for check in CHECKS]
    spread: dict[tuple[str, str], Distribution] = {}
    read = 0
    for batch in stream.open():
        table = pa.Table.from_batches([batch])
        for tally in tallies:
            tally.add(batch.column(tally.name))
        for check in unlikely:
            check.add(table)
        for platform, metric, values, _ in metric_values(table):
            spread.setdefault((platform, metric), Distribution()).add(values[values >= 0])
        read += batch.num_rows
        if progress is not None:
            progress(read)
    by = {tally.name: tally for tally in tallies}
    created, platforms = by["created_at"], dict(by["platform"].values.top(1000))
    return Profile(
        read,
        platforms,
        created.least,
        created.greatest,
        tallies,
        unlikely,
        find_outliers(stream, bounds_of(spread, rule, limit), progress=progress, before=read),
        crossed(platforms, [*COUNTERS, *by["metrics"].values.counts], created.least, created.greatest),
        stream.version,
    )


def bounds_of(
    spread: dict[tuple[str, str], Distribution], rule: Rule, limit: float | None
) -> dict[tuple[str, str], Bounds]:
    """The bounds of each metric (platform, metric) that has values; each from its own values only."""
    return {key: find_bounds(spread[key], rule, limit) for key in sorted(spread) if spread[key].count}


def metric_values(table: pa.Table) -> Iterator[tuple[str, str, Floats, npt.NDArray[np.int64]]]:
    """Known values of each metric on each platform: (platform, metric, values, rows)."""
    encoded = pc.dictionary_encode(table["platform"].combine_chunks())
    for code, platform in enumerate(encoded.dictionary.to_pylist()):
        here = np.flatnonzero(pc.equal(encoded.indices, code).to_numpy(zero_copy_only=False))
        part = table if len(here) == table.num_rows else table.take(pa.array(here))
        for name in METRICS:
            yield from _known(platform, name, part[name].combine_chunks(), here)
        if "metrics" in part.column_names:
            yield from _counted(platform, part["metrics"].combine_chunks(), here)


def find_outliers(
    stream: Rows,
    bounds: dict[tuple[str, str], Bounds],
    *,
    progress: Progress | None = None,
    before: int = 0,
) -> list[Outliers]:
    """Count the values outside of `bounds`, with the most extreme of each metric."""
    found = {key: Outliers(*key, one) for key, one in bounds.items()}
    names = ["platform", "post_id", "url", "author_name", "ingest_seq", "metrics", *METRICS]
    read = 0
    for batch in stream.open(names):
        table = pa.Table.from_batches([batch])
        for platform, metric, values, places in metric_values(table):
            if (platform, metric) in found:
                _flag(found[platform, metric], table, values, places)
        read += batch.num_rows
        if progress is not None:
            progress(before + read)
    return list(found.values())


def _flag(one: Outliers, table: pa.Table, values: Floats, places: npt.NDArray[np.int64]) -> None:
    outside = np.flatnonzero(one.bounds.outside(values))
    if not len(outside):
        return
    upper = one.bounds.upper if one.bounds.upper is not None else np.inf
    high = values[outside] > upper
    one.high += int(high.sum())
    one.low += int((~high).sum())
    for at in outside[np.argsort(values[outside])[::-1][:_EXAMPLES]].tolist():
        row = int(places[at])
        what = {name: table[name][row].as_py() for name in ("post_id", "url", "author_name")}
        heapq.heappush(one.examples, (float(values[at]), table["ingest_seq"][row].as_py(), what))
        if len(one.examples) > _EXAMPLES:
            heapq.heappop(one.examples)


def _known(
    platform: str, name: str, column: pa.Array, here: npt.NDArray[np.int64]
) -> Iterator[tuple[str, str, Floats, npt.NDArray[np.int64]]]:
    if column.null_count == len(column):
        return
    known = pc.is_valid(column).to_numpy(zero_copy_only=False)
    values = column.drop_null().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    yield platform, name, values, here[known]


def _counted(
    platform: str, column: pa.Array, here: npt.NDArray[np.int64]
) -> Iterator[tuple[str, str, Floats, npt.NDArray[np.int64]]]:
    """The entries of `metrics`, by key."""
    parents = pc.list_parent_indices(column.cast(_LISTED)).to_numpy(zero_copy_only=False)
    entries = pc.list_flatten(column.cast(_LISTED))
    if not len(entries):
        return
    keys = pc.dictionary_encode(pc.struct_field(entries, "key"))
    values = pc.struct_field(entries, "value").cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    codes = keys.indices.to_numpy(zero_copy_only=False)
    for code, key in enumerate(keys.dictionary.to_pylist()):
        mine = (codes == code) & ~np.isnan(values)
        yield platform, f"metrics.{key}", values[mine], here[parents[mine]]


_LISTED: Final = pa.list_(pa.struct([("key", pa.string()), ("value", pa.int64())]))
