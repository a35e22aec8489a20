"""Events as people write them on the command line."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.simulate.scenario import Event, EventKind, Scenario, default_event, with_default_events

_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:\d+[dhms])+")
_FORM: Final = "write KIND or KIND:START:LENGTH[:SIZE[:TOPIC]], for example crisis:9d14h:45m:5:aurora cola"


def parse_duration(text: str) -> timedelta:
    """A length of time.

    >>> parse_duration("1d2h30m")
    datetime.timedelta(days=1, seconds=9000)

    Raises:
        UsageError: it is not one.
    """
    if not _DURATION.fullmatch(text):
        what = f"`{text}` is not a length of time"
        raise UsageError(what, hint="write days, hours, minutes and seconds such as 2d, 90m or 1d12h")
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([dhms])", text)))


def with_events(scenario: Scenario, text: str) -> Scenario:
    """The scenario with the events that `text` lists, separated by commas; `all` is one of each kind, `none` none.

    >>> with_events(Scenario(posts=1000, days=2), "surge, bots:1d:20m:8:kitepay").events[1].size
    8.0

    Raises:
        UsageError: an event is not written in the form that is understood, or cannot be (see `Scenario`).
    """
    match text.strip():
        case "all":
            return with_default_events(scenario)
        case "none":
            return replace(scenario, events=())
        case listed:
            return replace(scenario, events=tuple(_event(scenario, item.strip()) for item in listed.split(",")))


def _event(scenario: Scenario, item: str) -> Event:
    name, *rest = item.split(":")
    if name not in list(EventKind):
        kind = "event"
        raise UnknownChoiceError(kind, name, [*EventKind, "all", "none"])
    usual = default_event(EventKind(name), scenario)
    if not rest:
        return usual
    if not 2 <= len(rest) <= 4:
        what = f"`{item}` is not an event"
        raise UsageError(what, hint=_FORM)
    try:
        size = float(rest[2]) if len(rest) > 2 else usual.size
    except ValueError as error:
        what = f"`{rest[2]}` is not a size"
        raise UsageError(what, hint=_FORM) from error
    topic = rest[3] if len(rest) > 3 else usual.topic
    return Event(usual.kind, parse_duration(rest[0]), parse_duration(rest[1]), size, topic)
