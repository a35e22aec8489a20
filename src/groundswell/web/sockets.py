"""The live hub over a WebSocket and as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from groundswell.errors import GroundswellError
from groundswell.web.hub import ClosingError, Hub, Message
from groundswell.web.problems import GoneError


class TooSlowError(GroundswellError):
    """A client took nothing for too long; it may resume from the last change that it got."""

    status = 503


#: Close codes of the live socket. 4008: connect again with the last `seq`; 4009: load everything anew first.
TOO_SLOW: Final = 4008
CANNOT_RESUME: Final = 4009
GOING_AWAY: Final = 1001
FAILED: Final = 1011
_CODES: Final = ((TooSlowError, TOO_SLOW), (GoneError, CANNOT_RESUME), (ClosingError, GOING_AWAY))

#: A comment line is sent this often while nothing happens, so that proxies keep the connection.
BEAT_S: Final = 15.0
#: A client that takes nothing for this long is let go of, seconds.
SEND_S: Final = 20.0
#: So long the code and the number to go on after wait for a client that was let go of, seconds.
CLOSE_S: Final = 10.0


async def serve_socket(socket: WebSocket, hub: Hub, after: int | None) -> None:
    """Send every change after `after`, then each as it happens, until the client goes or is too slow."""
    await socket.accept()
    writer = asyncio.create_task(_write(socket, hub, after))
    reader = asyncio.create_task(_read(socket))
    done, pending = await asyncio.wait((writer, reader), return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
            await task
    if writer in done and not writer.cancelled() and (error := writer.exception()) is not None:
        await _close(socket, error)


async def _read(socket: WebSocket) -> None:
    """Wait until the client goes; what it says is of no interest."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _write(socket: WebSocket, hub: Hub, after: int | None) -> None:
    last = after or 0
    async with contextlib.aclosing(hub.follow(after)) as messages:
        async for message in messages:
            if message is None:
                continue
            try:
                await asyncio.wait_for(socket.send_text(message.text), SEND_S)
            except TimeoutError:
                what = "changes were not taken in time"
                raise TooSlowError(what, hint=f"connect again with after={last}") from None
            last = message.seq


async def _close(socket: WebSocket, error: BaseException) -> None:
    if isinstance(error, WebSocketDisconnect):
        return
    if not isinstance(error, GroundswellError):
        with contextlib.suppress(Exception):
            await socket.close(FAILED, "the server failed; connect again")
        raise error
    code = next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        # A close reason has room for 123 bytes.
        await asyncio.wait_for(socket.close(code, (error.hint or error.what)[:120]), CLOSE_S)


async def serve_events(messages: AsyncIterator[Message | None]) -> AsyncIterator[bytes]:
    """Changes as server-sent events; ends when the server stops (browsers come back)."""
    yield b"retry: 2000\n\n"
    with contextlib.suppress(ClosingError):
        async for message in messages:
            if message is None:
                yield b": still here\n\n"
            else:
                yield f"id: {message.seq}\ndata: {message.text}\n\n".encode()
