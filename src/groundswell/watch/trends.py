"""The macro trend of one tracker over a whole history: `exposure`, for all windows at once.

What is usual on each platform is learned by a detector of its own, from the first window in which the platform was met.
Where the tracker lives is told by its own posts, the past fading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from groundswell.watch.closing import MIX_POSTS
from groundswell.watch.contract import Ints, WatchParams
from groundswell.watch.detector import Detector, run
from groundswell.watch.exposure import KNOWN_US

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Posts per smallest window and platform: of the whole stream, and of the tracker; shape (windows, platforms)."""

    platforms: tuple[str, ...]
    first_us: int
    stream: Floats
    own: Floats

    def exposure(self, starts: Ints, window_us: int, params: WatchParams, gap: Bools) -> Floats | None:
        """What was seen and what was expected around the stream and the tracker, shape (windows, 2, 2).

        `gap` says which windows the stream was not watched in, or teach nothing. Null where there is one platform,
        which is the stream.
        """
        platforms = self.stream.shape[1]
        if platforms < 2 or not len(starts):
            return None
        seen = self._seen(starts, window_us, params)
        met = np.maximum.accumulate(seen > 0, axis=0)
        taught = ~gap[:, None] & met
        taught[:, 0] = ~gap
        expected = run(Detector.empty(platforms + 1), seen, starts, params.at(window_us), taught).expected
        learned: Ints = np.cumsum(taught, axis=0) - taught
        young = learned * window_us < KNOWN_US
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = seen[:, :1] / expected[:, :1]
            ratio = np.where(young, whole, seen / expected)[:, 1:]
        usual = np.where(young, expected[:, :1], expected)[:, 1:]
        mix = self._mix(starts, window_us, params)
        total = mix.sum(axis=1)
        part = mix / np.maximum(total, 1e-9)[:, None]
        around = np.where(total > 0, (part * usual).sum(axis=1), expected[:, 0])
        rise = np.where(total > 0, (part * ratio).sum(axis=1), whole[:, 0])
        out = np.empty((len(starts), 2, 2))
        out[:, 0], out[:, 1] = np.stack((seen[:, 0], around * rise), 1), np.stack((expected[:, 0], around), 1)
        return out

    def _seen(self, starts: Ints, window_us: int, params: WatchParams) -> Floats:
        """Posts of the whole stream and of each platform in windows of a size, shape (windows, 1 + platforms)."""
        reached = np.concatenate((np.zeros((1, self.stream.shape[1])), np.cumsum(self.stream, axis=0)))
        begin = (starts - self.first_us) // params.base_us
        end = np.clip(begin + window_us // params.base_us, 0, len(self.stream))
        seen = np.zeros((len(starts), 1 + self.stream.shape[1]))
        seen[:, 1:] = reached[end] - reached[np.clip(begin, 0, len(self.stream))]
        seen[:, 0] = seen[:, 1:].sum(axis=1)
        return seen

    def _mix(self, starts: Ints, window_us: int, params: WatchParams) -> Floats:
        """How many of the tracker's posts are where, as it is known when a window is closed."""
        mix = _counted_up(self.own)
        # A window of the smallest size teaches it when it is closed, before the larger ones that end with it.
        closed = (starts + window_us - self.first_us) // params.base_us - (window_us == params.base_us)
        found: Floats = mix[np.clip(closed, 0, len(mix) - 1)]
        return found


def _counted_up(own: Floats) -> Floats:
    """The mix before each window and after all, shape (windows + 1, platforms): halved when it is full."""
    out = np.zeros((len(own) + 1, own.shape[1]))
    begin, held = 0, np.zeros(own.shape[1])
    while begin < len(own):
        part = held + np.cumsum(own[begin:], axis=0)
        full = np.flatnonzero(part.sum(axis=1) > MIX_POSTS)
        end = begin + int(full[0]) + 1 if len(full) else len(own)
        out[begin + 1 : end + 1] = part[: end - begin]
        if len(full):
            out[end] /= 2.0
        begin, held = end, out[end]
    return out
