"""The analysis table of posts: gaps and outliers treated by rules, scaled numbers beside the raw ones, cleaned text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.marts.distribution import Distribution
from groundswell.marts.outliers import find_bounds
from groundswell.marts.profile import METRICS
from groundswell.marts.recipe import NUMBERS, Nulls, Recipe, Rules, Treatment, fill_of, scale_of

Mask = npt.NDArray[np.bool_]
Key = tuple[str, str]
#: Opens the stream of rows from its beginning; called once for each pass.
Open = Callable[[], pa.RecordBatchReader]

_LINK: Final = r"(?:https?://|www\.)\S+"
_MENTION: Final = r"(^|\s)@\S+"
_TAG: Final = r"#(\S)"
_INVISIBLE: Final = r"[\p{Cc}\x{00AD}\x{200B}\x{FEFF}]"
_PARTS: Final = 1_000_000


def clean_texts(texts: pa.Array) -> pa.Array:
    r"""Texts without links, @handles, the signs of hashtags, control characters and runs of white space (NFKC).

    >>> clean_texts(pa.array(["Look @you:  #ad\nhttps://a.example/x"])).to_pylist()
    ['Look ad']
    """
    # Links go before NFKC, which would take apart what stands in them.
    plain = pc.replace_substring_regex(texts, _LINK, " ")
    plain = pc.utf8_normalize(plain, "NFKC")
    plain = pc.replace_substring_regex(plain, _INVISIBLE, " ")
    plain = pc.replace_substring_regex(plain, _MENTION, r"\1")
    plain = pc.replace_substring_regex(plain, _TAG, r"\1")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"\s+", " "))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The analysis table as a stream, and the recipe; its counts are complete once the stream has ended."""

    rows: pa.RecordBatchReader
    recipe: Recipe


def cleaned(open_rows: Open, rules: Rules) -> Cleaned:
    """Work out the recipe in one or two passes over the rows of posts, and open the stream of the result.

    Memory is bounded by the distributions: one of 40,000 bins for each number of each platform.

    Raises:
        UsageError: the limit of outliers is not above 0.
    """
    recipe = Recipe(rules)
    spread = _spread(open_rows(), recipe)
    recipe.bounds = {
        key: find_bounds(spread[key], rules.rule, rules.limit) for key in sorted(spread) if key[1] in METRICS
    }
    drops = rules.outliers is Treatment.DROP or Nulls.DROP in rules.nulls.values()
    left = _spread(open_rows(), recipe, kept=True) if drops else spread
    for key in sorted(left):
        fill = fill_of(left[key], rules.nulls.get(key[1], Nulls.KEEP))
        if fill is not None:
            recipe.fills[key] = fill
        scale = None if rules.standard is None else scale_of(left[key], rules.standard, log=rules.log)
        if scale is not None:
            recipe.scales[key] = scale
    rows = open_rows()
    return Cleaned(pa.RecordBatchReader.from_batches(_schema(rows.schema, rules), _stream(rows, recipe)), recipe)


def _spread(rows: pa.RecordBatchReader, recipe: Recipe, *, kept: bool = False) -> dict[Key, Distribution]:
    """The distribution of each number on each platform; `kept`: of the rows that are not left out."""
    found: dict[Key, Distribution] = {}
    for batch in rows:
        table = pa.Table.from_batches([batch])
        if kept:
            table = table.filter(pa.array(~_dropped(table, recipe, {})))
        for platform, here in _platforms(table):
            for name in NUMBERS:
                values = _values(table, name)[here]
                known = values[values >= 0]
                if len(known):
                    scale = 1 if pa.types.is_integer(table.schema.field(name).type) else _PARTS
                    found.setdefault((platform, name), Distribution(scale)).add(known)
    return found


def _stream(rows: pa.RecordBatchReader, recipe: Recipe) -> Iterator[pa.RecordBatch]:
    schema = _schema(rows.schema, recipe.rules)
    for batch in rows:
        table = pa.Table.from_batches([batch])
        recipe.before += table.num_rows
        table = table.filter(pa.array(~_dropped(table, recipe, recipe.dropped))).combine_chunks()
        recipe.after += table.num_rows
        if table.num_rows:
            yield from _made(table, recipe).cast(schema).combine_chunks().to_batches()


def _made(table: pa.Table, recipe: Recipe) -> pa.Table:
    """The analysis table of rows that stay."""
    marked = _outliers(table, recipe)
    columns: dict[str, Any] = {name: table[name] for name in table.column_names}
    columns["text_clean"] = clean_texts(_whole(table["text"]))
    columns["outliers"] = _names_of(marked, table.num_rows)
    for name, mask in marked.items():
        _count(recipe.flagged, name, int(mask.sum()))
    platforms = list(_platforms(table))
    for name in NUMBERS:
        values = _values(table, name)
        gaps = np.isnan(values)
        for platform, here in platforms:
            fill = recipe.fills.get((platform, name))
            if fill is not None:
                _count(recipe.filled, name, int((gaps & here).sum()))
                values[gaps & here] = fill
        if recipe.rules.nulls.get(name, Nulls.KEEP) is not Nulls.KEEP:
            columns[name] = _numbers(values, table, name, gaps)
        if recipe.rules.standard is not None:
            columns[f"{name}_{recipe.rules.standard}"] = _scaled(values, name, platforms, recipe)
    return pa.table(columns)


def _scaled(values: npt.NDArray[np.float64], name: str, platforms: list[tuple[str, Mask]], recipe: Recipe) -> pa.Array:
    out = np.full(len(values), np.nan)
    with np.errstate(invalid="ignore"):
        x = np.log10(1 + np.where(values < 0, np.nan, values)) if recipe.rules.log else values
    for platform, here in platforms:
        scale = recipe.scales.get((platform, name))
        if scale is not None and scale.width is not None:
            out[here] = (x[here] - scale.centre) / scale.width
    return pa.array(out, pa.float64(), from_pandas=True)


def _numbers(values: npt.NDArray[np.float64], table: pa.Table, name: str, gaps: Mask) -> pa.Array:
    """The column with its gaps filled; what was known keeps its exact value, a filled count is rounded."""
    column = _whole(table[name])
    whole = pa.types.is_integer(column.type)
    filled = np.round(values) if whole else values
    fills = pa.array(np.where(gaps, filled, np.nan), pa.float64(), from_pandas=True)
    return pc.coalesce(column, fills.cast(column.type) if whole else fills)


def _dropped(table: pa.Table, recipe: Recipe, counts: dict[str, int]) -> Mask:
    """Which rows are left out; `counts` gets each by its first reason."""
    gone = np.zeros(table.num_rows, np.bool_)
    for name, rule in recipe.rules.nulls.items():
        if rule is Nulls.DROP:
            missing = pc.is_null(_whole(table[name])).to_numpy(zero_copy_only=False) & ~gone
            _count(counts, f"{name} missing", int(missing.sum()))
            gone |= missing
    if recipe.rules.outliers is Treatment.DROP:
        for name, mask in _outliers(table, recipe).items():
            _count(counts, f"{name} outlier", int((mask & ~gone).sum()))
            gone |= mask
    return gone


def _outliers(table: pa.Table, recipe: Recipe) -> dict[str, Mask]:
    """For each metric, which rows are outside of the bounds of *that* metric on their platform."""
    platforms = list(_platforms(table))
    found: dict[str, Mask] = {}
    for name in METRICS:
        values = _values(table, name)
        mask = np.zeros(table.num_rows, np.bool_)
        for platform, here in platforms:
            bounds = recipe.bounds.get((platform, name))
            if bounds is not None:
                mask |= here & bounds.outside(values)
        found[name] = mask
    return found


def _names_of(marked: dict[str, Mask], rows: int) -> pa.Array:
    """For each row the metrics that are outliers, as a list."""
    names = list(marked)
    matrix = np.stack([marked[name] for name in names], axis=1)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(matrix.sum(axis=1), out=offsets[1:])
    values = pa.array(names, pa.string()).take(pa.array(np.nonzero(matrix)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _schema(schema: pa.Schema, rules: Rules) -> pa.Schema:
    added = [
        pa.field("text_clean", pa.string(), metadata={"meaning": "text without links, handles and signs of hashtags"}),
        pa.field("outliers", pa.list_(pa.string()), metadata={"meaning": "metrics outside of their bounds"}),
    ]
    if rules.standard is not None:
        scaled = {"meaning": f"scaled ({rules.standard}) within its platform"}
        added += [pa.field(f"{name}_{rules.standard}", pa.float64(), metadata=scaled) for name in NUMBERS]
    return pa.schema([*schema, *added])


def _platforms(table: pa.Table) -> Iterator[tuple[str, Mask]]:
    encoded = pc.dictionary_encode(_whole(table["platform"]))
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    for code, platform in enumerate(encoded.dictionary.to_pylist()):
        yield platform, codes == code


def _values(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """A number of each row as float64, NaN where it is missing; a copy."""
    values: npt.NDArray[np.float64] = np.array(
        _whole(table[name]).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    )
    return values


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _count(counts: dict[str, int], name: str, more: int) -> None:
    if more:
        counts[name] = counts.get(name, 0) + more
