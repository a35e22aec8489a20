"""What is simulated: how many posts, when, about what, and which events are injected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from groundswell.errors import UsageError

DEFAULT_START: Final = datetime(2026, 1, 5, tzinfo=UTC)
#: Snowflake ids keep the seconds in their upper half; beyond this they would no longer be positive.
LATEST: Final = datetime(2038, 1, 1, tzinfo=UTC)
WINDOW_S: Final = 300
#: No topic is more than this many posts per five minutes by default, however many posts there are in all.
MAIN_RATE: Final = 60.0


class EventKind(StrEnum):
    """What is injected."""

    CRISIS = "crisis"
    """Many authors complain about a brand within minutes."""

    VIRAL = "viral"
    """One post of a big creator, then stitches and duets with it."""

    BOTS = "bots"
    """Copies of one text by new accounts with hardly a follower."""

    BUILDUP = "buildup"
    """A topic that rises slowly."""

    SURGE = "surge"
    """Everything rises at once: nothing about a topic."""

    GAP = "gap"
    """The collection is down: no records at all."""


#: Kinds that happen to the whole stream, not to a topic.
STREAM_WIDE: Final = frozenset({EventKind.SURGE, EventKind.GAP})


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is talked about all the time and that a tracker can watch.

    `share` is its fraction of all posts, `community` the place in `lexicon.COMMUNITIES` that mostly talks of it.
    A `keyword` that starts with # is only ever written as that hashtag.
    """

    keyword: str
    community: int
    share: float

    @property
    def query(self) -> str:
        """The query that catches its posts.

        >>> Topic("aurora cola", 0, 0.1).query, Topic("kitepay", 7, 0.1).query, Topic("#novawear", 1, 0.1).query
        ('"aurora cola"', 'kitepay', '#novawear')
        """
        return f'"{self.keyword}"' if " " in self.keyword else self.keyword


TOPICS: Final = (
    Topic("aurora cola", 0, 0.12),
    Topic("#novawear", 1, 0.10),
    Topic("lumen phone", 9, 0.08),
    Topic("kitepay", 7, 0.07),
    Topic("bluefin air", 6, 0.07),
    Topic("mira serum", 4, 0.06),
    Topic("#glacierdance", 2, 0.05),
    Topic("tidal run", 5, 0.03),
    Topic("saffron bowl", 0, 0.01),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One injected event. `start` counts from the scenario's start.

    `size` is the ratio of the peak to what is usual then: 4 means that at its peak the topic has four times
    its usual posts (a surge: the whole stream). A gap has no size and no topic.
    """

    kind: EventKind
    start: timedelta
    duration: timedelta
    size: float = 4.0
    topic: str | None = None


@dataclass(frozen=True)
class Scenario:
    """Everything that the simulated posts depend on: the same scenario gives the same bytes.

    `posts` records (dirty ones counted) over `days` from `start`. `rate` is the mean number of posts per five
    minutes of the largest topic (others in proportion; None: by share, at most 60). Counters are what is known
    `observed_after` a post was made (None: at `observed_at`, or at the scenario's end if that is None too).
    `dirt` is the fraction of records spoilt.

    Raises:
        UsageError: a number is out of its range, or an event is outside the span or of an unknown topic.
    """

    posts: int
    days: float
    seed: int = 1
    start: datetime = DEFAULT_START
    events: tuple[Event, ...] = ()
    topics: tuple[Topic, ...] = TOPICS
    rate: float | None = None
    dirt: float = 0.0
    observed_after: timedelta | None = None
    observed_at: datetime | None = None
    long_line: int = field(default=5_000_000)

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        _demand(0 < self.posts < 1 << 32, f"{self.posts} posts cannot be simulated", "give 1 to 4,294,967,295")
        _demand(0 < self.days <= 3650, f"{self.days} days cannot be simulated", "give more than 0 and at most 3650")
        _demand(0 <= self.seed < 1 << 63, f"seed {self.seed} is not valid", "give a number from 0 to 2^63 - 1")
        _demand(0 <= self.dirt <= 0.5, f"dirt {self.dirt} is not valid", "give a fraction from 0 to 0.5")
        _demand(self.rate is None or self.rate > 0, f"rate {self.rate} is not valid", "give posts per five minutes")
        if self.start.tzinfo is None:
            object.__setattr__(self, "start", self.start.replace(tzinfo=UTC))
        _demand(
            self.start.year >= 2010 and self.end <= LATEST,
            f"the span {self.start:%Y-%m-%d} to {self.end:%Y-%m-%d} cannot be simulated",
            "stay between 2010 and 2037",
        )
        for event in self.events:
            self._check(event)

    @property
    def span(self) -> timedelta:
        """Length of the simulated time, in whole seconds."""
        return timedelta(seconds=max(1, round(self.days * 86_400)))

    @property
    def end(self) -> datetime:
        """First moment after the simulated time (UTC)."""
        return self.start + self.span

    @property
    def topic_rates(self) -> tuple[float, ...]:
        """Mean posts per five minutes of each topic, without events."""
        total = self.posts / (self.span.total_seconds() / WINDOW_S)
        largest = max((topic.share for topic in self.topics), default=1.0)
        main = min(MAIN_RATE, total * largest) if self.rate is None else self.rate
        rates = tuple(main * (topic.share / largest) for topic in self.topics)
        _demand(
            sum(rates) <= 0.95 * total,
            f"rate {self.rate} needs more than {self.posts:,} posts",
            "give a lower --rate, more --posts or fewer --days",
        )
        return rates

    def topic_number(self, keyword: str) -> int:
        """Place of a topic in `topics`."""
        return next(number for number, topic in enumerate(self.topics) if topic.keyword == keyword)

    def _check(self, event: Event) -> None:
        known = [topic.keyword for topic in self.topics]
        inside = timedelta(0) <= event.start and event.duration > timedelta(0)
        inside = inside and event.start + event.duration <= self.span
        _demand(inside, f"the {event.kind} event is not inside the simulated time", "move or shorten it")
        if event.kind in STREAM_WIDE:
            _demand(event.topic is None, f"a {event.kind} has no topic", "leave the topic out")
        else:
            valid = f"give one of: {', '.join(known)}"
            _demand(event.topic in known, f"the {event.kind} event has no topic `{event.topic or ''}`", valid)
        _demand(event.kind is EventKind.GAP or event.size > 1, f"size {event.size} is not a rise", "give more than 1")


def _demand(holds: bool, what: str, hint: str) -> None:
    if not holds:
        raise UsageError(what, hint=hint)


#: Kind, start (fraction of the span), longest length, the same as a fraction of the span, size, topic.
_PLACES: Final = (
    (EventKind.CRISIS, 0.55, timedelta(minutes=60), 0.04, 5.0, 0),
    (EventKind.VIRAL, 0.62, timedelta(minutes=90), 0.05, 5.0, 1),
    (EventKind.BOTS, 0.70, timedelta(minutes=30), 0.03, 6.0, 3),
    (EventKind.BUILDUP, 0.77, timedelta(hours=3), 0.06, 4.0, 4),
    (EventKind.SURGE, 0.86, timedelta(minutes=40), 0.04, 2.5, None),
    (EventKind.GAP, 0.93, timedelta(minutes=45), 0.03, 0.0, None),
)


def default_event(kind: EventKind, scenario: Scenario) -> Event:
    """The event of one kind, placed in the second half of the scenario, so that there is history before it."""
    _, where, longest, fraction, size, topic = next(place for place in _PLACES if place[0] is kind)
    length = min(longest, scenario.span * fraction)
    return Event(
        kind,
        start=timedelta(seconds=int(scenario.span.total_seconds() * where)),
        duration=timedelta(seconds=max(1, int(length.total_seconds()))),
        size=size,
        topic=None if topic is None else scenario.topics[topic].keyword,
    )


def with_default_events(scenario: Scenario) -> Scenario:
    """The same scenario with one event of every kind."""
    return replace(scenario, events=tuple(default_event(kind, scenario) for kind in EventKind))
