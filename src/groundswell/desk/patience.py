"""A desk on a server that goes away for a while: what has not begun waits for it."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from groundswell.errors import UnavailableError

log = logging.getLogger("groundswell.desk")

#: How long a transaction that has not begun waits for a server that was there before, seconds.
PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.1
_LONGEST_S: Final = 2.0


class DeskLostError(UnavailableError):
    """The server of the desk went away in the middle of a transaction, or did not come back in time.

    What was not committed is not there. Whoever works step by step may begin at the last one that was.
    """


def connect(engine: Engine, where: str) -> Connection:
    """A connection to a server that was there before, waiting for it if it is away.

    Raises:
        DBAPIError: it does not come back in `PATIENCE_S` seconds.
    """
    begun, pause = time.monotonic(), _PAUSE_S
    while True:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            if not is_lost(error) or time.monotonic() - begun > PATIENCE_S:
                raise
            if pause == _PAUSE_S:
                log.warning("the desk does not answer; waiting for it: %s", where)
            threading.Event().wait(pause)
            pause = min(2 * pause, _LONGEST_S)
            continue
        if pause > _PAUSE_S:
            log.warning("the desk answers again after %.1f s", time.monotonic() - begun)
        return connection


def is_lost(error: DBAPIError) -> bool:
    """Whether an error says that the server is away, rather than that it refuses.

    Class 08 of SQLSTATE is about connections, 57P about servers that end or begin; one that is not there says nothing.
    """
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(("08", "57P"))
    text = str(error.orig).lower()
    if any(word in text for word in ("password", "role", "does not exist", "authentication")):
        return False
    return error.connection_invalidated or "connect" in text or "closed" in text or "starting up" in text
