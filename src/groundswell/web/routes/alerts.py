"""Alerts: what is or was unusual, why, and what it turned out to be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from groundswell.desk import alerts, changes
from groundswell.desk.clock import moment
from groundswell.web import documents
from groundswell.web.documents import AlertState
from groundswell.web.models import Alert, Alerts, Posts, VerdictRequest
from groundswell.web.search import Search, Sort
from groundswell.web.services import ServicesOf

router = APIRouter(prefix="/alerts", tags=["alerts"])
AlertId = Annotated[str, Path(description="Id of the alert.", max_length=32)]


@router.get("")
def list_alerts(
    services: ServicesOf,
    state: Annotated[AlertState, Query(description="Only alerts that are open, or closed.")] = "all",
    tracker: Annotated[str | None, Query(description="Only this tracker: its id or name.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Alerts:
    """Alerts, newest first."""
    with services.desk.reading() as session:
        return documents.alert_documents(session, state, tracker, limit, cursor)


@router.get("/{alert}")
def show_alert(services: ServicesOf, alert: AlertId) -> Alert:
    """One alert with the evidence that was frozen with it."""
    with services.desk.reading() as session:
        return documents.alert_document(session, alert)


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


@router.put("/{alert}/verdict")
def set_verdict(services: ServicesOf, alert: AlertId, request: VerdictRequest) -> Alert:
    """Say what the alert turned out to be: real, false, or known before; null takes it back."""
    with services.desk.session() as session:
        row = alerts.set_verdict(session, alert, request.verdict)
        document = documents.alert_document(session, row.id)
        summary = document.model_dump(mode="json", exclude={"evidence"})
        changes.append(session, "alert", row.id, summary)
    services.tell()
    return document
