"""Dates, times and spans are read as people mean them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from groundswell.errors import UsageError
from groundswell.marts.period import parse_moment, parse_span

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "seconds"), [("45s", 45), ("90m", 5400), ("6h", 21_600), ("2d", 172_800), ("1w", 604_800)]
)
def test_a_span_is_a_number_and_a_unit(given: str, seconds: int) -> None:
    assert parse_span(given) == timedelta(seconds=seconds)


@pytest.mark.parametrize("given", ["", "d", "0d", "-2d", "1.5h", "2 days", "٣d", "99999999999999w"])
def test_what_is_no_span_is_refused_with_the_valid_units(given: str) -> None:
    with pytest.raises(UsageError, match=r"length of time|too long"):
        parse_span(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("now", NOW),
        ("6h", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T12:30", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-01 12:30:05.5", datetime(2026, 11, 1, 12, 30, 5, 500_000, tzinfo=UTC)),
        ("2026-11-01T12:30+02:00", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
        ("2026-11-01T12:30Z", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_date_a_time_or_a_span_before_now(given: str, expected: datetime) -> None:
    assert parse_moment(given, now=NOW) == expected


def test_a_date_is_a_day_of_the_zone_even_when_the_clocks_change() -> None:
    start = parse_moment("2026-10-25", now=NOW, tz="Europe/Paris")
    end = parse_moment("2026-10-25", now=NOW, tz="Europe/Paris", end=True)
    assert end - start == timedelta(hours=25)


def test_an_end_with_a_time_is_that_time() -> None:
    assert parse_moment("2026-11-01T06:00", now=NOW, end=True) == datetime(2026, 11, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("given", ["", "yesterday", "2026-13-01", "01.11.2026", "999999999d", "0001-01-01T00:00+23:00"])
def test_what_is_no_moment_is_refused_with_examples(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_moment(given, now=NOW)
    assert "2026-11-01" in str(caught.value) or "span" in str(caught.value)
