"""The card of an alert: why it was raised. What an older Groundswell did not know is empty or null."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from groundswell.web.base_models import Document, Phase, Window


class Driver(Document):
    """What an alert's excess consists of: one author, hashtag, sound, linked domain or language."""

    key: str
    label: str
    posts: int
    share: float
    """Of the episode's posts above what was expected (a drop: of those that are missing), the part that it makes."""
    usual_share: float | None = None
    """The fraction of this tracker's earlier posts that carry it; null where there is no history."""


class Copies(Document):
    """Posts of the episode with nearly the same text."""

    key: str
    text: str | None
    """The text of the one with the greatest reach."""
    posts: int
    authors: int
    share: float


class Word(Document):
    """A word over-represented against the tracker's own past."""

    word: str
    posts: int
    log_odds: float
    z: float


class Check(Document):
    """One line of "Does it hold?"."""

    name: Literal["without_top_author", "copies_once", "against_platform", "authors_seen_before", "coverage", "history"]
    label: str
    value: float | None
    unit: Literal["ratio", "fraction", "windows"]
    note: str | None = None


class Remains(Document):
    """What is left of the strongest window when something is taken out, scored again by the detector itself."""

    name: Literal["all", "without_top_author", "copies_once", "both"]
    label: str
    observed: float
    ratio: float | None
    return_days: float | None
    """How rare the window would have been; null where the signal is no count."""
    holds: bool | None
    """Whether it alone would have kept the alert: as rare as the promise asks."""


class Newcomers(Document):
    """Authors that this tracker has seen before, and new ones."""

    authors: int
    known: int
    new: int
    usual_posts: float
    """Earlier posts that the tracker knows its authors from; 0: nothing to compare with."""
    posts_of_new: float | None
    """The fraction of the posts with an author that is by new ones; null without a past."""


class Bar(Document):
    """One bar of a histogram: from `low` to before `high`; null: no end."""

    low: float | None
    high: float | None
    count: int


class Histogram(Document):
    """A distribution over the authors that are known to have the value."""

    name: Literal["account_age", "followers"]
    label: str
    unit: Literal["days", "followers"]
    bars: list[Bar]
    known: int
    unknown: int
    """Authors without the value; they are in no bar."""
    median: float | None


class Coverage(Document):
    """How complete the windows behind the card are."""

    windows: int
    covered: int
    learning: int
    macro: int
    gaps: list[datetime]
    """Starts of windows in which no source was connected, the newest 50."""


class Voice(Document):
    """One signal that is rare in a window of one size; all that are rare together make one alert."""

    signal: str
    label: str
    kind: Literal["count", "positive", "share"]
    window_s: int
    window_start: datetime
    direction: Literal["burst", "drop"]
    observed: float
    expected: float
    lower: float
    upper: float
    p_value: float
    return_days: float
    rarity: float
    """Return period against what the promise asks of this signal and size; at least 1."""


class Week(Document):
    """The same hours of the same weekday, some weeks ago."""

    weeks_ago: int
    start: datetime
    counts: list[int | None]
    """One a window; null: not watched, or a gap."""


class SamePlace(Document):
    """The same window of an earlier day."""

    days_ago: int
    start: datetime
    count: int | None
    expected: float | None


class Season(Document):
    """The strongest window beside its like in earlier weeks, as the desk had them when the card was frozen."""

    window_s: int
    weeks: list[Week]
    """This week (0) and up to four before it."""
    days: list[SamePlace]
    """The same time of day on the seven days before, and on the same weekday of the weeks before those."""


class PhaseChange(Document):
    """When an episode came into a phase, by event time."""

    at: datetime
    phase: Phase


class EvidencePost(Document):
    """A post that drives an alert, frozen with it."""

    platform: str
    post_id: str | None
    url: str | None
    author: str | None
    followers: int | None
    created_at: datetime | None
    text: str | None
    likes: int | None
    views: int | None
    copies: int = 1
    """Posts of the episode with nearly the same text, this one counted."""
    share: float
    origin: str | None = None
    """Where the raw record is: source and journal record, or file and offset."""


class Evidence(Document):
    """Why an alert was raised; frozen with it, so that it can be shown after the lake was compacted."""

    signal: str = "posts"
    """The rarest signal; `observed` and the like are always of the posts of its window."""
    voices: list[Voice] = Field(default_factory=list)
    """Every signal and size of window that was rare, the rarest first."""
    observed: int | float
    expected: float
    lower: float
    upper: float
    ratio: float | None
    p_value: float
    return_days: float
    window_start: datetime
    window_s: int
    windows: list[Window]
    """The tracker's windows before and in the episode."""
    posts: list[EvidencePost]
    authors: list[Driver]
    hashtags: list[Driver]
    sounds: list[Driver]
    domains: list[Driver] = Field(default_factory=list)
    languages: list[Driver] = Field(default_factory=list)
    copies: list[Copies] = Field(default_factory=list)
    known_posts: dict[str, int] = Field(default_factory=dict)
    """Of the posts read: how many have an author, hashtags, a sound, a link, a language, a text."""
    words: list[Word]
    checks: list[Check]
    remains: list[Remains] = Field(default_factory=list)
    newcomers: Newcomers | None = None
    accounts: list[Histogram] = Field(default_factory=list)
    coverage: Coverage | None = None
    season: Season | None = None
    """Null: the desk had no earlier windows, or an older Groundswell froze the card."""
    course: list[PhaseChange] = Field(default_factory=list)
    authors_total: int
    posts_total: int
    expected_total: float | None = None
    """Posts expected in the windows of the episode."""
    span: list[int]
    """First and last journal record whose posts were counted."""
    parameters: dict[str, float | int | str | bool | list[int] | None]
