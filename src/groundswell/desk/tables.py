"""Tables of the desk. Alembic migrations in `migrations/` give the same schema on SQLite and PostgreSQL.

Times are integers: microseconds since 1970 UTC, so that both databases compare them alike.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from groundswell.desk.base import Base, Micros, Serial
from groundswell.desk.bus_tables import BusBlockRow, BusConnectionRow, BusNumberRow, BusPartitionRow, BusPositionRow
from groundswell.desk.channel_tables import ChannelRow, OutboxRow
from groundswell.desk.day_tables import DayMartRow, InboxRow
from groundswell.desk.topic_tables import TopicRow


class TrackerRow(Base):
    """A query that is watched. A changed query is a new version; a removed tracker keeps its alerts."""

    __tablename__ = "trackers"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    query: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=1)
    promise_days: Mapped[float] = mapped_column()
    created_at: Mapped[int] = mapped_column(Micros)
    removed_at: Mapped[int | None] = mapped_column(Micros)
    snoozed_until: Mapped[int | None] = mapped_column(Micros)  # its channels are quiet until then
    country: Mapped[str | None] = mapped_column(String(8))  # ISO 3166-1: its public holidays shape the days
    reach_followers: Mapped[int | None] = mapped_column(BigInteger)  # one post by an author with more: alert at once
    reach_share: Mapped[float | None] = mapped_column()  # one post in this top part of reach: alert at once
    count_by: Mapped[str] = mapped_column(String(12), default="created_at", server_default="created_at")


class AlertRow(Base):
    """One episode. `id` is a hash of tracker, its version, signal, window size and episode start."""

    __tablename__ = "alerts"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tracker_id: Mapped[str] = mapped_column(ForeignKey("trackers.id"), index=True)
    tracker_version: Mapped[int] = mapped_column(Integer)
    signal: Mapped[str] = mapped_column(String(40))
    window_s: Mapped[int] = mapped_column(Integer)
    direction: Mapped[str] = mapped_column(String(8))  # burst, drop
    phase: Mapped[str] = mapped_column(String(12))  # growing, peak, fading, closed
    started_at: Mapped[int] = mapped_column(Micros, index=True)  # start of the first unusual window
    opened_at: Mapped[int] = mapped_column(Micros)  # event time at which that window closed
    updated_at: Mapped[int] = mapped_column(Micros)  # end of the last window that it knows
    closed_at: Mapped[int | None] = mapped_column(Micros)
    observed: Mapped[int] = mapped_column(BigInteger)  # posts in the episode's strongest window
    expected: Mapped[float] = mapped_column()
    lower: Mapped[float] = mapped_column()
    upper: Mapped[float] = mapped_column()
    p_value: Mapped[float] = mapped_column()
    return_days: Mapped[float] = mapped_column()
    posts: Mapped[int] = mapped_column(BigInteger)  # posts in all windows of the episode
    headline: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    verdict: Mapped[str | None] = mapped_column(String(12))  # real, false, known
    created_wall: Mapped[int] = mapped_column(Micros)  # clock of the runner when it opened
    verdict_note: Mapped[str | None] = mapped_column(Text)
    verdict_by: Mapped[str | None] = mapped_column(String(100))
    verdict_at: Mapped[int | None] = mapped_column(Micros)
    acknowledged_at: Mapped[int | None] = mapped_column(Micros)
    acknowledged_by: Mapped[str | None] = mapped_column(String(100))
    group_id: Mapped[str | None] = mapped_column(String(32), index=True)  # first alert with mostly the same posts


class AlertEventRow(Base):
    """What people did with an alert, in order."""

    __tablename__ = "alert_events"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id"), index=True)
    at: Mapped[int] = mapped_column(Micros)
    who: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(16))  # acknowledged, reopened, snoozed, woken, commented, verdict
    text: Mapped[str | None] = mapped_column(Text)  # the comment, or the note of a verdict
    verdict: Mapped[str | None] = mapped_column(String(12))  # kind verdict: null took it back
    until: Mapped[int | None] = mapped_column(Micros)  # kind snoozed


class AlertCaseRow(Base):
    """What an alert's card was made of besides its posts, so that it can be made again from the lake."""

    __tablename__ = "alert_cases"
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)  # `watch.frozen`
    sketch: Mapped[bytes] = mapped_column(LargeBinary)  # the least identities of its posts, sorted, 8 bytes each
    lake_version: Mapped[int | None] = mapped_column(BigInteger)  # the first that holds all of its posts
    lake_seq: Mapped[int | None] = mapped_column(BigInteger)  # greatest number of a row in that version


class SeriesRow(Base):
    """One closed window of one tracker: what the page draws."""

    __tablename__ = "series"
    tracker_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    window_s: Mapped[int] = mapped_column(Integer, primary_key=True)
    start: Mapped[int] = mapped_column(Micros, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    expected: Mapped[float | None] = mapped_column()
    lower: Mapped[float | None] = mapped_column()
    upper: Mapped[float | None] = mapped_column()
    p_value: Mapped[float | None] = mapped_column()
    return_days: Mapped[float | None] = mapped_column()
    platform_ratio: Mapped[float | None] = mapped_column()  # whole stream against its own expectation
    state: Mapped[str] = mapped_column(String(12))  # learning, usual, unusual, macro, gap
    late: Mapped[int] = mapped_column(Integer, default=0)  # posts that came after it closed (in count too)


class CounterRow(Base):
    """How often something was changed; whoever keeps it in memory asks this first. Triggers count, whoever writes."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)  # trackers
    value: Mapped[int] = mapped_column(BigInteger)


class RosterRow(Base):
    """Trackers that are in force together. Many plans have the same, so it stands here once; `id` is its hash."""

    __tablename__ = "rosters"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    trackers: Mapped[list[Any]] = mapped_column(JSON)  # [[id, version], …]


class PlanRow(Base):
    """A batch that the runner is about to do: its borders and its clock, so that a replayed one is the same."""

    __tablename__ = "plans"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_block: Mapped[int] = mapped_column(BigInteger)  # journal blocks, inclusive
    last_block: Mapped[int] = mapped_column(BigInteger)  # less than first_block: a tick of the clock only
    clock: Mapped[int] = mapped_column(Micros)
    roster: Mapped[str] = mapped_column(ForeignKey("rosters.id"))  # the trackers in force
    covered: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))  # [[from, to], …]; null in a replay
    in_force: Mapped[RosterRow] = relationship(lazy="joined", innerjoin=True, viewonly=True)

    @property
    def trackers(self) -> list[Any]:
        """Id and version of each tracker in force."""
        return self.in_force.trackers


class CheckpointRow(Base):
    """Where a reader of the journal is. `watch` also names the generation of the detector's state."""

    __tablename__ = "checkpoints"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)  # watch, lake
    block: Mapped[int] = mapped_column(BigInteger)  # last journal block that is done
    batch: Mapped[int] = mapped_column(BigInteger)  # last batch number that is done
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    watermark: Mapped[int | None] = mapped_column(Micros)
    at: Mapped[int] = mapped_column(Micros)


class LeaseRow(Base):
    """Who may do a thing that only one may do: `watch`, `lake`. The epoch fences off a holder that slept."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))  # host:pid:start time of the process
    epoch: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(Micros)


class RunRow(Base):
    """One import, replay, retry or maintenance run."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    subject: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))  # running, done, failed
    started_at: Mapped[int] = mapped_column(Micros)
    finished_at: Mapped[int | None] = mapped_column(Micros)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TokenRow(Base):
    """An API token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[int] = mapped_column(Micros)
    revoked_at: Mapped[int | None] = mapped_column(Micros)


class ChangeRow(Base):
    """What the live page is told, in order; a page that was away asks for what came after its last number."""

    __tablename__ = "changes"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    at: Mapped[int] = mapped_column(Micros)
    kind: Mapped[str] = mapped_column(String(12))  # window, alert, tracker, status
    subject: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class DriftRow(Base):
    """A field of a layout that is filled less often than it was. `id` is a hash of layout, field and opening."""

    __tablename__ = "drift_notices"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    layout: Mapped[str] = mapped_column(String(100), index=True)
    layout_version: Mapped[int] = mapped_column(Integer)
    field: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[int] = mapped_column(Micros)  # when the check found it
    since: Mapped[int] = mapped_column(Micros)  # when the first records without it were taken in
    closed_at: Mapped[int | None] = mapped_column(Micros)
    share_before: Mapped[float] = mapped_column()  # fraction of records with a value, before
    records_before: Mapped[int] = mapped_column(BigInteger)
    share_now: Mapped[float] = mapped_column()
    records_now: Mapped[int] = mapped_column(BigInteger)
    p_value: Mapped[float] = mapped_column()
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)  # what is there instead: keys, cells, reasons


class SpentRow(Base):
    """Units that collectors spent of a service's daily allowance. `day` is of the zone in which it renews."""

    __tablename__ = "spent_units"
    service: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    units: Mapped[int] = mapped_column(BigInteger)


class AnswerRow(Base):
    """An answer that a collector has had: its ETag, and what leads on from it (the next page, the ids in it)."""

    __tablename__ = "known_answers"
    request: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of service, method and parameters
    etag: Mapped[str] = mapped_column(Text)
    kept: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[int] = mapped_column(Micros)


__all__ = [
    "AlertCaseRow",
    "AlertEventRow",
    "AlertRow",
    "AnswerRow",
    "Base",
    "BusBlockRow",
    "BusConnectionRow",
    "BusNumberRow",
    "BusPartitionRow",
    "BusPositionRow",
    "ChangeRow",
    "ChannelRow",
    "CheckpointRow",
    "CounterRow",
    "DayMartRow",
    "DriftRow",
    "InboxRow",
    "LeaseRow",
    "OutboxRow",
    "PlanRow",
    "RosterRow",
    "RunRow",
    "SeriesRow",
    "SpentRow",
    "TokenRow",
    "TopicRow",
    "TrackerRow",
]
