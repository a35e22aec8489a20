"""Trackers: the queries that are watched, and their series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from groundswell.desk import trackers
from groundswell.desk.clock import moment
from groundswell.desk.trackers import Options
from groundswell.errors import UsageError
from groundswell.watch.trackers import add_tracker as add_to_watch
from groundswell.watch.trackers import edit_tracker as edit_in_watch
from groundswell.watch.trackers import remove_tracker as remove_from_watch
from groundswell.web import documents
from groundswell.web.models import AllSeries, ChangedTracker, NewTracker, Series, Tracker, Trackers
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["trackers"])
TrackerId = Annotated[str, Path(description="Id or name of the tracker.", max_length=200)]
Hours = Annotated[float, Query(gt=0, le=24 * 420, description="How far back, from the newest closed window.")]
WindowS = Annotated[
    int | None,
    Query(ge=1, le=86_400, description="Length of the windows in seconds, one of `/status`; absent: its `window_s`."),
]
#: Windows that one answer may hold: more are neither drawn nor read.
MOST_WINDOWS: Final = 200_000


@router.get("/trackers")
def list_trackers(services: ServicesOf) -> Trackers:
    """All trackers, those with an open alert first, then by name."""
    with services.desk.reading() as session:
        return Trackers(items=documents.tracker_documents(session, services.settings.window))


@router.post("/trackers", status_code=201)
def add_tracker(services: ServicesOf, request: NewTracker) -> Tracker:
    """Watch a query from now on. What is in the lake already is its history."""
    promise = request.promise_days or services.settings.promise
    options = Options(
        country=request.country,
        reach_followers=request.reach_followers,
        reach_share=request.reach_share,
        count_by=request.count_by,
    )
    with services.desk.session() as session:
        row = add_to_watch(session, request.name, request.query, promise, options=options)
        document = documents.tracker_document(session, row, services.settings.window)
    services.tell()
    return document


@router.put("/trackers/{tracker}")
def change_tracker(services: ServicesOf, tracker: TrackerId, request: ChangedTracker) -> Tracker:
    """Change what is given; a null of `country`, `reach_followers` or `reach_share` takes it away.

    With another query or another `count_by` the tracker learns anew from what is in the lake.
    """
    given = request.model_fields_set
    options = Options()
    if "country" in given:
        options["country"] = request.country
    if "reach_followers" in given:
        options["reach_followers"] = request.reach_followers
    if "reach_share" in given:
        options["reach_share"] = request.reach_share
    if request.count_by is not None:
        options["count_by"] = request.count_by
    with services.desk.session() as session:
        row = edit_in_watch(
            session,
            tracker,
            query=request.query,
            promise_days=request.promise_days,
            new_name=request.name,
            options=options,
        )
        document = documents.tracker_document(session, row, services.settings.window)
    services.tell()
    return document


@router.delete("/trackers/{tracker}", status_code=204)
def remove_tracker(services: ServicesOf, tracker: TrackerId) -> Response:
    """Stop watching. Its alerts stay."""
    with services.desk.session() as session:
        remove_from_watch(session, tracker)
    services.tell()
    return Response(status_code=204)


@router.get("/trackers/{tracker}/series")
def show_series(services: ServicesOf, tracker: TrackerId, hours: Hours = 12, window_s: WindowS = None) -> Series:
    """Closed windows of one tracker, oldest first; a time with more than 200,000 of them is refused."""
    size = window_s or services.settings.window
    _refuse_too_many(1, hours, size)
    with services.desk.reading() as session:
        row = trackers.find(session, tracker)
        since, until = _span(session, hours, size)
        return documents.series_documents(session, [row.id], size, since, until)[0]


@router.get("/series")
def list_series(services: ServicesOf, hours: Hours = 12, window_s: WindowS = None) -> AllSeries:
    """Closed windows of every tracker; a time with more than 200,000 of them is refused (see `/multiples`)."""
    size = window_s or services.settings.window
    with services.desk.reading() as session:
        ids = [row.id for row in trackers.list_active(session)]
        _refuse_too_many(len(ids), hours, size)
        since, until = _span(session, hours, size)
        items = documents.series_documents(session, ids, size, since, until)
        return AllSeries(window_s=size, since=since, until=until, items=items)


def _refuse_too_many(series: int, hours: float, window_s: int) -> None:
    number = round(series * hours * 3600 / window_s)
    if number > MOST_WINDOWS:
        what = f"{number:,} windows at once; at most {MOST_WINDOWS:,} are given"
        raise UsageError(what, hint="ask for fewer hours, for larger windows (window_s), or for some at `/multiples`")


def _span(session: Session, hours: float, window_s: int) -> tuple[datetime, datetime]:
    """The last `hours` up to the end of the newest closed window: a replay's, or now where nothing has closed."""
    newest = documents.newest_window(session, window_s)
    until = datetime.now(UTC) if newest is None else moment(newest) + timedelta(seconds=window_s)
    return until - timedelta(hours=hours), until
