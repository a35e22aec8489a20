"""Who teaches the watch what the lake knows, and does not let it wait for a lake that is away.

A new tracker begins without its past then, and learns it when the lake answers again and has all that the tracker has
met meanwhile.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from groundswell.errors import GroundswellError
from groundswell.stores import hurried
from groundswell.watch.contract import TrackerSpec, WatchParams
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.history import teach, without_past
from groundswell.watch.state import WatchState
from groundswell.watch.topic_history import teach_topics, topics_without_past

if TYPE_CHECKING:
    from groundswell.lake import Lake

#: How long the watch waits for the lake's store before it goes on without, seconds.
WAIT_S: Final = 2.0
#: How often a lake that was away is asked again: at first and at most, seconds.
_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0


@dataclass
class Teacher:
    """Teaches from a lake, until `stop` is set."""

    lake: Lake
    params: WatchParams
    stop: threading.Event
    said: Callable[[], str | None] = lambda: None
    """Why the lake is not written at this moment; null while all is well."""
    bring: Callable[[], None] = lambda: None
    """Writes to the lake what the watch has counted and the lake does not have. What streamed in lately is history."""
    has: Callable[[int], bool] = lambda _block: True
    """Whether the lake has all up to that block of the bus."""
    _pause_s: float = field(default=_FIRST_S, init=False)
    _again_at: float = field(default=0.0, init=False)

    def teach(self, state: WatchState, specs: Sequence[TrackerSpec], until_us: int) -> WatchState:
        """See `history.teach`; where the lake is away, trackers start without their past.

        Raises:
            StoppedError: `stop` was set meanwhile.
        """
        why = self._away()
        if why is not None:
            return without_past(state, specs, self.params, why)
        with hurried(WAIT_S):
            self._bring()
            return teach(state, specs, until_us, self.params, lake=self.lake, stop=self.stop)

    def teach_topics(self, topics: Emerging, until_us: int) -> Emerging:
        """See `topic_history.teach_topics`; where the lake is away, topics start without a past.

        Raises:
            StoppedError: `stop` was set meanwhile.
        """
        why = self._away()
        if why is not None:
            return topics_without_past(topics, until_us, self.params, why)
        with hurried(WAIT_S):
            self._bring()
            return teach_topics(topics, until_us, self.params, lake=self.lake, stop=self.stop)

    def may_catch_up(self, block: int) -> bool:
        """Whether trackers that started without a past can be taught now, having met all up to `block` meanwhile.

        Asked often, it looks now and then.
        """
        if time.monotonic() < self._again_at:
            return False
        away = self._away() is not None
        if not away:
            with hurried(WAIT_S):
                self._bring()
        self._pause_s = min(2 * self._pause_s, _LONGEST_S) if away else _FIRST_S
        self._again_at = time.monotonic() + self._pause_s
        return not away and self.has(block)

    def _away(self) -> str | None:
        return self.said() or self.lake.silence(WAIT_S)

    def _bring(self) -> None:
        # If it cannot be written now, the past must do without it.
        with contextlib.suppress(GroundswellError):
            self.bring()
