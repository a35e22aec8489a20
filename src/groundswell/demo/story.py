"""What the demo tells: two weeks of history, then a live evening with six events, and the trackers that watch it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from groundswell.simulate import TOPICS, Event, EventKind, Scenario, Topic

HISTORY: Final = timedelta(days=14)
#: The injected events happen in this time of the stream; the table is printed at its end.
STORY: Final = timedelta(hours=2)
#: With the page the stream goes on, so that there is something to look at.
STREAM: Final = timedelta(hours=8)
POSTS: Final = 500_000
SPEED: Final = 60.0

#: Name and query; the last ones are controls about which nothing happens.
TRACKERS: Final = (
    ("Aurora Cola", '"aurora cola"'),
    ("Novawear", "#novawear"),
    ("Kitepay", "kitepay"),
    ("Bluefin Air", '"bluefin air"'),
    ("Lumen Phone", '"lumen phone"'),
    ("Mira Serum", '"mira serum"'),
    ("Glacier dance", "#glacierdance"),
    ("Tidal Run", '"tidal run"'),
    ("Saffron Bowl", '"saffron bowl"'),
)

#: What hardly anybody speaks of, and nobody watches, until people do: it is to be found as an emerging topic.
UNWATCHED: Final = Topic("#pulsefest", 3, 0.0001)

#: Minutes from the start of the stream, length in minutes, size of the peak.
_EVENTS: Final = (
    (EventKind.CRISIS, 20, 40, 5.0, "aurora cola"),
    (EventKind.BUILDUP, 25, 60, 4.0, "bluefin air"),
    (EventKind.VIRAL, 35, 50, 5.0, "#novawear"),
    (EventKind.BOTS, 55, 25, 6.0, "kitepay"),
    (EventKind.VIRAL, 65, 45, 1500.0, UNWATCHED.keyword),
    (EventKind.SURGE, 95, 20, 2.2, None),
)


@dataclass(frozen=True)
class Story:
    """The scenario as it is imported (`history`) and as it is streamed (`live`): the same posts, seen at other ages."""

    history: Scenario
    live: Scenario

    @property
    def begins(self) -> datetime:
        """When the stream begins."""
        return self.history.start + HISTORY

    @property
    def ends(self) -> datetime:
        """When everything that was injected is over."""
        return self.begins + STORY


def tell(now: datetime, posts: int = POSTS) -> Story:
    """The story with its live evening on the latest Tuesday that is over: always the same, but for its date.

    >>> tell(datetime(2026, 5, 7, 12, tzinfo=UTC)).begins
    datetime.datetime(2026, 5, 5, 15, 0, tzinfo=datetime.timezone.utc)
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tuesday = today - timedelta(days=(today.weekday() - 1) % 7 or 7)
    begins = tuesday + timedelta(hours=15)
    scenario = Scenario(
        posts=posts,
        days=(HISTORY + STREAM) / timedelta(days=1),
        seed=20,
        start=begins - HISTORY,
        topics=(*TOPICS, UNWATCHED),
        events=tuple(
            Event(kind, HISTORY + timedelta(minutes=minute), timedelta(minutes=length), size, topic)
            for kind, minute, length, size, topic in _EVENTS
        ),
    )
    return Story(
        history=replace(scenario, observed_at=begins),
        live=replace(scenario, observed_after=timedelta(minutes=1)),
    )
