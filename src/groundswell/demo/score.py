"""What a watch found of the events that are known to have happened. Pure: truth and alerts in, a score out."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from groundswell.simulate import EventTruth

#: An alert belongs to an event if its first unusual window starts this long before the event or later …
_EARLY: Final = timedelta(minutes=5)
#: … and this long after its end at the latest: a slow event is sometimes seen when it is nearly over.
_LATE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert, as far as the score looks at it. Times are microseconds since 1970 UTC.

    `opened_us` is the event time at which the first unusual window closed; `wall_us` the clock of the machine then.
    """

    id: str
    query: str
    direction: str
    started_us: int
    opened_us: int
    wall_us: int
    headline: str
    terms: frozenset[str] = frozenset()
    """Of an emerging topic its hashtags and words; an alert has a query instead."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the stream ran: event time `origin_us` was fed at machine time `wall_us`, at `speed` (null: at once)."""

    origin_us: int
    wall_us: int
    speed: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One event and the alert that found it (null: missed), or, where no tracker watches for it, the topic.

    `delay_minutes` is event time from the event's start until the alert, `delay_seconds` the same in the time
    that a person in front of the running demo waited (null: it ran as fast as it could).
    """

    event: EventTruth
    alert: RaisedAlert | None
    delay_minutes: float | None
    delay_seconds: float | None
    by_topic: bool = False

    @property
    def wanted(self) -> bool:
        """Whether the event is about something that is to be noticed (a surge of everything is not)."""
        return self.event.query is not None


@dataclass(frozen=True, slots=True)
class Score:
    """What was found, which alerts were none of it, and which of those came with a surge of everything."""

    findings: tuple[Finding, ...]
    alerts: int
    false_alarms: tuple[RaisedAlert, ...]
    surge_alarms: tuple[RaisedAlert, ...]
    topics: int = 0

    @property
    def found(self) -> int:
        """Events that were noticed."""
        return sum(finding.alert is not None for finding in self.findings)

    @property
    def wanted(self) -> int:
        """Events that were to be noticed."""
        return sum(finding.wanted for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """As `groundswell demo --json` shows it."""
        return {
            "events": [
                {
                    "kind": finding.event.kind,
                    "query": finding.event.query,
                    "start": finding.event.start,
                    "end": finding.event.end,
                    "posts": finding.event.posts,
                    "expected": finding.event.expected,
                    "should_alert": finding.wanted,
                    "found": finding.alert is not None,
                    "alert": None if finding.alert is None or finding.by_topic else finding.alert.id,
                    "topic": None if finding.alert is None or not finding.by_topic else finding.alert.id,
                    "headline": None if finding.alert is None else finding.alert.headline,
                    "delay_minutes": finding.delay_minutes,
                    "delay_seconds": finding.delay_seconds,
                }
                for finding in self.findings
            ],
            "wanted": self.wanted,
            "found": self.found,
            "alerts": self.alerts,
            "false_alarms": [{"query": alert.query, "headline": alert.headline} for alert in self.false_alarms],
            "surge_alarms": len(self.surge_alarms),
            "topics": self.topics,
        }


def score(
    events: Sequence[EventTruth],
    alerts: Sequence[RaisedAlert],
    pace: Pace,
    *,
    topics: Sequence[RaisedAlert] = (),
    watched: Set[str] | None = None,
) -> Score:
    """Match alerts to events.

    An event is found by the first burst of a tracker with its query that starts in its time (five minutes
    before to ten minutes after). Further alerts of that tracker in that time belong to it too. Every other
    alert is a false alarm; one that starts in the time of a surge is a surge alarm as well. An event whose query is not
    among the `watched` ones is found by the first of the emerging `topics` that has its hashtag or word.
    """
    ordered = sorted(alerts, key=lambda alert: alert.opened_us)
    emerged = sorted(topics, key=lambda topic: topic.opened_us)
    belonging: set[str] = set()
    findings = []
    for event in events:
        by_topic = watched is not None and event.query is not None and event.query not in watched
        mine = [one for one in (emerged if by_topic else ordered) if _is_about(event, one)]
        belonging |= {alert.id for alert in mine}
        findings.append(replace(_finding(event, mine[0] if mine else None, pace), by_topic=by_topic))
    false = tuple(alert for alert in ordered if alert.id not in belonging)
    surges = [event for event in events if event.query is None]
    during = tuple(alert for alert in false if any(_is_in_time(event, alert) for event in surges))
    return Score(tuple(findings), len(ordered), false, during, len(emerged))


def _is_about(event: EventTruth, alert: RaisedAlert) -> bool:
    same = event.query == alert.query or event.query in alert.terms
    return same and alert.direction == "burst" and _is_in_time(event, alert)


def _is_in_time(event: EventTruth, alert: RaisedAlert) -> bool:
    return _micros(event.start - _EARLY) <= alert.started_us <= _micros(event.end + _LATE)


def _finding(event: EventTruth, alert: RaisedAlert | None, pace: Pace) -> Finding:
    if alert is None:
        return Finding(event, None, None, None)
    start = _micros(event.start)
    waited = None
    if pace.speed is not None:
        fed = pace.wall_us + (start - pace.origin_us) / pace.speed
        waited = round((alert.wall_us - fed) / 1e6, 2)
    return Finding(
        event,
        alert,
        delay_minutes=round((alert.opened_us - start) / 60e6, 2),
        delay_seconds=waited,
    )


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)
