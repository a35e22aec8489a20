"""How days and numbers are written in a table, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import casts, generic
from groundswell.platforms.generic.habits import (
    CountStyle,
    count_style,
    day_order,
    is_count,
    ordered_day,
    signed_count,
    styled_count,
)
from groundswell.settings import Settings
from groundswell.text.times import read_time

Read = Callable[[list[str], CountStyle], list[tuple[int | None, bool]]]


@pytest.fixture
def engine(settings: Settings) -> Iterator[DuckEngine]:
    engine = DuckEngine(settings)
    yield engine
    engine.close()


def cells(
    engine: DuckEngine, texts: list[str], make: Callable[[ibis.expr.types.StringValue], casts.Cell]
) -> list[object]:
    table = engine.register("cells", pa.table({"n": range(len(texts)), "raw": pa.array(texts, pa.string())}))
    read = table.select("n", value=make(table.raw).value).order_by("n")
    return [row["value"] for row in engine.run(read).read_all().to_pylist()]


@pytest.mark.parametrize(
    ("texts", "style", "values"),
    [
        (["1,234", "17", "12,345,678"], CountStyle(","), [1234, 17, 12_345_678]),
        (["1.234", "17", "12.345.678"], CountStyle(".", ","), [1234, 17, 12_345_678]),
        (["1,234", "0,5", "3,0"], CountStyle("", ","), [None, None, 3]),
        (["1.234", "12.5"], CountStyle(), [None, None]),
        (["343296.0", "12.0"], CountStyle(), [343_296, 12]),
        (["1 234", "12\u00a0345", "7"], CountStyle(" "), [1234, 12_345, 7]),
        (["1'234"], CountStyle(" "), [1234]),
        (["1.2K", "3M", "12k", "1.23456K"], CountStyle("", ".", suffixes=True), [1200, 3_000_000, 12_000, None]),
        (["1,2 Mio.", "3 Tsd.", "4"], CountStyle("", ",", suffixes=True), [1_200_000, 3000, 4]),
        (["1.2万", "3億"], CountStyle("", ".", suffixes=True), [12_000, 300_000_000]),
        (["1,234.0", "2,000"], CountStyle(","), [1234, 2000]),
    ],
)
def test_counts_are_read_as_their_column_writes_them(
    engine: DuckEngine, texts: list[str], style: CountStyle, values: list[int | None]
) -> None:
    assert count_style(texts) == style
    assert cells(engine, texts, lambda raw: styled_count("likes", raw, style)) == values


def test_a_minus_is_a_habit_and_no_counter_is_negative(engine: DuckEngine) -> None:
    style = count_style(["-5", "1,234"])
    assert style == CountStyle(",", ".", signed=True)
    assert cells(engine, ["-5", "1,234", "-1,234"], lambda raw: signed_count("score", raw, style)) == [-5, 1234, -1234]
    assert cells(engine, ["-5", "1,234"], lambda raw: styled_count("likes", raw, style)) == [None, 1234]


@given(st.lists(st.integers(0, 10**12), min_size=1), st.sampled_from([",", ".", " "]))
def test_grouped_thousands_are_found_whatever_the_numbers(numbers: list[int], sign: str) -> None:
    texts = [f"{number:,}".replace(",", sign) for number in numbers]
    style = count_style(texts)
    assert all(is_count(text) for text in texts)
    assert style.thousands == (sign if any(number >= 1000 for number in numbers) else "")


@given(st.text())
def test_no_text_upsets_the_finding_of_habits(text: str) -> None:
    count_style([text])
    day_order([text])
    assert isinstance(is_count(text), bool)


days = st.datetimes(datetime.fromisoformat("1990-01-02"), datetime.fromisoformat("2068-01-01")).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


@hypothesis_settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(days, min_size=1, max_size=20), st.booleans(), st.sampled_from("/.-"), st.booleans())
def test_a_day_that_decides_puts_all_days_in_order(
    engine: DuckEngine, moments: list[datetime], first: bool, sign: str, short: bool
) -> None:
    form = (f"%d{sign}%m{sign}" if first else f"%m{sign}%d{sign}") + ("%y" if short else "%Y") + " %H:%M"
    decides = datetime.fromisoformat("2021-04-13")
    texts = [moment.strftime(form) for moment in [*moments, decides]]
    found = day_order(texts)
    if found is not first:
        assert any(moment.day > 12 for moment in moments) is False or found is None
        return
    ordered = cells(engine, texts, lambda raw: casts.Cell("day", raw, ordered_day(raw, found)))
    assert [read_time(str(text)) for text in ordered] == [_micros(moment) for moment in [*moments, decides]]


def _micros(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_without_a_day_that_decides_slashes_are_month_first_and_dots_day_first() -> None:
    assert day_order(["3/4/2021"]) is False
    assert day_order(["3.4.2021"]) is True
    assert day_order(["3-4-2021"]) is True
    assert day_order(["2021-04-03", "1617408000", "soon"]) is None
    assert day_order(["13/4/2021", "4/13/2021", "4/14/2021"]) is False


def test_a_table_is_consistent_over_its_columns_and_tells_what_contradicts(engine: DuckEngine) -> None:
    rows = [
        {"text": "a", "date": "03/04/2021", "collected_at": "13/04/2021"},
        {"text": "b", "date": "04/15/2021", "collected_at": "14/04/2021"},
    ]
    layout = generic.table(list(rows[0]), samples=rows)
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    found = pa.Table.from_batches(engine.map_rows(table, layout)).to_pylist()
    assert found[0]["created_at"] == datetime(2021, 4, 3, tzinfo=UTC)
    assert found[1]["reject"] == "date is not a plausible time: 04/15/2021"


def test_minus_one_is_a_hidden_count_unless_the_column_is_a_score_or_has_other_negatives() -> None:
    assert count_style(["-1", "340"]) == CountStyle(hidden=True)
    assert count_style(["-1", "340"], votes=True) == CountStyle(signed=True)
    assert count_style(["-1", "-2", "340"]) == CountStyle(signed=True)


def test_a_hidden_count_is_absent_and_not_unread(engine: DuckEngine) -> None:
    style = count_style(["-1", "1.2K"])
    texts = ["-1", "-1.0", "1.2K", "x"]
    assert cells(engine, texts, lambda raw: styled_count("likes", raw, style)) == [None, None, 1200, None]
    table = engine.register("hidden", pa.table({"n": range(4), "raw": pa.array(texts)}))
    told = table.select("n", bad=styled_count("likes", table.raw, style).is_unread()).order_by("n")
    assert [row["bad"] for row in engine.run(told).read_all().to_pylist()] in (
        [False] * 3 + [True],
        [None, None, False, True],
    )
