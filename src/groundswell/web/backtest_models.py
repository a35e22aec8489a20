"""Documents of a backtest: what a query would have alerted about, how often, and how that changes with the promise."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.web.alert_models import Alert
from groundswell.web.base_models import Document

BacktestState = Literal["waiting", "running", "done", "failed", "cancelled"]


class NewBacktest(Document):
    """A query to be tested over what the lake has."""

    query: Annotated[str, Field(min_length=1, max_length=4000, examples=['"side effects"'])]
    days: Annotated[float, Field(gt=0, le=3650)] = 90
    until: datetime | None = None
    """The last moment that is tested; null: the newest post in the lake."""
    promise_days: Annotated[float | None, Field(gt=0, le=3650)] = None
    platforms: Annotated[list[str], Field(max_length=50, default_factory=list)]
    """Only these platforms, as if the home had no others; empty: all."""
    country: Annotated[str | None, Field(max_length=10, examples=["FR"])] = None
    """Country whose public holidays are no usual days."""
    reach_followers: Annotated[int | None, Field(ge=0, examples=[1_000_000])] = None
    """One matching post by an author with more followers than this is an alert at once; null: no such rule."""
    reach_share: Annotated[float | None, Field(gt=0, le=0.5, examples=[0.001])] = None
    """One matching post among this part of its platform's posts of greatest reach is an alert at once; null: none."""


class PromiseCount(Document):
    """How many alerts there would have been with one promise."""

    promise_days: float
    needed_days: float
    """What the desk's budget makes of the promise, shared with the other trackers of the desk."""
    alerts: int
    per_30_days: float | None
    """Null: nothing was scored."""


class Candidate(Document):
    """An episode at the loosest promise, and the strictest with which an alert still falls into its time."""

    started_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    """Null: it was not over when the test ended."""
    direction: Literal["burst", "drop"]
    signal: str
    window_s: int
    observed: int | float
    expected: float
    ratio: float | None
    return_days: float
    headline: str
    strictest: float


class BacktestSeries(Document):
    """Windows to draw, as columns of one length, oldest first; null where a window was not scored or is a gap."""

    window_s: int
    every: int
    """Of so many windows in a row one is drawn, the rarest of them; 1: all."""
    start: list[datetime]
    count: list[int | None]
    expected: list[float | None]
    lower: list[float | None]
    upper: list[float | None]
    state: list[str]


class Backtest(Document):
    """What would have fired; also `groundswell backtest --json`."""

    query: str
    since: datetime | None
    """The first moment that was scored; null: the lake has no posts before `until`."""
    until: datetime
    days: float
    """Days that were scored."""
    learned_days: float
    """Days before `since` from which the detector had learned."""
    platforms: list[str]
    promise_days: float
    windows_s: list[int]
    posts: int
    """Posts that match, of those that were scored."""
    stream_posts: int
    """All posts of that time."""
    blind_posts: int
    """Posts that match only by counters that were observed after their window had closed; they do not count."""
    by_promise: list[PromiseCount]
    """Alerts about windows; those of the rule that does not wait for one are the same with every promise."""
    reach_alerts: int | None
    """Alerts of the rule that does not wait for a window; null: it was not asked for."""
    alerts: list[Alert]
    """Alerts with the promise that was asked for and of the rule of reach, newest first, each with its card."""
    candidates: list[Candidate]
    """Episodes at the loosest of `by_promise`, newest first; at most 1,000, the rarest."""
    series: BacktestSeries | None
    notes: list[str]
    """What a person should know before they trust it."""
    seconds: float
    lake_version: int | None


class BacktestJob(Document):
    """A backtest that was asked for."""

    id: str
    state: BacktestState
    request: NewBacktest
    progress: float | None
    """0 to 1; null: it has not begun."""
    doing: str | None
    error: str | None
    hint: str | None
    result: Backtest | None


class BacktestJobs(Document):
    """The newest backtests of this server, without their results."""

    items: list[BacktestJob]
