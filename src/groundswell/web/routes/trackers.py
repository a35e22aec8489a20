"""Trackers: the queries that are watched, and their series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from groundswell.desk import trackers
from groundswell.desk.clock import moment
from groundswell.watch.trackers import add_tracker as add_to_watch
from groundswell.watch.trackers import remove_tracker as remove_from_watch
from groundswell.web import documents
from groundswell.web.models import AllSeries, NewTracker, Series, Tracker, Trackers
from groundswell.web.services import Services, ServicesOf

router = APIRouter(tags=["trackers"])
TrackerId = Annotated[str, Path(description="Id or name of the tracker.", max_length=200)]
Hours = Annotated[float, Query(gt=0, le=24 * 90, description="How far back, from the newest closed window.")]


@router.get("/trackers")
def list_trackers(services: ServicesOf) -> Trackers:
    """All trackers, those with an open alert first, then by name."""
    with services.desk.reading() as session:
        return Trackers(items=documents.tracker_documents(session, services.settings.window))


@router.post("/trackers", status_code=201)
def add_tracker(services: ServicesOf, request: NewTracker) -> Tracker:
    """Watch a query from now on. What is in the lake already is its history."""
    promise = request.promise_days or services.settings.promise
    with services.desk.session() as session:
        row = add_to_watch(session, request.name, request.query, promise)
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
def show_series(services: ServicesOf, tracker: TrackerId, hours: Hours = 12) -> Series:
    """Closed windows of one tracker, oldest first."""
    with services.desk.reading() as session:
        row = trackers.find(session, tracker)
        since, until = _span(services, session, hours)
        return documents.series_documents(session, [row.id], services.settings.window, since, until)[0]


@router.get("/series")
def list_series(services: ServicesOf, hours: Hours = 12) -> AllSeries:
    """Closed windows of every tracker, for small multiples."""
    with services.desk.reading() as session:
        ids = [row.id for row in trackers.list_active(session)]
        since, until = _span(services, session, hours)
        window_s = services.settings.window
        items = documents.series_documents(session, ids, window_s, since, until)
        return AllSeries(window_s=window_s, since=since, until=until, items=items)


def _span(services: Services, session: Session, hours: float) -> tuple[datetime, datetime]:
    """The last `hours` up to the end of the newest closed window: a replay's, or now where nothing has closed."""
    newest = documents.newest_window(session, services.settings.window)
    until = datetime.now(UTC) if newest is None else moment(newest) + timedelta(seconds=services.settings.window)
    return until - timedelta(hours=hours), until
