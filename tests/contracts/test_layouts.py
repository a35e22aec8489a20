"""What every registered layout must keep: nothing aborts, nothing is invented, null is not 0, order does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ibis
import pyarrow as pa
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.engines.shape import OUTPUT
from groundswell.platforms import Layout, Shape, registry
from groundswell.schema import COUNTERS, REJECT, UNREAD

LAYOUTS: tuple[Layout, ...] = registry().layouts
Fixture = Callable[[Layout], list[dict[str, Any]]]
Run = Callable[[DuckEngine, Layout, list[dict[str, Any]]], pa.Table]
Variants = Callable[[Any, Any], list[Any]]
each_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)

#: What may stand where something else is expected.
WRONG: tuple[Any, ...] = (
    None,
    "",
    "abc",
    -5,
    12.5,
    "1e3",
    "0x10",
    "1_000",
    "NaN",
    True,
    [],
    ["x"],
    {},
    {"a": 1},
    10**30,
    "50000-01-01",
)


def plain(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.drop_columns(["record"]).to_pylist()
    return rows


@each_layout
def test_every_leaf_of_the_raw_record_is_text(layout: Layout) -> None:
    def leaves(kind: Any) -> Iterator[Any]:
        if kind.is_struct():
            for part in kind.types:
                yield from leaves(part)
        elif kind.is_array():
            yield from leaves(kind.value_type)
        else:
            yield kind

    assert {str(leaf) for kind in layout.raw.values() for leaf in leaves(ibis.dtype(kind))} == {"string"}


@each_layout
def test_its_fixture_is_recognised_and_every_row_becomes_a_post(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run
) -> None:
    records = fixture_of(layout)
    assert registry().recognise_sample(records) is layout
    rows = map_records(duck, layout, records)
    assert rows.schema.equals(OUTPUT)
    assert rows["record"].to_pylist() == list(range(len(records)))
    assert rows[REJECT].null_count == len(records)


@each_layout
def test_it_is_idempotent_and_free_of_order(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run
) -> None:
    records = fixture_of(layout)
    first = plain(map_records(duck, layout, records))
    assert plain(map_records(duck, layout, records)) == first
    assert plain(map_records(duck, layout, records[::-1])) == first[::-1]
    assert plain(map_records(duck, layout, records[1:2])) == first[1:2]


@each_layout
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_nothing_that_stands_in_a_record_stops_a_run(
    layout: Layout, wrong: Any, duck: DuckEngine, fixture_of: Fixture, map_records: Run, variants: Variants
) -> None:
    record = fixture_of(layout)[0]
    spoiled = variants(record, wrong)
    rows = map_records(duck, layout, spoiled)
    assert rows.num_rows == len(spoiled)
    for counter in COUNTERS:
        assert all(value is None or value >= 0 for value in rows[counter].to_pylist())


@each_layout
def test_a_counter_that_is_not_there_is_null_and_one_that_cannot_be_read_is_told(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run, variants: Variants
) -> None:
    record = fixture_of(layout)[0]
    before = plain(map_records(duck, layout, [record]))[0]
    gone = variants(record, None)
    rows = plain(map_records(duck, layout, gone))
    for counter in COUNTERS:
        assert {row[counter] for row in rows} <= {before[counter], None}, counter
    assert {row[UNREAD] for row in rows} == {None}
    spoiled = variants(record, "12.5")
    rows = plain(map_records(duck, layout, spoiled))
    for counter in COUNTERS:
        for row in rows:
            if before[counter] is not None and row[counter] is None and "12.5" in str(row[UNREAD]):
                break
        else:
            assert before[counter] is None, counter


@each_layout
def test_a_record_with_nothing_in_it_is_rejected(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run
) -> None:
    empty = dict.fromkeys(layout.raw) if layout.shape is Shape.ROW else {}
    rows = map_records(duck, layout, [empty])
    assert rows[REJECT].to_pylist()[0]


@each_layout
def test_recognising_never_fails(layout: Layout, fixture_of: Fixture, variants: Variants) -> None:
    record = fixture_of(layout)[0]
    for wrong in WRONG:
        for variant in variants(record, wrong):
            layout.matches(variant)
            if layout.ignores is not None:
                layout.ignores(variant)
    layout.matches({})
