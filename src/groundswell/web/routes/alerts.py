"""Alerts: what is or was unusual, why, and what it turned out to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from groundswell.desk import alert_documents, alert_life, alerts, changes, precision
from groundswell.desk.alerts import AlertState
from groundswell.desk.clock import moment
from groundswell.web import documents
from groundswell.web.alert_models import Alert, AlertChange, Alerts, NewComment, Precision, Recomputed, VerdictRequest
from groundswell.web.models import Posts
from groundswell.web.search import Search, Sort
from groundswell.web.services import Services, ServicesOf

DAY_US: Final = 86_400_000_000

router = APIRouter(prefix="/alerts", tags=["alerts"])
AlertId = Annotated[str, Path(description="Id of the alert.", max_length=32)]


@router.get("")
def list_alerts(
    services: ServicesOf,
    state: Annotated[AlertState, Query(description="Only alerts that are open, or closed.")] = "all",
    tracker: Annotated[str | None, Query(description="Only this tracker: its id or name.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    grouped: Annotated[bool, Query(description="One line for alerts with mostly the same posts.")] = False,
) -> Alerts:
    """Alerts, newest first."""
    with services.desk.reading() as session:
        return documents.alerts_document(session, state, tracker, limit, cursor, grouped=grouped)


@router.get("/precision")
def show_precision(
    services: ServicesOf,
    days: Annotated[float, Query(gt=0, le=3660, description="How far back, from the newest event time.")] = 90,
    tracker: Annotated[str | None, Query(description="Only this tracker: its id or name.")] = None,
) -> Precision:
    """How often alerts were worth it, by the verdicts that people gave, and how many there were a day."""
    with services.desk.reading() as session:
        of = None if tracker is None else documents.tracker_ever(session, tracker)
        until = precision.newest_us(session)
        until = services.now() if until is None else until + 1
        return Precision.model_validate(precision.report(session, until - round(days * DAY_US), until, of))


@router.get("/{alert}")
def show_alert(services: ServicesOf, alert: AlertId) -> Alert:
    """One alert with the evidence that was frozen with it."""
    with services.desk.reading() as session:
        return documents.alert_document(session, alert)


@router.get("/{alert}/recomputed")
def recompute_alert(services: ServicesOf, alert: AlertId) -> Recomputed:
    """Make the card again from the lake, and say whether it is the frozen one, or which posts are gone."""
    return services.search.recompute(services.desk, alert)


@router.get("/{alert}/posts")
def list_alert_posts(
    services: ServicesOf,
    alert: AlertId,
    sort: Annotated[Sort, Query(description="What comes first.")] = "latest",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Posts:
    """The posts of the episode as the lake has them now (it follows a stream by up to a minute)."""
    with services.desk.reading() as session:
        row, tracker = documents.alert_row(session, alert)
        since, until = moment(row.started_at), moment(row.updated_at)
        query = tracker.query
    return services.search.run(Search(query=query, since=since, until=until, sort=sort, limit=limit))


@router.patch("/{alert}")
def change_alert(services: ServicesOf, alert: AlertId, request: AlertChange) -> Alert:
    """Acknowledge an alert, let its tracker be quiet until a time, or judge it; what is left out stays."""
    given, now, who = request.model_fields_set, services.now(), request.by

    def change(session: Session) -> None:
        if request.acknowledged is not None:
            alert_life.acknowledge(session, alert, who=who, on=request.acknowledged, now_us=now)
        if "snoozed_until" in given:
            until = None if request.snoozed_until is None else documents.micros_of(request.snoozed_until)
            alert_life.snooze(session, alert, until, who=who, now_us=now)
        if given & {"verdict", "note"}:
            row = alerts.get(session, alert)
            verdict = request.verdict if "verdict" in given else row.verdict
            note = request.note if "note" in given else row.verdict_note
            alert_life.judge(session, alert, verdict, note=note, who=who, now_us=now)

    return _changed(services, alert, change)


@router.put("/{alert}/verdict")
def set_verdict(services: ServicesOf, alert: AlertId, request: VerdictRequest) -> Alert:
    """Say what the alert turned out to be: real, false, or known before; null takes it back."""

    def judge(session: Session) -> None:
        alert_life.judge(session, alert, request.verdict, note=request.note, who=request.by, now_us=services.now())

    return _changed(services, alert, judge)


@router.post("/{alert}/comments", status_code=201)
def add_comment(services: ServicesOf, alert: AlertId, request: NewComment) -> Alert:
    """Write something under an alert."""

    def write(session: Session) -> None:
        alert_life.comment(session, alert, request.text, who=request.by, now_us=services.now())

    return _changed(services, alert, write)


def _changed(services: Services, alert: str, change: Callable[[Session], None]) -> Alert:
    """Do it, tell every page, and give the alert as it is then."""
    with services.desk.session() as session:
        row = alerts.get(session, alert)
        change(session)
        summary = alert_documents.summaries(session, [row])[0]
        changes.append(session, "alert", row.id, summary, now_us=services.now())
        document = documents.alert_document(session, row.id)
    services.tell()
    return document
