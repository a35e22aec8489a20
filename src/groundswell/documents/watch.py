"""Documents about the watch: alerts, runs, the simulator and the demo."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, RootModel

from groundswell.documents.base import Count, Printed, Seconds
from groundswell.web.alert_models import Alert, AlertSummary, Recomputed


class AlertsDocument(Printed):
    """`groundswell alerts list --json`."""

    items: Annotated[list[AlertSummary], Field(description="newest first")]
    open: Annotated[Count, Field(description="alerts that are not over, in all")]


class AlertDocument(Alert):
    """`groundswell alerts show --json`; also of the verbs that change an alert, which print it as it is then."""

    recomputed: Annotated[Recomputed | None, Field(description="with --recompute: the card made again")]


class SimulatedEvent(Printed):
    """What was injected."""

    kind: str
    query: Annotated[str | None, Field(description="null: the whole stream")]
    start: datetime
    end: datetime
    posts: Annotated[int, Field(description="posts that the event made; below zero: that many are missing")]


class SimulateDocument(Printed):
    """`groundswell simulate --json`; the file `truth` has more."""

    out: str
    truth: str
    posts: Count
    bytes: Count
    seconds: Seconds
    dirt: dict[str, Count]
    events: list[SimulatedEvent]


class WatchRunDocument(Printed):
    """`groundswell watch run --json` with a live source, when it has ended."""

    sources: list[str]
    records: Count
    open_alerts: Count


class ReplayDocument(Printed):
    """`groundswell watch run --replay --json`."""

    files: list[str]
    records: Count
    undated: Annotated[Count, Field(description="records without a time: in the lake, in no window")]
    first: Annotated[datetime | None, Field(alias="from")]
    last: Annotated[datetime | None, Field(alias="to")]
    alerts: Annotated[list[AlertSummary], Field(description="alerts of this replay")]
    state: Literal["done", "done before", "stopped"]


class RunDocument(RootModel[ReplayDocument | WatchRunDocument]):
    """`groundswell watch run --json`: of a replay, or of live sources."""


class DemoEvent(Printed):
    """One injected event and the alert that found it."""

    kind: str
    query: str | None
    start: datetime
    end: datetime
    posts: int
    expected: float
    should_alert: Annotated[bool, Field(description="false for a surge of everything")]
    found: bool
    alert: str | None
    topic: Annotated[str | None, Field(description="the topic that found it, where no tracker is for it")]
    headline: str | None
    delay_minutes: Annotated[float | None, Field(description="event time from its start to the alert")]
    delay_seconds: Annotated[float | None, Field(description="the same as somebody in front of the demo waited")]


class FalseAlarm(Printed):
    """An alert that no event explains."""

    query: str
    headline: str


class DemoSetUp(Printed):
    """What came before the stream."""

    seconds: Seconds
    simulate_seconds: Seconds
    import_seconds: Seconds
    posts: Count
    bytes: Count
    stored: Count


class DemoDocument(Printed):
    """`groundswell demo --json`."""

    home: str
    speed: str
    set_up: DemoSetUp
    events: list[DemoEvent]
    wanted: Annotated[Count, Field(description="events that were to be noticed")]
    found: Count
    alerts: Count
    false_alarms: list[FalseAlarm]
    surge_alarms: Annotated[Count, Field(description="false alarms that came with the surge of everything")]
    topics: Annotated[Count, Field(description="emerging topics, also of watched events")]


class DetectedAlert(Printed):
    """An alert in a series."""

    opened_at: Annotated[datetime, Field(description="time of the row on which it opens")]
    started_at: Annotated[datetime, Field(description="start of the window that opened it")]
    ended_at: datetime
    direction: Literal["burst", "drop"]
    window_s: Annotated[Seconds, Field(description="size of its rarest window")]
    observed: float
    expected: float
    return_days: Annotated[
        float, Field(description="so unusual a window of this size comes about once in so many days")
    ]


class DetectDocument(Printed):
    """`groundswell detect --json`."""

    file: str
    rows: Count
    scored: Count
    step_s: Seconds
    windows_s: list[Seconds]
    promise_days: float
    notes: Annotated[list[str], Field(description="what had to be done with the file")]
    alerts: list[DetectedAlert]
    out: str | None
    plot: str | None
    seconds: Seconds
