"""Tables of the desk for the work that is done once a day."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from groundswell.desk.base import Base, Micros


class DayMartRow(Base):
    """What was worked out of one date: summary statistics, or what rose of one kind. Made again, it is replaced."""

    __tablename__ = "day_marts"
    date: Mapped[str] = mapped_column(String(10), primary_key=True)  # UTC, YYYY-MM-DD
    name: Mapped[str] = mapped_column(String(40), primary_key=True)  # summary, trends.hashtag, …
    made_at: Mapped[int] = mapped_column(Micros)
    lake_version: Mapped[int | None] = mapped_column(BigInteger)  # of the table of posts
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class InboxRow(Base):
    """A file of the inbox that was imported. `id` is a hash of its name, size and time of change (or stamp)."""

    __tablename__ = "inbox"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    imported_at: Mapped[int] = mapped_column(Micros)


__all__ = ["DayMartRow", "InboxRow"]
