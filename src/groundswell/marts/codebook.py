"""The codebook: every field of the three tables with its meaning, its unit, how often it is filled, and examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from groundswell.marts.cells import cell_texts
from groundswell.schema import FIELDS, Field
from groundswell.stores import Place

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: Columns that only the machine reads have no examples.
_NO_EXAMPLES: Final = ("key",)
_SAMPLE: Final = 4096
_FILES: Final = 8
_EXAMPLES: Final = 3
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of one table. `filled` is the fraction of rows that have it, null while the table is empty."""

    table: str
    field: str
    type: str
    meaning: str
    unit: str | None
    filled_by: str
    rows: int
    filled: float | None
    by_platform: dict[str, float]
    examples: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"examples": list(self.examples)}


def codebook(engine: Engine, lake: Lake) -> list[Entry]:
    """The entries of all fields, of all observations in the lake as it is now."""
    return [entry for table in FIELDS for entry in _of_table(engine, lake, table)]


def codebook_table(entries: Sequence[Entry]) -> pa.Table:
    """The codebook as rows, as CSV has it."""
    return pa.table(
        {
            "table": [one.table for one in entries],
            "field": [one.field for one in entries],
            "type": [one.type for one in entries],
            "unit": pa.array([one.unit for one in entries], pa.string()),
            "meaning": [one.meaning for one in entries],
            "filled_by": [one.filled_by for one in entries],
            "rows": pa.array([one.rows for one in entries], pa.int64()),
            "filled": pa.array([one.filled for one in entries], pa.float64()),
            "examples": [" | ".join(one.examples) for one in entries],
        }
    )


def markdown(entries: Sequence[Entry], made_at: datetime) -> str:
    """The codebook as Markdown, a section a table."""
    lines = ["# Codebook", "", f"Made {made_at:%Y-%m-%d %H:%M} UTC from all observations in the lake.", ""]
    for table in dict.fromkeys(one.table for one in entries):
        mine = [one for one in entries if one.table == table]
        lines += [f"## {table}", "", f"{mine[0].rows:,} rows.", ""]
        lines += ["| field | type | unit | filled | meaning | examples |", "| --- | --- | --- | ---: | --- | --- |"]
        lines += [
            f"| `{one.field}` | {one.type} | {one.unit or ''} | {_percent(one.filled)} | {_cell(one.meaning)} | "
            f"{', '.join(f'`{_cell(example)}`' for example in one.examples)} |"
            for one in mine
        ]
        lines.append("")
    return "\n".join(lines)


def type_name(kind: pa.DataType) -> str:  # noqa: PLR0911 - one line a type
    """A type as a person calls it.

    >>> type_name(pa.list_(pa.string())), type_name(pa.timestamp("us", "UTC"))
    ('list of text', 'time')
    """
    if pa.types.is_map(kind):
        return f"map of {type_name(kind.key_type)} to {type_name(kind.item_type)}"
    if pa.types.is_list(kind):
        return f"list of {type_name(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "(" + ", ".join(f"{field.name}: {type_name(field.type)}" for field in kind) + ")"
    if pa.types.is_timestamp(kind):
        return "time"
    if pa.types.is_integer(kind):
        return "whole number"
    if pa.types.is_floating(kind):
        return "number"
    return {"bool": "yes or no", "string": "text", "binary": "bytes"}.get(str(kind), str(kind))


def _of_table(engine: Engine, lake: Lake, table: str) -> list[Entry]:
    fields = FIELDS[table]
    schema = pa.schema([field.to_arrow() for field in fields])
    files = lake.snapshot(table).files
    counts = _counts(engine, files, schema)
    sample = _sample(engine, files, schema)
    rows = sum(counts["rows"])
    return [_entry(table, field, rows, counts, sample) for field in fields]


def _counts(engine: Engine, files: Sequence[Place], schema: pa.Schema) -> dict[str, list[Any]]:
    """Rows and filled cells of each field, by platform."""
    if not files:
        return {"platform": [], "rows": [], **{f"{name}_filled": [] for name in schema.names}}
    stored = engine.read_table(files, schema)
    filled = {f"{name}_filled": stored[name].count() for name in schema.names}
    found: dict[str, list[Any]] = (
        engine.run(stored.group_by("platform").aggregate(rows=stored.count(), **filled)).read_all().to_pydict()
    )
    return found


def _sample(engine: Engine, files: Sequence[Place], schema: pa.Schema) -> pa.Table:
    """Some rows of up to eight files, from the first to the last."""
    step = max(1, len(files) // _FILES)
    chosen = [engine.run(engine.read_table([file], schema).limit(_SAMPLE)) for file in files[::step][:_FILES]]
    return pa.concat_tables([schema.empty_table(), *(reader.read_all().cast(schema) for reader in chosen)])


def _entry(table: str, field: Field, rows: int, counts: dict[str, list[Any]], sample: pa.Table) -> Entry:
    filled = counts[f"{field.name}_filled"]
    shares = {
        platform: have / of
        for platform, have, of in sorted(zip(counts["platform"], filled, counts["rows"], strict=True))
        if of
    }
    return Entry(
        table,
        field.name,
        type_name(field.type),
        field.meaning,
        field.unit or None,
        field.filled_by,
        rows,
        sum(filled) / rows if rows else None,
        shares,
        () if field.name in _NO_EXAMPLES else _examples(sample[field.name]),
    )


def _examples(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Up to three different values, from all over the sample."""
    held = column.combine_chunks().drop_null()
    if not len(held):
        return ()
    places = sorted({round(part * (len(held) - 1) / 20) for part in range(21)})
    texts = [text for text in cell_texts(held.take(pa.array(places))).to_pylist() if text and text.strip()]
    short = [" ".join(text.split()) for text in texts]
    return tuple(dict.fromkeys(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…" for text in short))[
        :_EXAMPLES
    ]


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    return f"{share * 100:.1f} %" if 0 < share < 1 else f"{share * 100:.0f} %"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")
