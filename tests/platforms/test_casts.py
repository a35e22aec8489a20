"""Guarded casts: what is read, what is missing, what is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import ibis
import pyarrow as pa
import pytest

from groundswell.engines.cells import read_texts
from groundswell.engines.duckdb import DuckEngine
from groundswell.engines.shape import shape_batch
from groundswell.platforms import casts
from groundswell.settings import Settings

Cells = dict[str | None, object]
Make = Callable[[str, ibis.expr.types.StringValue], casts.Cell]


@pytest.fixture
def engine(settings: Settings) -> Iterator[DuckEngine]:
    engine = DuckEngine(settings)
    yield engine
    engine.close()


def read(engine: DuckEngine, make: Make, cells: Cells) -> list[tuple[object, bool]]:
    """Value, and whether the cell is told as unread."""
    table = engine.register("cells", pa.table({"n": range(len(cells)), "raw": pa.array(list(cells), pa.string())}))
    cell = make("field", table.raw)
    unread = ibis.coalesce(cell.is_unread(), False)
    rows = engine.run(table.select("n", value=cell.value, unread=unread).order_by("n")).read_all().to_pylist()
    return [(row["value"], row["unread"]) for row in rows]


NOTHING: Cells = {None: None, "": None, "  ": None, "#N/A": None, "null": None}
BAD = object()


KINDS: dict[Make, pa.DataType] = {casts.integer: pa.int64(), casts.number: pa.float64(), casts.boolean: pa.bool_()}


def check(engine: DuckEngine, make: Make, cells: Cells) -> None:
    expected = [(None, True) if value is BAD else (value, False) for value in (cells | NOTHING).values()]
    assert read(engine, make, cells | NOTHING) == expected
    if (kind := KINDS.get(make)) is not None:
        # The kernel that reads plain cells after the engine agrees, also about a slice.
        texts = pa.array([None, "x", *(cells | NOTHING)], pa.string()).slice(2)
        values, unread = read_texts(texts, kind)
        told = dict(unread)
        assert [(value, row in told) for row, value in enumerate(values.to_pylist())] == expected


def test_a_count_is_digits_and_never_passes_through_a_float(engine: DuckEngine) -> None:
    cells: Cells = {"0": 0, "12": 12, "343296.0": 343296, " 7 ": 7, "007": 7, "5.": 5}
    cells |= {"9007199254740993": 9007199254740993, "9223372036854775807.0": 9223372036854775807}
    bad = ("12.5", "1e3", "1_000", "0x10", "NaN", "-5", "+5", "1,000", "9223372036854775808", "abc", "true", "[]")
    check(engine, casts.integer, cells | dict.fromkeys(bad, BAD))


def test_a_number_may_have_a_fraction_but_no_exponent(engine: DuckEngine) -> None:
    check(engine, casts.number, {"12.5": 12.5, "3": 3.0, "1e3": BAD, "-1": BAD, "inf": BAD, "NaN": BAD})


def test_booleans_are_read_in_their_usual_spellings(engine: DuckEngine) -> None:
    check(engine, casts.boolean, {"true": True, "False": False, "1": True, "0": False, "maybe": BAD})


def test_an_epoch_must_be_plausible(engine: DuckEngine) -> None:
    second = 1_642_515_300
    cells: Cells = {
        str(second): second * 10**6,
        f"{second}.0": second * 10**6,
        f"{second}123": second * 10**6 + 123_000,
    }
    bad = ("0", "-1", "abc", "99999999999999", "9223372036854775807", "1e9", "12.5")
    check(engine, casts.epoch, cells | dict.fromkeys(bad, BAD))


def test_a_moment_is_read_in_its_zone(engine: DuckEngine) -> None:
    cells: Cells = {"2021-07-01 12:00:00": 1_625_133_600_000_000, "soon": BAD, "50000-01-01": BAD}
    check(engine, lambda field, raw: casts.moment(field, raw, "Europe/Paris"), cells)


def test_unread_cells_are_listed_by_field_and_required_ones_reject(engine: DuckEngine) -> None:
    rows = pa.table(
        {"id": ["1", None, "3"], "likes": ["x", "2", "NaN"], "views": ["1.5", "2", "3"], "at": ["y", "", "5"]}
    )
    raw = engine.register("raw", rows)
    table = casts.mapped(
        raw,
        {
            "post_id": raw.id,
            "likes": casts.integer("like count", raw.likes),
            "views": casts.integer("views", raw.views),
            "created_at": casts.epoch("at", raw["at"]),
        },
        required=["post_id"],
        reject_unread={"created_at": "at is not a plausible time"},
    )
    (batch,) = engine.run(table).read_all().combine_chunks().to_batches()
    by_unread = {row["unread"]: row["reject"] for row in shape_batch(batch, 0).to_pylist()}
    assert by_unread == {
        "like count=x; views=1.5": "at is not a plausible time: y",
        None: "no post id",
        "like count=NaN": "at is not a plausible time: 5",
    }
