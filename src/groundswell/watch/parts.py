"""What the watch's loop works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundswell.bus import Block
from groundswell.desk import Desk
from groundswell.desk.clock import Clock
from groundswell.desk.leases import Held
from groundswell.watch.ahead import Reader
from groundswell.watch.contract import TrackerSpec, WatchBatch
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.plan import Plan
from groundswell.watch.state import WatchState

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.handover import Handover
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

Hook = Callable[[str], None]
"""Called at each border of a step with its name: `planned`, `published`, `stepped`, `snapshot`, `committing`,
`committed`."""

Teach = Callable[[WatchState, Sequence[TrackerSpec], int], WatchState]
"""Teaches a state what the history of new trackers before a time (microseconds) was."""

Read = Callable[[Plan, Sequence[Block], Sequence[TrackerSpec], WatchState], WatchBatch]
"""Gives the posts of a planned batch, for these trackers and the state before it."""


@dataclass(frozen=True)
class Parts:
    """What the loop works with."""

    settings: Settings
    desk: Desk
    journal: Reader
    held: Held
    engine: Engine | None
    """Null where `read` gives the posts."""
    registry: Registry
    teach: Teach
    teach_topics: Callable[[Emerging, int], Emerging]
    """The same for words that no tracker asks for."""
    now: Clock
    hook: Hook
    told: Callable[[], None] = lambda: None
    """Called after each commit that the page can see."""
    may_catch_up: Callable[[int], bool] = lambda _block: False
    """Whether what started without its past can be taught it now, having met all up to a block meanwhile."""
    handover: Handover | None = None
    """Where rows are left for the lake writer of this process; null: it has none."""
    read: Read | None = None
    """Reads the posts of a batch; null: here, by the engine or the compiled kernels."""
