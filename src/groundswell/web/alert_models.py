"""Documents about alerts: their life, their groups, what became of earlier ones, and how far a tracker is right."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from groundswell.web.base_models import Document, Phase, Verdict
from groundswell.web.evidence_models import Evidence

Who = Annotated[str | None, Field(max_length=100, description="Who says so.", examples=["Maya"])]
Note = Annotated[str | None, Field(max_length=4000, examples=["recall announced at 09:00"])]


class AlertMember(Document):
    """Another alert with mostly the same posts."""

    id: str
    tracker: str
    tracker_name: str
    headline: str
    phase: Phase
    started_at: datetime
    return_days: float
    verdict: Verdict | None


class AlertSummary(Document):
    """One episode of one tracker."""

    id: str
    tracker: str
    tracker_name: str
    query: str
    signal: str
    window_s: int | None = None
    direction: Literal["burst", "drop"]
    phase: Phase
    started_at: datetime
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    observed: int | float
    expected: float
    ratio: float | None
    return_days: float
    p_value: float
    posts: int
    authors: int
    headline: str
    detail: str
    verdict: Verdict | None
    verdict_note: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    snoozed_until: datetime | None = None
    """The alert's tracker sends nothing until then."""
    comments: int = 0
    group: str | None = None
    """Id of the first of the alerts with mostly the same posts; null: it stands alone."""
    members: list[AlertMember] = Field(default_factory=list)
    """The other alerts of its group; only in a list that is grouped, and with the alert itself."""


class AlertEvent(Document):
    """What somebody did with an alert."""

    at: datetime
    who: str
    kind: Literal["acknowledged", "reopened", "snoozed", "woken", "commented", "verdict"]
    text: str | None = None
    verdict: Verdict | None = None
    until: datetime | None = None


class SimilarAlert(Document):
    """An earlier alert of the same tracker, and how it ended."""

    id: str
    headline: str
    started_at: datetime
    closed_at: datetime | None
    minutes: float | None
    """How long it lasted; null while it is open."""
    direction: Literal["burst", "drop"]
    signal: str
    ratio: float | None
    return_days: float
    posts: int
    verdict: Verdict | None
    verdict_note: str | None
    likeness: float
    """0 to 1: how much its words, hashtags, authors and links are those of this one (cosine)."""
    shared: list[str]
    """What both have in common, the most telling first."""


class Alert(AlertSummary):
    """An episode with its evidence and its life."""

    evidence: Evidence
    events: list[AlertEvent] = Field(default_factory=list)
    similar: list[SimilarAlert] = Field(default_factory=list)
    lake_version: int | None = None
    """The lake's first version that holds all of its posts; null: not yet, or an older Groundswell froze it."""


class Alerts(Document):
    """Alerts, newest first."""

    items: list[AlertSummary]
    open: int
    next: str | None = None


class VerdictRequest(Document):
    """What the alert turned out to be; null takes a verdict back."""

    verdict: Verdict | None
    note: Note = None
    by: Who = None


class AlertChange(Document):
    """What to change of an alert; what is left out stays."""

    acknowledged: bool | None = None
    snoozed_until: datetime | None = None
    """Its tracker sends nothing until then; null given: it may speak again."""
    verdict: Verdict | None = None
    note: Note = None
    by: Who = None


class NewComment(Document):
    """A comment on an alert."""

    text: Annotated[str, Field(min_length=1, max_length=4000, examples=["The ministry's site is down, that is why."])]
    by: Who = None


class GonePost(Document):
    """A post that the card was made of and that the lake does not have any more."""

    platform: str | None
    post_id: str | None
    url: str | None
    record: int | None


class Difference(Document):
    """A place of the card that comes out otherwise today."""

    where: str
    frozen: Any
    now: Any


class Recomputed(Document):
    """The card made again from the lake, beside the one that was frozen."""

    alert: str
    state: Literal["equal", "different", "posts gone", "not in the lake yet", "not possible"]
    detail: str
    lake_version: int | None
    """The version that was read."""
    frozen_lake_version: int | None
    """The first that held all of the posts."""
    span: list[int]
    """Least and greatest `ingest_seq` of the rows that were read."""
    posts_frozen: int
    posts_found: int
    gone: list[GonePost]
    """At most 100 of those that are gone; `posts_frozen - posts_found` is their number."""
    more: int | None
    """Posts of the episode's time that match today and were not kept for the card: late, or imported since."""
    differences: list[Difference]
    evidence: Evidence | None


class TrackerPrecision(Document):
    """How often a tracker's alerts were worth it."""

    tracker: str | None
    """Null: all trackers together."""
    name: str
    promise_days: float | None
    days: float
    """Days of the period in which it was watched."""
    alerts: int
    alerts_per_day: float | None
    """Null where it was watched for less than a day."""
    promised_per_day: float | None
    """False alerts a day that were promised at most."""
    false_per_day: float | None
    """Alerts judged false a day; null: none was judged."""
    verdicts: dict[Literal["real", "false", "known", "none"], int]
    judged: int
    precision: float | None
    """Of the judged alerts, the fraction that was not false."""
    low: float | None
    high: float | None
    """Wilson interval of the precision, 95 %."""


class Precision(Document):
    """What became of the alerts of a period."""

    since: datetime
    until: datetime
    all: TrackerPrecision
    trackers: list[TrackerPrecision]
