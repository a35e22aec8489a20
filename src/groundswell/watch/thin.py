"""Which small windows of a history are scored: those of a stream that fills hardly any of them say nothing more.

The live watch decides it before each window by what the detector of the windows that are shown first knows of the
stream (`judging.is_scored`); here the same is asked for all windows at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import DAY, Ints, WatchParams
from groundswell.watch.detector import Detector, run
from groundswell.watch.judging import LEAST_STREAM

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: A stream that had so many times the least in every day is never near it.
_FAR: Final = 5.0


@dataclass(frozen=True)
class StreamLevels:
    """What the stream's detector knew: windows seen, posts and windows behind its level."""

    ends: Ints
    """Ends of the windows that taught it."""
    known: Floats
    """Shape (windows + 1, 3): before each, and after all."""

    def before(self, end_us: Ints) -> Floats:
        """As it was when windows that end at `end_us` were closed: larger ones that end with them come later."""
        found: Floats = self.known[np.searchsorted(self.ends, end_us, side="left")]
        return found

    def scored(self, starts: Ints, window_us: int, params: WatchParams) -> Bools:
        """Which windows of a smaller size are scored."""
        seen, posts, windows = self.before(starts + window_us).T
        rate = posts / (windows + 1.0) * window_us / params.window_us
        asked: Bools = (seen * params.window_us < DAY) | (rate >= LEAST_STREAM)
        return asked


def is_thin(posts: Floats, base_us: int, params: WatchParams) -> bool:
    """Whether the stream (`posts` per window of the size that is shown first) comes near the least on any day."""
    if base_us >= params.window_us or not len(posts):
        return False
    day = min(max(DAY // params.window_us, 1), len(posts))
    reached = np.concatenate(([0.0], np.cumsum(posts)))
    least = float((reached[day:] - reached[:-day]).min()) / day
    return least * base_us / params.window_us < _FAR * LEAST_STREAM


def levels_of(posts: Floats, starts: Ints, taught: Bools, params: WatchParams) -> StreamLevels:
    """What the detector of the whole stream knows before each window of the size that is shown first."""
    detector, known = Detector.empty(1), np.zeros((len(starts) + 1, 3))
    for number in range(len(starts)):
        cell = slice(number, number + 1)
        run(detector, posts[cell, None], starts[cell], params, taught[cell, None])
        known[number + 1] = detector.seen[0], detector.level_posts[0], detector.level_windows[0]
    return StreamLevels(starts + params.window_us, known)
