"""Quiet hours: when a channel keeps still, by the clock of a time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from groundswell.desk.clock import moment
from groundswell.errors import UsageError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")

Then = Literal["digest", "drop"]


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hours from `start` to `end` (`HH:MM`, past midnight where the end is not later) that begin on one of `days`."""

    start: str
    end: str
    tz: str = "UTC"
    days: tuple[str, ...] = DAYS
    then: Then = "digest"
    """What becomes of messages: one digest afterwards, or nothing."""

    def covers(self, now_us: int) -> bool:
        """Whether the time (microseconds since 1970 UTC) is within quiet hours.

        Both ends are wall times, so a night is an hour shorter or longer when the clocks change.
        """
        local = moment(now_us).astimezone(ZoneInfo(self.tz))
        start, end = _time(self.start), _time(self.end)
        today, now = local.date(), local.timetz().replace(tzinfo=None)
        if start < end:
            return start <= now < end and self._begins(today.weekday())
        yesterday = (today - timedelta(days=1)).weekday()
        return (now >= start and self._begins(today.weekday())) or (now < end and self._begins(yesterday))

    def _begins(self, weekday: int) -> bool:
        return DAYS[weekday] in self.days

    def __str__(self) -> str:
        days = "" if self.days == DAYS else f" {','.join(self.days)}"
        return f"{self.start}-{self.end} {self.tz}{days}, then {'a digest' if self.then == 'digest' else 'nothing'}"


def read_quiet(text: str, tz: str, then: Then = "digest", days: str | None = None) -> Quiet:
    """Quiet hours as people write them.

    >>> str(read_quiet("22:00-7:00", "Europe/Berlin", days="mon,tue,wed,thu"))
    '22:00-07:00 Europe/Berlin mon,tue,wed,thu, then a digest'

    Raises:
        UsageError: not two times of a day, no such zone, or no such day.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None or not all(int(h) < 24 and int(m) < 60 for h, m in ((found[1], found[2]), (found[3], found[4]))):
        what = f"not quiet hours: `{text}`"
        raise UsageError(what, hint="write two times of the day, for example 22:00-07:00")
    chosen = tuple(day.strip().lower()[:3] for day in days.split(",")) if days else DAYS
    start, end = f"{int(found[1]):02}:{found[2]}", f"{int(found[3]):02}:{found[4]}"
    return check_quiet(Quiet(start, end, tz, tuple(day for day in DAYS if day in chosen), then), chosen)


def quiet_of(said: Mapping[str, Any] | None) -> Quiet | None:
    """Quiet hours as the desk and the API have them.

    Raises:
        UsageError: they are not valid; says which part.
    """
    if said is None:
        return None
    try:
        return check_quiet(msgspec.convert(dict(said), Quiet))
    except msgspec.ValidationError as error:
        what = f"these are not quiet hours ({error})"
        hint = 'for example {"start": "22:00", "end": "07:00", "tz": "Europe/Berlin", "then": "digest"}'
        raise UsageError(what, hint=hint) from error


def check_quiet(quiet: Quiet, days: tuple[str, ...] | None = None) -> Quiet:
    """The same hours, once their parts are known to be valid.

    Raises:
        UsageError: a part is not.
    """
    for text in (quiet.start, quiet.end):
        try:
            _time(text)
        except ValueError as error:
            what = f"not a time of the day: `{text}`"
            raise UsageError(what, hint="write it as 22:00") from error
    try:
        ZoneInfo(quiet.tz)
    except (KeyError, ValueError, OSError) as error:
        what = f"no time zone `{quiet.tz}`"
        raise UsageError(what, hint="use an IANA name such as Europe/Paris") from error
    wrong = next((day for day in days or quiet.days if day not in DAYS), None)
    if wrong is not None or not quiet.days:
        what = f"no day `{wrong}`" if wrong else "quiet hours on no day"
        raise UsageError(what, hint=f"valid: {', '.join(DAYS)}")
    if quiet.start == quiet.end:
        what = "quiet hours that end when they begin"
        raise UsageError(what, hint="pause the channel instead, or give another end")
    return quiet


def _time(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of the day has no zone
