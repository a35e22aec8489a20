"""Times as people and programs write them, read as microseconds since 1970 UTC.

Read are: epochs in seconds (also with a fraction), milliseconds or microseconds; ISO 8601 (`2020-12-20`,
`2020-12-20 06:06:44.5`, `2020-12-20T06:06:44Z`, `…+02:00`); month first with slashes (`4/22/18 6:00`,
`12/31/2021 11:59 PM`); day first with dots (`31.12.2021 23:59`); year first with slashes or with nothing between
(`20211231`, `20211231T235900Z`); month names in English (`Wed Oct 10 20:19:24 +0000 2018`,
`Sat, 13 Mar 2010 11:29:05 GMT`, `Dec 31, 2021`, `31-Dec-21`). A zone may be named by an abbreviation that means one
thing (`EDT`, `CET`; not `IST`). A time without a zone is of the zone that the caller names; one that a change of
clocks makes twice is the earlier, one that it skips is moved on. What is none of these, or outside the years 1990 to
2100, is null.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EARLIEST_US: Final = 631_152_000_000_000
LATEST_US: Final = 4_133_980_800_000_000

#: 2037: from then on Arrow no longer changes the clocks twice a year.
_ARROW_KNOWS_ZONES_UNTIL_US: Final = 2_114_380_800_000_000

_ISO: Final = r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)?$"
_ISO_UTC: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$"
_SECONDS: Final = r"^\d{9,10}(?:\.0*)?$"

_EPOCH: Final = re.compile(r"(\d{9,16})(?:\.(\d*))?", re.ASCII)
_ANY_ISO: Final = re.compile(
    r"(\d{4})[-/](\d\d?)[-/](\d\d?)(?:[ T]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s*([AP]M))?)?"
    r"\s*([A-Z]{1,4}|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII | re.IGNORECASE)
_PARTED: Final = re.compile(
    r"(\d\d?)([/.])(\d\d?)\2(\d\d(?:\d\d)?)(?:,?\s+(\d\d?):(\d\d)(?::(\d\d)(?:[.]\d+)?)?\s*([AP]M)?)?",
    re.ASCII | re.IGNORECASE,
)
#: Hours between UTC and the zones of RFC 2822 and others whose abbreviation means one thing.
_ZONES: Final = {
    **dict.fromkeys(("Z", "UTC", "GMT", "UT", "WET"), 0),
    **{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8},
    **{"HST": -10, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9, "AEST": 10},
    **{"AEDT": 11, "NZST": 12, "NZDT": 13},
}
#: Formats with a zone first, so that none is overlooked.
_NAMED: Final = (
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M %p",
    "%B %d, %Y %I:%M %p",
    "%b %d, %Y %H:%M",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d %Y",
    "%B %d %Y",
    "%b %d, %Y %H:%M:%S",
    "%B %d, %Y at %I:%M %p",
    "%A, %B %d, %Y at %I:%M %p",
    "%A, %B %d, %Y",
)


def read_times(texts: pa.Array | pa.ChunkedArray, tz: str = "UTC") -> pa.Array:
    """Each text as microseconds since 1970 UTC (int64); null where it is null or no plausible time.

    >>> read_times(pa.array(["2020-12-20 06:06:44", "1642515300", "soon", None])).to_pylist()
    [1608444404000000, 1642515300000000, None, None]
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    out = np.zeros(len(texts), np.int64)
    read = np.zeros(len(texts), np.bool_)
    for pattern, convert in ((_ISO, _naive), (_ISO_UTC, _zoned), (_SECONDS, _seconds)):
        rows = np.flatnonzero(_matching(texts, pattern))
        if len(rows):
            values = convert(texts.take(pa.array(rows)), tz)
            if values is not None:
                out[rows], read[rows] = values.to_numpy(zero_copy_only=False), True
    rest = np.flatnonzero(~read & texts.is_valid().to_numpy(zero_copy_only=False))
    if len(rest):
        known = texts.take(pa.array(rest)).dictionary_encode()
        slowly = pa.array([read_time(text, tz) for text in known.dictionary.to_pylist()], pa.int64())
        values = slowly.take(known.indices)
        out[rest] = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
        read[rest] = values.is_valid().to_numpy(zero_copy_only=False)
    read &= (out >= EARLIEST_US) & (out < LATEST_US)
    return pa.array(out, pa.int64(), mask=~read)


def read_time(text: str, tz: str = "UTC") -> int | None:
    """One text as microseconds since 1970 UTC, or None; the definition that `read_times` follows.

    >>> read_time("4/22/18 6:00", "Asia/Bangkok") == read_time("2018-04-21T23:00:00Z")
    True
    """
    text = text.strip()
    found: int | None
    try:
        if compact := _COMPACT.fullmatch(text):
            found = _from_compact(compact, tz)
        elif epoch := _EPOCH.fullmatch(text):
            found = _epoch(epoch[1], epoch[2] or "")
        elif iso := _ANY_ISO.fullmatch(text):
            found = _from_iso(iso, tz)
        elif parted := _PARTED.fullmatch(text):
            found = _from_parts(parted, tz)
        else:
            found = _from_names(text, tz)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and EARLIEST_US <= found < LATEST_US else None


def _matching(texts: pa.Array, pattern: str) -> Any:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False)


def _naive(texts: pa.Array, tz: str) -> pa.Array | None:
    try:
        local = texts.cast(pa.timestamp("us"))
        if tz != "UTC":
            if pc.max(local.cast(pa.int64())).as_py() >= _ARROW_KNOWS_ZONES_UNTIL_US:
                return None
            local = pc.assume_timezone(local, tz, ambiguous="earliest", nonexistent="raise")
    except pa.ArrowInvalid:
        return None  # one of them is no date (February 30) or was skipped by the clocks: read them one by one
    return local.cast(pa.int64())


def _zoned(texts: pa.Array, _tz: str) -> pa.Array | None:
    try:
        return texts.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None


def _seconds(texts: pa.Array, _tz: str) -> pa.Array:
    return pc.multiply(pc.replace_substring_regex(texts, r"\..*$", "").cast(pa.int64()), 1_000_000)


def _epoch(digits: str, fraction: str) -> int | None:
    if len(digits) <= 10:
        return int(digits) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
    if len(digits) in (12, 13):
        return int(digits) * 1000 + int(fraction[:3].ljust(3, "0"))
    return int(digits) if len(digits) >= 15 else None


def _from_iso(match: re.Match[str], tz: str) -> int:
    year, month, day, hour, minute, second, fraction, half, zone = match.groups()
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    local = datetime(  # noqa: DTZ001 - the zone is applied below
        int(year), int(month), int(day), _hour(int(hour or 0), half), int(minute or 0), int(second or 0), micros
    )
    if zone is None:
        return _in_zone(local, tz)
    if zone[0] not in "+-":
        if zone.upper() not in _ZONES:
            return 0
        return _micros(local - timedelta(hours=_ZONES[zone.upper()]))
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    shift = timedelta(hours=hours, minutes=minutes)
    return _micros(local - shift if zone[0] == "+" else local + shift)


def _from_parts(match: re.Match[str], tz: str) -> int:
    first, sign, second, year, hour, minute, seconds, half = match.groups()
    month, day = (first, second) if sign == "/" else (second, first)
    hours = _hour(int(hour or 0), half)
    full_year = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 70 else 1900)
    local = datetime(full_year, int(month), int(day), hours, int(minute or 0), int(seconds or 0))  # noqa: DTZ001 - the zone is applied below
    return _in_zone(local, tz)


def _from_compact(match: re.Match[str], tz: str) -> int:
    *parts, zone = match.groups()
    local = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]  # noqa: DTZ001 - the pattern has six parts; the zone is applied below
    return _micros(local) if zone else _in_zone(local, tz)


def _hour(written: int, half: str | None) -> int:
    """The hour of the day; `half` is AM, PM or nothing."""
    if not half:
        return written
    if not 1 <= written <= 12:
        message = f"no hour {written} {half}"
        raise ValueError(message)
    return written % 12 + (12 if half.upper() == "PM" else 0)


def _from_names(text: str, tz: str) -> int | None:
    if not any(character.isalpha() for character in text):
        return None
    for form in _NAMED:
        try:
            read = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is applied below
        except ValueError:
            continue
        if form.endswith("%Z"):
            return _micros(read) if text.endswith(("GMT", "UTC")) else None
        return _micros(read.astimezone(UTC).replace(tzinfo=None)) if read.tzinfo else _in_zone(read, tz)
    return None


def _in_zone(local: datetime, tz: str) -> int:
    if tz == "UTC":
        return _micros(local)
    return _micros(local.replace(tzinfo=ZoneInfo(tz)).astimezone(UTC).replace(tzinfo=None))


def _micros(utc: datetime) -> int:
    return (utc - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 - both are UTC
