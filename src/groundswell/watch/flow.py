"""One step of the watch: match, count, close windows, score, open and close alerts. Pure and deterministic.

`step(state, batch, trackers, params)` returns the next state and what to write. It does not depend on where
batches end: the same records in the same order give the same points and alerts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import (
    AlertRecord,
    SeriesPoint,
    StepOutput,
    TrackerSpec,
    WatchBatch,
    WatchParams,
)
from groundswell.watch.state import WatchState


def step(
    state: WatchState, batch: WatchBatch, trackers: Sequence[TrackerSpec], params: WatchParams
) -> tuple[WatchState, StepOutput]:
    """The next state and what this batch made known. `state` must not be used again."""
    raise NotImplementedError


def warm_start(
    state: WatchState,
    tracker: TrackerSpec,
    counts: npt.NDArray[np.int64],
    totals: npt.NDArray[np.int64],
    first_window_us: int,
    params: WatchParams,
) -> WatchState:
    """Teach a tracker (and a stream that knows less) from history: counts and stream totals per window."""
    raise NotImplementedError


def dump_state(state: WatchState, path: Path) -> None:
    """Write `state` as an Arrow IPC file (the caller fsyncs and renames)."""
    raise NotImplementedError


def load_state(path: Path) -> WatchState:
    """The state that `dump_state` wrote."""
    raise NotImplementedError


__all__ = [
    "AlertRecord", "SeriesPoint", "StepOutput", "TrackerSpec", "WatchBatch", "WatchParams", "WatchState",
    "dump_state", "load_state", "step", "warm_start",
]
