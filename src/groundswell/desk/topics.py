"""Emerging topics: one row each, written by the runner, read by everybody."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from groundswell.desk import trackers
from groundswell.desk.clock import iso
from groundswell.desk.tables import TopicRow
from groundswell.desk.upsert import upsert
from groundswell.errors import NotFoundError, UsageError

TopicState = Literal["open", "closed", "all"]

#: Topics that were over so long before the newest event are removed.
KEEP_DAYS: Final = 90
_DAY_US: Final = 86_400_000_000
#: Authors expected below which a ratio says nothing; as in `watch.emerging.story`.
LEAST_EXPECTED: Final = 0.5
#: What a topic's body has that its summary shows.
_IN_SUMMARY: Final = ("terms", "platforms", "spark", "spark_s")
_ONLY_WHOLE: Final = ("windows", "words", "examples", "top_authors", "parameters")


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update topics by their id. `platforms` is made from the body."""
    named = [
        dict(row) | {"platforms": _marked(one["platform"] for one in row["body"].get("platforms", ()))} for row in rows
    ]
    upsert(session, TopicRow, named)


def _marked(names: Any) -> str:
    return "|".join(("", *names, ""))


def get(session: Session, topic_id: str) -> TopicRow:
    """The topic of that id (or of a unique beginning of it, at least 4 characters).

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(TopicRow, topic_id)
    if row is None and len(topic_id) >= 4:
        query = select(TopicRow).where(TopicRow.id.startswith(topic_id, autoescape=True)).limit(2)
        found = list(session.scalars(query))
        row = found[0] if len(found) == 1 else None
    if row is None:
        what = f"no topic `{topic_id}`"
        raise NotFoundError(what, hint="`groundswell topics` shows the ids")
    return row


def page(
    session: Session,
    *,
    state: TopicState = "all",
    platform: str | None = None,
    since_us: int | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[TopicRow], str | None]:
    """Topics, open ones first, by rank, then closed ones, newest end first; and the cursor of the next page.

    `since_us`: only those that were not over before.

    Raises:
        UsageError: the cursor is not one.
    """
    wanted: list[ColumnElement[bool]] = []
    if platform is not None:
        wanted.append(TopicRow.platforms.contains(f"|{platform.lower()}|", autoescape=True))
    if since_us is not None:
        wanted.append(TopicRow.closed_at.is_(None) | (TopicRow.updated_at >= since_us))
    part, place, last = ("open", None, "") if cursor is None else _place(cursor)
    found: list[TopicRow] = []
    if part == "open" and state != "closed":
        query = select(TopicRow).where(TopicRow.closed_at.is_(None), *wanted)
        if place is not None:
            query = query.where((TopicRow.rank < place) | ((TopicRow.rank == place) & (TopicRow.id < last)))
        query = query.order_by(TopicRow.rank.desc(), TopicRow.id.desc()).limit(limit + 1)
        found += session.scalars(query)
    if len(found) <= limit and state != "open":
        query = select(TopicRow).where(TopicRow.closed_at.is_not(None), *wanted)
        if part == "closed" and place is not None:
            at = round(place)
            query = query.where((TopicRow.closed_at < at) | ((TopicRow.closed_at == at) & (TopicRow.id < last)))
        query = query.order_by(TopicRow.closed_at.desc(), TopicRow.id.desc()).limit(limit + 1 - len(found))
        found += session.scalars(query)
    shown = found[:limit]
    return shown, _cursor(shown[-1]) if len(found) > limit else None


def _cursor(row: TopicRow) -> str:
    return f"open~{row.rank!r}~{row.id}" if row.closed_at is None else f"closed~{row.closed_at}~{row.id}"


def _place(cursor: str) -> tuple[str, float | None, str]:
    part, _, rest = cursor.partition("~")
    place, _, last = rest.partition("~")
    try:
        number = float(place)
    except ValueError:
        number = float("nan")
    # A rank is any number, a time one of 64 bits.
    is_place = math.isfinite(number) and (part == "open" or abs(number) < 2**63)
    if part not in ("open", "closed") or not is_place or not last:
        what = "not a cursor"
        raise UsageError(what, where=cursor, hint="use `next` of the answer before, unchanged")
    return part, number, last


def open_count(session: Session) -> int:
    """How many topics are open."""
    return session.scalar(select(func.count()).select_from(TopicRow).where(TopicRow.closed_at.is_(None))) or 0


def prune(session: Session, newest_us: int, keep_days: int = KEEP_DAYS) -> int:
    """Remove topics that were over more than `keep_days` before `newest_us`; how many."""
    old = delete(TopicRow).where(TopicRow.closed_at < newest_us - keep_days * _DAY_US)
    return int(getattr(session.execute(old), "rowcount", 0))


def summary(row: TopicRow, names: Mapping[str, str]) -> dict[str, Any]:
    """A topic without its evidence (`web.topic_models.TopicSummary`). `names` are those of trackers, by id."""
    body = row.body
    return {
        "id": row.id,
        "label": row.label,
        "phase": row.phase,
        "started_at": iso(row.started_at),
        "opened_at": iso(row.opened_at),
        "updated_at": iso(row.updated_at),
        "closed_at": iso(row.closed_at),
        "window_s": row.window_s,
        "observed": row.observed,
        "expected": row.expected,
        "ratio": row.observed / row.expected if row.expected >= LEAST_EXPECTED else None,
        "is_new": row.is_new,
        "return_days": row.return_days,
        "rank": row.rank,
        "authors": row.authors,
        "posts": row.posts,
        "reach": row.reach,
        "query": row.query,
        "headline": row.headline,
        "detail": row.detail,
        "covered_by": [
            {"id": one["id"], "name": names[one["id"]], "share": one["share"]}
            for one in body.get("covered_by", ())
            if one["id"] in names
        ],
        **{name: body[name] for name in _IN_SUMMARY},
    }


def whole(row: TopicRow, names: Mapping[str, str]) -> dict[str, Any]:
    """A topic with its evidence (`web.topic_models.Topic`)."""
    return summary(row, names) | {name: row.body[name] for name in _ONLY_WHOLE}


def tracker_names(session: Session) -> dict[str, str]:
    """Names of the trackers in force, by id."""
    return {row.id: row.name for row in trackers.list_active(session)}
