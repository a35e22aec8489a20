"""Documents of what the lake knows of one post over time, and of the fields of many."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from groundswell.web.models import Document

OutlierRule = Literal["robust_z", "iqr", "iqr_log"]


class MetricDefinition(Document):
    """A change of what a platform means by a counter."""

    platform: str
    metric: str
    since: date
    precision: str
    applies_to: str
    meaning: str
    before: str
    source: str


class Observation(Document):
    """The counters of a post as they were seen once."""

    observed_at: datetime | None
    """What the record says; null where it does not say it."""
    imported_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    followers: int | None
    following: int | None
    layout: str | None
    origin: str | None
    origin_offset: int | None
    ingest_seq: int
    velocity: dict[str, float | None]
    """Growth of each counter per hour since the observation before."""


class History(Document):
    """One post and every observation of it, oldest first."""

    platform: str
    post_id: str | None
    url: str | None
    author_id: str | None
    author_name: str | None
    created_at: datetime | None
    text: str | None
    kind: str | None
    observations: list[Observation]
    at_24h: dict[str, float | None]
    """Each counter 24 hours after the post, between the observations around that time."""
    why_not: dict[str, str]
    """For each counter without such a value, why."""
    half_life_h: dict[str, float | None]
    """Hours after which each counter had half of what it has now."""
    definitions: list[MetricDefinition]
    """Changes of meaning that the observations cross."""
    lake_version: int | None


class HistogramBar(Document):
    """Values from `low` up to, without, `below`."""

    low: float
    below: float
    count: int


class ValueCount(Document):
    """How often a value stands there."""

    value: Any
    count: int


class FieldProfile(Document):
    """One field over all posts that match."""

    field: str
    type: str
    unit: str | None
    rows: int
    missing: int
    missing_share: float | None
    least: Any
    greatest: Any
    mean: float | None
    quantiles: dict[str, float] | None
    histogram: list[HistogramBar] | None
    distinct: int | None
    top: list[ValueCount] | None
    top_complete: bool
    """Whether every value was counted; else the counts are at least so many."""


class UnlikelyValues(Document):
    """Posts on which a check of plausibility fails."""

    check: str
    meaning: str
    fields: list[str]
    count: int
    examples: list[dict[str, Any]]


class MetricOutliers(Document):
    """Values of one metric on one platform beyond the bounds of its own rule."""

    platform: str
    metric: str
    rule: str
    limit: float
    lower: float | None
    upper: float | None
    centre: float | None
    spread: float | None
    values: int
    low: int
    high: int
    why_none: str | None
    examples: list[dict[str, Any]]


class Profile(Document):
    """What the fields of posts hold: what is missing, how it is spread, what is unlikely, what stands out."""

    rows: int
    platforms: dict[str, int]
    first: datetime | None
    last: datetime | None
    fields: list[FieldProfile]
    unlikely: list[UnlikelyValues]
    outliers: list[MetricOutliers]
    definitions: list[MetricDefinition]
    lake_version: int | None
