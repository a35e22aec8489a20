"""Tables of the desk for channels and their outbox. No secret is in them: they hold the names of secrets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from groundswell.desk.base import Base, Micros, Serial


class ChannelRow(Base):
    """A way on which people are told of alerts. `id` is a hash of the name, so a name that comes back is the same."""

    __tablename__ = "channels"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(12))  # webhook, slack, discord, email, command, file
    config: Mapped[dict[str, Any]] = mapped_column(JSON)  # as `channels.kinds` reads it
    trackers: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))  # ids; null: all
    least_days: Mapped[float | None] = mapped_column()  # only alerts that are at least so rare
    events: Mapped[list[Any]] = mapped_column(JSON)  # opened, updated, closed
    quiet: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # as `channels.quiet` reads it
    templates: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # title, text, body
    report_to: Mapped[str | None] = mapped_column(String(32))  # channel that is told when this one fails
    max_age_s: Mapped[int] = mapped_column(BigInteger)  # alerts that ended longer ago are not sent; 0: any age
    created_at: Mapped[int] = mapped_column(Micros)
    paused_at: Mapped[int | None] = mapped_column(Micros)
    removed_at: Mapped[int | None] = mapped_column(Micros)
    failures: Mapped[int] = mapped_column(Integer, default=0)  # tries that failed since one went well
    trouble: Mapped[str | None] = mapped_column(Text)  # what the last of them failed with
    trouble_since: Mapped[int | None] = mapped_column(Micros)
    retry_at: Mapped[int | None] = mapped_column(Micros)  # not tried before
    sent_at: Mapped[int | None] = mapped_column(Micros)  # when a message last went well


class OutboxRow(Base):
    """A message to a channel. `id` is a hash of what it says to whom, so that the same thing is said once."""

    __tablename__ = "outbox"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.id"))
    alert_id: Mapped[str | None] = mapped_column(String(32), index=True)
    event: Mapped[str] = mapped_column(String(12))  # opened, updated, closed, digest, trouble, recovered
    state: Mapped[str] = mapped_column(String(12))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)  # frozen when it was planned
    created_at: Mapped[int] = mapped_column(Micros)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    tried_at: Mapped[int | None] = mapped_column(Micros)
    ended_at: Mapped[int | None] = mapped_column(Micros)  # when it came to the state in which it stays
    claimed_by: Mapped[str | None] = mapped_column(String(200))  # host:pid:start time of the process that sends it
    claimed_until: Mapped[int | None] = mapped_column(Micros)
    error: Mapped[str | None] = mapped_column(Text)
    digest_id: Mapped[str | None] = mapped_column(String(32))  # message that told it together with others

    __table_args__ = (Index("ix_outbox_channel_id_state_seq", "channel_id", "state", "seq"),)


__all__ = ["ChannelRow", "OutboxRow"]
