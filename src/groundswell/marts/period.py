"""Dates, times and spans as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from groundswell.errors import UsageError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"(\d+)\s*([smhdw])", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_span(given: str) -> timedelta:
    """A length of time: a whole number and s, m, h, d or w.

    Raises:
        UsageError: not of that form, zero, or longer than datetimes reach.

    >>> parse_span("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    match = _SPAN.fullmatch(given.strip())
    if match is None or int(match[1]) == 0:
        wrong = f"`{given}` is not a length of time"
        raise UsageError(wrong, hint="write a number and s, m, h, d or w: 90m, 6h, 2d, 1w")
    try:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    except OverflowError:
        wrong = f"`{given}` is too long"
        raise UsageError(wrong, hint="the longest span is 999999999 days") from None


def parse_moment(given: str, *, now: datetime, tz: str = "UTC", end: bool = False) -> datetime:
    """A moment in UTC, from a date, a date with a time, `now`, or a span before `now` (`2d`).

    A time without a zone is in `tz`. A date alone is the start of that day, or with `end` the start of the next
    one, so that `--since 2026-11-01 --until 2026-11-03` is three whole days.

    Raises:
        UsageError: none of these.

    >>> parse_moment("2026-11-01", now=datetime(2026, 11, 20, tzinfo=UTC), end=True).isoformat()
    '2026-11-02T00:00:00+00:00'
    >>> parse_moment("6h", now=datetime(2026, 11, 20, 12, tzinfo=UTC)).isoformat()
    '2026-11-20T06:00:00+00:00'
    """
    text = given.strip()
    if text == "now":
        return now.astimezone(UTC)
    try:
        if _SPAN.fullmatch(text):
            return (now - parse_span(text)).astimezone(UTC)
        if _DATE.fullmatch(text):
            day = datetime.combine(datetime.fromisoformat(text), time(), ZoneInfo(tz))
            return (day + timedelta(days=1) if end else day).astimezone(UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC)
    except (ValueError, OverflowError):
        wrong = f"`{given}` is not a time"
        raise UsageError(
            wrong, hint="write a date (2026-11-01), a time (2026-11-01T12:30) or a span before now (2d, 6h)"
        ) from None
