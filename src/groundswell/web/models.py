"""Documents of the REST API. The front end's types are generated from them; `/api/v1/openapi.json` shows them.

Times are RFC 3339 UTC. A value that is not known is null, never 0. Fractions are 0 to 1, not percent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.web.alert_models import Alert, Alerts, AlertSummary, VerdictRequest
from groundswell.web.base_models import Document, Verdict, Window, WindowState
from groundswell.web.evidence_models import Driver, Evidence, EvidencePost
from groundswell.web.topic_models import TopicSummary

__all__ = [
    "Alert",
    "AlertSummary",
    "Alerts",
    "Document",
    "Driver",
    "Evidence",
    "EvidencePost",
    "Verdict",
    "VerdictRequest",
    "Window",
    "WindowState",
]

CountBy = Literal["created_at", "observed_at"]


class Problem(Document):
    """An error as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    hint: str | None = None
    errors: list[dict[str, object]] | None = None


class PartHealth(Document):
    """One part of the system and whether it works."""

    name: str
    ok: bool
    detail: str


class Health(Document):
    """Whether the server and its parts work."""

    status: Literal["ok", "degraded"]
    version: str
    parts: list[PartHealth]


class Tracker(Document):
    """A watched query with its last closed window."""

    id: str
    name: str
    query: str
    version: int
    promise_days: float
    country: str | None
    """Country whose public holidays shape its days (ISO 3166-1)."""
    reach_followers: int | None
    """One matching post by an author with more followers is an alert at once."""
    reach_share: float | None
    """One matching post among this part of its platform's posts of greatest reach is an alert at once."""
    count_by: CountBy
    """The time that a post counts at; `observed_at` is for feeds that are crawled."""
    created_at: datetime
    last: Window | None
    open_alert: str | None


class Trackers(Document):
    """All trackers, those with an open alert first, then by name."""

    items: list[Tracker]


class NewTracker(Document):
    """A tracker to be added."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Side effects"])]
    query: Annotated[str, Field(min_length=1, max_length=4000, examples=['"side effects"'])]
    promise_days: Annotated[float | None, Field(gt=0, le=3650)] = None
    country: Annotated[str | None, Field(max_length=8, examples=["FR"])] = None
    reach_followers: Annotated[int | None, Field(ge=0, le=2**53, examples=[500_000])] = None
    reach_share: Annotated[float | None, Field(gt=0, le=0.5, examples=[0.001])] = None
    count_by: CountBy = "created_at"


class ChangedTracker(Document):
    """What is to change of a tracker; what is absent stays. Another query or `count_by` makes it learn anew."""

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    query: Annotated[str | None, Field(min_length=1, max_length=4000)] = None
    promise_days: Annotated[float | None, Field(gt=0, le=3650)] = None
    country: Annotated[str | None, Field(max_length=8)] = None
    reach_followers: Annotated[int | None, Field(ge=0, le=2**53)] = None
    reach_share: Annotated[float | None, Field(gt=0, le=0.5)] = None
    count_by: CountBy | None = None


class Series(Document):
    """Closed windows of one tracker, oldest first. A window that is absent was not watched."""

    tracker: str
    window_s: int
    posts: int
    items: list[Window]


class AllSeries(Document):
    """Closed windows of every tracker, for small multiples."""

    window_s: int
    since: datetime
    until: datetime
    items: list[Series]


class Post(Document):
    """A post as the page shows it: its latest observation."""

    platform: str
    post_id: str | None
    url: str | None
    author_name: str | None
    created_at: datetime | None
    observed_at: datetime | None
    text: str | None
    lang: str | None
    kind: str | None
    hashtags: list[str] | None
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    followers: int | None
    engagement: float | None
    """(likes + comments + shares + saves that are known) per view, or per follower where there are no views."""
    engagement_per: Literal["view", "follower"] | None
    music_title: str | None
    layout: str | None
    origin: str | None


class Posts(Document):
    """Posts that match, in the order asked for."""

    items: list[Post]
    query: str
    limit: int
    seconds: float
    lake_version: int | None


class Received(Document):
    """Records taken: they are durable when this answer is sent.

    `first` and `last` are their numbers; null where the bus is Kafka, which numbers them when they are read.
    """

    received: int
    first: int | None
    last: int | None


class SourceStatus(Document):
    """One live source."""

    name: str
    kind: str
    connected: bool
    records_per_s: float
    newest_event_at: datetime | None


class PartitionStatus(Document):
    """A partition of a topic of Kafka, as who reads it saw it last."""

    consumer: str
    """`bus`, or `source`: into another bus; where Spark reads the topic, `watch` and `lake`."""
    topic: str
    partition: int
    next_offset: int
    end_offset: int
    behind: int
    """Messages that are not taken yet."""
    late_s: float | None
    """How old the oldest of them is at most, seconds; 0 where there is none, null while it is not known."""
    reading: bool
    """Whether somebody reads it just now."""
    owner: str | None
    lost: int
    """Messages that Kafka removed before they were taken."""


class ReaderStatus(Document):
    """How far a reader of the bus is behind what has come in."""

    reader: Literal["watch", "lake"]
    behind: int
    """Records that it has not done."""
    late_s: float
    """Seconds since the oldest of them was received; 0: none waits. The lake is written every half minute or so."""


class Status(Document):
    """What the head of the page says."""

    runner: Literal["here", "elsewhere", "none"]
    posts_per_s: float
    newest_event_at: datetime | None
    watermark: datetime | None
    clock: datetime | None
    """The stream's clock: now for a live stream, recorded receive time in a replay."""
    late_by_s: float | None
    """How far the watch is behind the stream's clock; null while nothing comes in."""
    window_s: int
    """Length of the windows that are shown first."""
    windows_s: list[int]
    """Lengths of all windows that are counted, ascending."""
    budget_per_day: float | None
    """At most about so many alerts a day over all trackers; null: no such limit."""
    promise_days: float
    trackers: int
    open_alerts: int
    posts_total: int | None
    """Observations in the lake, as it was last read; null: it cannot be read, and was not before."""
    sources: list[SourceStatus]
    channels_failing: list[str]
    """Names of the channels on which messages do not go out just now."""
    messages_waiting: int
    """Messages to channels that still are to be sent."""
    bus: str
    """What records come in by: `journal`, or the address of a topic of Kafka."""
    readers: list[ReaderStatus]
    """How far the watch and the lake are."""
    bus_trouble: str | None
    """Why nothing comes in by Kafka; null while all is well, and with the journal."""
    lake_trouble: str | None
    """Why the lake is not written, or its store waited for; null while all is well, and where another process writes it
    and this one was not asked for anything. What comes in is kept meanwhile."""
    partitions: list[PartitionStatus]
    """Of topics of Kafka that are read; empty without any."""
    seq: int
    """Number of the latest change; connect to the live socket with `?after=` this."""


class Change(Document):
    """One message of `/api/v1/live` and `/api/v1/events`."""

    seq: int
    kind: Literal["window", "alert", "topic", "tracker", "status"]
    at: datetime
    subject: str
    windows: dict[str, Window] | None = None
    """kind `window`: the window that just closed, by tracker id."""
    window_s: int | None = None
    """kind `window`: the length of the windows that closed."""
    alert: AlertSummary | None = None
    topic: TopicSummary | None = None
    tracker: Tracker | None = None
    status: Status | None = None
