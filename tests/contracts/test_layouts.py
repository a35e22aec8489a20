"""What every registered layout must keep: nothing aborts, nothing is invented, null is not 0, order does not matter.

Its fixture is `tests/fixtures/layouts/PLATFORM.NAME.ndjson` (or `.csv`): invented records, the first with a zero in a
counter, together with everything that the layout can fill.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import ibis
import pyarrow as pa
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.engines.shape import OUTPUTS
from groundswell.platforms import Layout, Shape, registry
from groundswell.platforms.casts import filled_columns
from groundswell.schema import MAPPED_OF, REJECT, UNREAD
from groundswell.text.keys import KEYED

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


#: Fields whose share of a fixture may be nothing although the layout gives them: a kind of record that it rarely has.
SELDOM = frozenset(("extra", "metrics", "urls", "mentions", "hashtags", "challenges", "location", "lang", "region"))
#: The share of the other fields that may be empty in a whole fixture.
MOST_EMPTY = 0.1
#: What no fixture's times may be: an hour before the first invented record, and what a zone of the machine would make.
EARLIEST, LATEST = 2005, 2027


NEAR = re.compile(r"900719925474\d{4}")


def counters_of(layout: Layout) -> tuple[str, ...]:
    return KEYED[layout.table][1]


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
def test_no_two_names_of_a_raw_record_differ_in_case_only(layout: Layout) -> None:
    # Engines tell names apart without regard to case.
    def check(names: Iterable[str]) -> None:
        folded = [name.lower() for name in names]
        assert len(folded) == len(set(folded))

    def walk(kind: Any) -> None:
        if kind.is_struct():
            check(kind.names)
            for part in kind.types:
                walk(part)
        elif kind.is_array():
            walk(kind.value_type)

    check(layout.raw)
    for kind in layout.raw.values():
        walk(ibis.dtype(kind))


@each_layout
def test_its_fixture_is_recognised_and_every_row_becomes_a_post(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run
) -> None:
    records = fixture_of(layout)
    assert registry().recognise_sample(records) is layout
    rows = map_records(duck, layout, records)
    assert rows.schema.equals(OUTPUTS[layout.table])
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
def test_nothing_that_stands_in_a_record_stops_a_run(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run, variants: Variants
) -> None:
    record = fixture_of(layout)[0]
    spoiled = [variant for wrong in WRONG for variant in variants(record, wrong)]
    rows = map_records(duck, layout, spoiled)
    assert rows.num_rows == len(spoiled)
    for counter in counters_of(layout):
        assert all(value is None or value >= 0 for value in rows[counter].to_pylist())


@each_layout
def test_a_counter_that_is_not_there_is_null_and_one_that_cannot_be_read_is_told(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run, variants: Variants
) -> None:
    record = fixture_of(layout)[0]
    before = plain(map_records(duck, layout, [record]))[0]
    gone = variants(record, None)
    rows = plain(map_records(duck, layout, gone))
    for counter in counters_of(layout):
        assert {row[counter] for row in rows} <= {before[counter], None}, counter
    assert {row[UNREAD] for row in rows} == {None}
    spoiled = variants(record, "12.5")
    rows = plain(map_records(duck, layout, spoiled))
    for counter in counters_of(layout):
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
def test_nearly_every_field_that_it_gives_is_filled_somewhere_in_its_fixture(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run
) -> None:
    given = filled_columns(layout.posts(ibis.table(dict(layout.raw), name="raw"))) - SELDOM
    assert given <= set(MAPPED_OF[layout.table].names)
    rows = map_records(duck, layout, fixture_of(layout))
    empty = {name for name in given if rows[name].null_count == rows.num_rows}
    assert len(empty) <= MOST_EMPTY * len(given), empty


@each_layout
def test_times_are_utc_whatever_the_zone_of_the_machine(
    layout: Layout,
    duck: DuckEngine,
    fixture_of: Fixture,
    map_records: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = map_records(duck, layout, fixture_of(layout))
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        after = map_records(duck, layout, fixture_of(layout))
    finally:
        monkeypatch.undo()
        time.tzset()
    for name in ("created_at", "observed_at"):
        assert before[name].equals(after[name])
        assert all(EARLIEST <= moment.year < LATEST for moment in before[name].to_pylist() if moment is not None)


@each_layout
def test_ids_never_pass_through_a_float(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run, variants: Variants
) -> None:
    # As a number in JSON and as text, an odd one beyond 2^53 comes out as it is or not at all.
    record = fixture_of(layout)[0]
    for wrong in (9_007_199_254_740_993, "9007199254740993"):
        rows = map_records(duck, layout, variants(record, wrong))
        for name in ("post_id", "author_id", "comment_id", "parent_id", "music_id"):
            if name in rows.column_names:
                found = {digits for value in rows[name].to_pylist() for digits in NEAR.findall(value or "")}
                assert found <= {"9007199254740993"}, name


@each_layout
def test_a_time_that_is_no_time_is_told(
    layout: Layout, duck: DuckEngine, fixture_of: Fixture, map_records: Run, variants: Variants
) -> None:
    record = fixture_of(layout)[0]
    before = plain(map_records(duck, layout, [record]))[0]
    if before["created_at"] is None:
        return
    rows = plain(map_records(duck, layout, variants(record, "50000-01-01")))
    assert any(row[REJECT] and "50000-01-01" in row[REJECT] for row in rows) or any(
        "50000-01-01" in str(row[UNREAD]) for row in rows
    )


@each_layout
def test_recognising_never_fails(layout: Layout, fixture_of: Fixture, variants: Variants) -> None:
    record = fixture_of(layout)[0]
    for wrong in WRONG:
        for variant in variants(record, wrong):
            layout.matches(variant)
            if layout.ignores is not None:
                layout.ignores(variant)
            if layout.expand is not None:
                layout.expand(variant)
    layout.matches({})
