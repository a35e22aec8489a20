"""Table of the desk for emerging topics."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from groundswell.desk.base import Base, Micros


class TopicRow(Base):
    """Something that people start to talk about. `id` is a hash of its first term and its start."""

    __tablename__ = "topics"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(Text)
    phase: Mapped[str] = mapped_column(String(12))  # growing, peak, fading, closed
    started_at: Mapped[int] = mapped_column(Micros)
    opened_at: Mapped[int] = mapped_column(Micros)
    updated_at: Mapped[int] = mapped_column(Micros, index=True)  # end of the last window that it knows
    closed_at: Mapped[int | None] = mapped_column(Micros)
    window_s: Mapped[int] = mapped_column(Integer)  # of the window in which it was rarest
    observed: Mapped[int] = mapped_column(BigInteger)  # distinct authors in that window
    expected: Mapped[float] = mapped_column()
    return_days: Mapped[float] = mapped_column()
    is_new: Mapped[bool] = mapped_column(Boolean)
    rank: Mapped[float] = mapped_column()
    authors: Mapped[int] = mapped_column(BigInteger)
    posts: Mapped[int] = mapped_column(BigInteger)
    reach: Mapped[int | None] = mapped_column(BigInteger)
    platforms: Mapped[str] = mapped_column(Text)  # |bluesky|tiktok|
    query: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)  # terms, windows, words, examples, authors, trackers

    __table_args__ = (Index("ix_topics_closed_at_id", "closed_at", "id"),)
