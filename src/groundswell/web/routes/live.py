"""Changes as they happen: a WebSocket for the page, server-sent events for other programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, WebSocket
from fastapi.responses import StreamingResponse

from groundswell.web.models import Change
from groundswell.web.services import ServicesOf, SocketServices
from groundswell.web.sockets import BEAT_S, serve_events, serve_socket

router = APIRouter(tags=["live"])
After = Annotated[
    int | None, Query(ge=0, description="Number of the last change that you have; absent: only what comes from now on.")
]


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Change, "description": "One `data:` line with such a document for each change; `id:` is its `seq`."}
}


@router.get("/events", response_class=EventStream, responses=_EVENTS)
async def stream_events(
    services: ServicesOf,
    after: After = None,
    last_event_id: Annotated[
        int | None, Header(ge=0, description="As `after`; a browser sends it by itself when it reconnects.")
    ] = None,
) -> EventStream:
    """Server-sent events: every change after the given one, then each as it happens."""
    start = after if last_event_id is None else last_event_id
    if start is not None:
        # Here, where an answer can still say that it is gone.
        await services.hub.check(start)
    events: AsyncIterator[bytes] = serve_events(services.hub.follow(start, beat_s=BEAT_S))
    return EventStream(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@router.websocket("/live")
async def follow_live(socket: WebSocket, services: SocketServices, after: After = None) -> None:
    """The page's socket: `?after=seq` replays what was missed, then every change as it happens."""
    await serve_socket(socket, services.hub, after)
