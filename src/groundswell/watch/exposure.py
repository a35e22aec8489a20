"""The macro trend of a tracker: what the platforms that it lives on did, against what was expected of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.detector import Forecast, forecast, learn
from groundswell.watch.frames import Frame, Window
from groundswell.watch.state import WatchState

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: A platform of which less is known did what the whole stream did.
KNOWN_US = DAY


@dataclass(frozen=True)
class Trend:
    """One window of the whole stream (row 0) and of each platform."""

    seen: Floats
    known: Forecast
    around: tuple[Floats, Floats] | None
    """As `exposure_of`."""

    def learn(self, frame: Frame, start: int, params: WatchParams, *, taught: bool) -> None:
        """Let the window teach what is usual on each platform, if it was watched. Changes `frame`."""
        # From the first window in which it was met: a batch may tell of a platform before the windows up to then close.
        met = (frame.platforms.seen > 0) | (self.seen > 0)
        met[0] = True
        learn(frame.platforms, self.seen, start, params, met & taught, self.known)


def trend_of(state: WatchState, frame: Frame, start: int, window: Window, params: WatchParams) -> Trend:
    """What the platforms did in a window; `params` of the size of `frame`. Makes rows of `frame` for new platforms."""
    rows = len(state.platforms) + 1
    known_rows = np.arange(rows)
    if len(frame.platforms) < rows:
        frame.platforms = frame.platforms.rows(np.where(known_rows < len(frame.platforms), known_rows, -1))
    seen = np.zeros(rows)
    seen[0] = window.counts[0]
    seen[1 : len(window.volumes) + 1] = window.volumes
    known = forecast(frame.platforms, start, params)
    young = frame.platforms.seen * params.window_us < KNOWN_US
    return Trend(seen, known, exposure_of(state.mix, seen, known[0], young))


def exposure_of(mix: Floats, seen: Floats, expected: Floats, young: Bools) -> tuple[Floats, Floats] | None:
    """What was seen and what was expected of the platforms of each series, row 0 the whole stream.

    `mix` has shape (trackers, platforms): how many of a tracker's posts are where. `seen`, `expected` and `young` have
    one number for the whole stream and one a platform. Null where there is one platform, which is the stream.
    """
    platforms = len(seen) - 1
    if platforms < 2:
        return None
    mix = np.pad(mix, ((0, 0), (0, platforms - mix.shape[1])))  # one met just now has no posts there yet
    ratio = np.where(young, seen[0] / expected[0], seen / expected)[1:]
    usual = np.where(young, expected[0], expected)[1:]
    total = mix.sum(axis=1)
    part = mix / np.maximum(total, 1e-9)[:, None]
    # Not `@`: a row must not depend on how many others there are.
    around = np.where(total > 0, (part * usual).sum(axis=1), expected[0])
    rise = np.where(total > 0, (part * ratio).sum(axis=1), seen[0] / expected[0])
    return np.concatenate((seen[:1], around * rise)), np.concatenate((expected[:1], around))
