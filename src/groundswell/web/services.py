"""What the routes share: the desk, the journal's intake, the hub and the search. Made when the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, WebSocket
from sqlalchemy.orm import Session

from groundswell.desk.tables import TrackerRow
from groundswell.settings import Settings
from groundswell.web.hub import Hub
from groundswell.web.intake import Intake
from groundswell.web.models import NewTracker
from groundswell.web.search import PostSearch


@dataclass
class Services:
    """Everything a route may use."""

    settings: Settings
    desk: Any
    hub: Hub
    intake: Intake
    search: PostSearch

    def add_tracker(self, session: Session, request: NewTracker) -> TrackerRow:
        raise NotImplementedError

    def remove_tracker(self, session: Session, identity: str) -> None:
        raise NotImplementedError

    def announce_alert(self, session: Session, identity: str) -> None:
        raise NotImplementedError


def _of_request(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _of_socket(socket: WebSocket) -> Services:
    services: Services = socket.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(_of_request)]
SocketServices = Annotated[Services, Depends(_of_socket)]
