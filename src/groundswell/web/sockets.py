"""x."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import WebSocket

from groundswell.web.hub import Hub


async def serve_events(hub: Hub, after: int | None) -> AsyncIterator[bytes]:
    """x."""
    yield b""


async def serve_socket(socket: WebSocket, hub: Hub, after: int | None) -> None:
    """x."""
