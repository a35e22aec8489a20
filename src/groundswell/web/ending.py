"""How a server that was told to end does so within a time, whatever it waits for."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Final

log = logging.getLogger("groundswell.web")

#: How long a server may take to end, seconds. Longer may be a step of the watch whose kernels are being compiled.
END_S: Final = 20.0


class Deadline:
    """Ends this process if it has not ended by itself within so many seconds of `begin`.

    It may be ended anywhere: what was accepted is durable, and what was begun is done again at the next start.
    """

    def __init__(self, within_s: float = END_S) -> None:
        self._within_s = within_s
        self._over = threading.Event()
        self._begun = False

    def begin(self) -> None:
        """Let the time run; does nothing where it does already."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._wait, name="deadline", daemon=True).start()

    def keep(self) -> None:
        """It has ended in order."""
        self._over.set()

    def _wait(self) -> None:
        if self._over.wait(self._within_s):
            return
        others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
        log.warning(
            "not everything came to its end within %g s, so it is ended as by a power cut, and taken up at the next "
            "start; still at work: %s",
            self._within_s,
            ", ".join(others),
        )
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)
