"""Written times."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.text.times import read_time, read_times

FIRST, LAST = datetime.fromisoformat("1991-01-01"), datetime.fromisoformat("2099-01-01")


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]  # nobody gives more than six


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-12-20 06:06:44", utc(2020, 12, 20, 6, 6, 44)),
        ("2020-12-20T06:06:44.25Z", utc(2020, 12, 20, 6, 6, 44) + 250_000),
        ("2020-12-20T06:06:44+05:30", utc(2020, 12, 20, 0, 36, 44)),
        ("2020-12-20T06:06-0100", utc(2020, 12, 20, 7, 6)),
        (" 2020-12-20 ", utc(2020, 12, 20)),
        ("4/22/18 6:00", utc(2018, 4, 22, 6)),
        ("12/31/2021 11:59 PM", utc(2021, 12, 31, 23, 59)),
        ("12/31/2021 12:05 am", utc(2021, 12, 31, 0, 5)),
        ("31.12.2021 23:59", utc(2021, 12, 31, 23, 59)),
        ("2022/1/5 7:08", utc(2022, 1, 5, 7, 8)),
        ("Wed Oct 10 20:19:24 +0000 2018", utc(2018, 10, 10, 20, 19, 24)),
        ("Sat, 13 Mar 2010 11:29:05 GMT", utc(2010, 3, 13, 11, 29, 5)),
        ("Dec 31, 2021", utc(2021, 12, 31)),
        ("2021-07-06 16:45:20 EDT", utc(2021, 7, 6, 20, 45, 20)),
        ("2021-07-06 16:45:20 CEST", utc(2021, 7, 6, 14, 45, 20)),
        ("2021-07-06 04:45 PM", utc(2021, 7, 6, 16, 45)),
        ("2021-07-06 13:45 PM", None),
        ("2021-07-06 16:45:20 IST", None),
        ("12/31/2021 11:59:01.000 PM", utc(2021, 12, 31, 23, 59, 1)),
        ("20211231", utc(2021, 12, 31)),
        ("20211231T235900Z", utc(2021, 12, 31, 23, 59)),
        ("20211331", None),
        ("31-Dec-21", utc(2021, 12, 31)),
        ("Friday, December 31, 2021 at 11:59 PM", utc(2021, 12, 31, 23, 59)),
        ("1642515300", utc(2022, 1, 18, 14, 15)),
        ("1642515300.5", utc(2022, 1, 18, 14, 15) + 500_000),
        ("1642515300123", utc(2022, 1, 18, 14, 15) + 123_000),
        ("1642515300123456", utc(2022, 1, 18, 14, 15) + 123_456),
        ("", None),
        ("abc", None),
        ("NaN", None),
        ("0", None),
        ("13/1/2020", None),
        ("2021-02-30", None),
        ("2021-01-01 25:00:00", None),
        ("50000-01-01", None),
        ("1889-12-31", None),
        ("2100-12-31", utc(2100, 12, 31)),
        ("2101-01-01", None),
        ("99999999999", None),
        ("1642515300123456789", None),
    ],
)
def test_a_written_time_is_read_alike_alone_and_among_others(text: str, expected: int | None) -> None:
    assert read_time(text) == expected
    others = ["2020-01-01 00:00:00", text, None, "1577836800"]
    assert read_times(pa.array(others)).to_pylist() == [utc(2020, 1, 1), expected, None, utc(2020, 1, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-07-01 12:00:00", utc(2021, 7, 1, 10)),
        ("2021-01-01", utc(2020, 12, 31, 23)),
        ("2021-10-31 02:30:00", utc(2021, 10, 31, 0, 30)),
        ("2021-03-28 02:30:00", utc(2021, 3, 28, 1, 30)),
        ("2021-07-01T12:00:00Z", utc(2021, 7, 1, 12)),
        ("1625140800", utc(2021, 7, 1, 12)),
    ],
)
def test_a_time_without_zone_is_of_the_named_zone(text: str, expected: int) -> None:
    assert read_time(text, "Europe/Paris") == expected
    assert read_times(pa.array([text]), "Europe/Paris").to_pylist() == [expected]


@given(st.lists(st.datetimes(FIRST, LAST), min_size=1, max_size=5), st.booleans())
@settings(max_examples=150, deadline=None)
def test_whole_columns_are_read_as_each_value_is(moments: list[datetime], zoned: bool) -> None:
    texts = [moment.isoformat() + ("Z" if zoned else "") for moment in moments]
    for tz in ("UTC", "America/New_York"):
        assert read_times(pa.array(texts), tz).to_pylist() == [read_time(text, tz) for text in texts]
