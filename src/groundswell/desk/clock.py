"""The wall clock in the desk's unit; passed in wherever a result could depend on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], int]
"""Gives microseconds since 1970 UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wall_us() -> int:
    """Microseconds since 1970 UTC by the clock of this machine."""
    return time.time_ns() // 1000


def moment(micros: int) -> datetime:
    """The UTC time of a number of microseconds, exactly.

    >>> moment(1_600_000_000_000_001).isoformat()
    '2020-09-13T12:26:40.000001+00:00'
    """
    return _EPOCH + timedelta(microseconds=micros)


def iso(micros: int | None) -> str | None:
    """RFC 3339 text of a number of microseconds, null for null.

    >>> iso(1_600_000_000_000_000)
    '2020-09-13T12:26:40Z'
    """
    return None if micros is None else moment(micros).isoformat().replace("+00:00", "Z")
