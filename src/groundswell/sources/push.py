"""Records pushed over HTTP: `groundswell serve` appends them to the journal; the runner only reads them there."""

from __future__ import annotations

import threading
from typing import Final

from groundswell.bus import Bus

#: The journal source of records pushed to `POST /api/v1/records` that name no other.
NAME: Final = "push"


class PushSource:
    """Stands for the server, which appends and says that it is connected; has nothing to do itself.

    The guarantee is the server's: a request is answered when its records are in the journal.
    """

    name = NAME
    kind = "push"

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Wait until `stop` is set."""
        stop.wait()
