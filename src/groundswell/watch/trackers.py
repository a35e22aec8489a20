"""Adding, changing and removing trackers: what they say must make sense, and the live page is told."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from groundswell.desk import changes, documents, trackers
from groundswell.desk.tables import TrackerRow
from groundswell.desk.trackers import Options
from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.query import parse

COUNT_BY: Final = ("created_at", "observed_at")


def add_tracker(
    session: Session,
    name: str,
    query: str,
    promise_days: float,
    *,
    options: Options | None = None,
    now_us: int | None = None,
) -> TrackerRow:
    """Watch `query` under `name`; a running watch takes it up within a second.

    Raises:
        QuerySyntaxError: the query does not parse.
        UsageError: an option makes no sense.
        ConflictError: the name is in use.
    """
    parse(query)
    row = trackers.add(session, name, query, promise_days, options=checked(options or {}), now_us=now_us)
    changes.append(session, "tracker", row.id, documents.tracker(row, None, None), now_us=now_us)
    return row


def edit_tracker(
    session: Session,
    name: str,
    *,
    query: str | None = None,
    promise_days: float | None = None,
    new_name: str | None = None,
    options: Options | None = None,
    now_us: int | None = None,
) -> TrackerRow:
    """Change what is given; another query or another time to count by makes the tracker learn anew.

    Raises:
        QuerySyntaxError: the query does not parse.
        UsageError: an option makes no sense.
        NotFoundError: there is no such tracker.
        ConflictError: the new name is in use.
    """
    if query is not None:
        parse(query)
    row = trackers.change(session, name, query, promise_days, new_name=new_name, options=checked(options or {}))
    changes.append(session, "tracker", row.id, documents.tracker(row, None, None), now_us=now_us)
    return row


def remove_tracker(session: Session, name: str, *, now_us: int | None = None) -> TrackerRow:
    """Stop watching; its alerts stay, open ones are closed as they are.

    Raises:
        NotFoundError: there is no such tracker.
    """
    row = trackers.remove(session, name, now_us=now_us)
    changes.append(session, "tracker", row.id, {}, now_us=now_us)
    return row


def checked(options: Options) -> Options:
    """The options in their normal form.

    Raises:
        UsageError: one makes no sense; says what is valid.
    """
    out = Options(**options)
    country = out.get("country")
    if country is not None:
        out["country"] = _country(country)
    count_by = out.get("count_by")
    if count_by is not None and count_by not in COUNT_BY:
        kind = "time to count by"
        raise UnknownChoiceError(kind, count_by, COUNT_BY)
    followers, share = out.get("reach_followers"), out.get("reach_share")
    if followers is not None and followers < 0:
        what = f"{followers} followers make no sense"
        raise UsageError(what, hint="give a whole number from 0 on")
    if share is not None and not 0 < share <= 0.5:
        what = f"a top share of {share:g} makes no sense"
        raise UsageError(what, hint="give a fraction above 0 up to 0.5, such as 0.001 for one post in a thousand")
    return out


def _country(code: str) -> str:
    import holidays  # noqa: PLC0415 - a slow import that only a country needs

    known = holidays.list_supported_countries(include_aliases=False)
    if code.upper() not in known:
        kind = "country"
        raise UnknownChoiceError(kind, code, sorted(known))
    return code.upper()
