"""What would have become of the windows of a history with one promise: the live watch's episodes, where one may be.

Between two episodes nothing happens, so only the ends of windows are looked at in which something is rare enough, and
then every window until the episode is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.watch import closing, judging
from groundswell.watch.contract import Ints, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.detector import Detector
from groundswell.watch.episodes import Episode, Voice
from groundswell.watch.frames import REALS, Closed
from groundswell.watch.judging import Heard, Judged, Watched
from groundswell.watch.state import WatchState, align
from groundswell.watch.sweep import Swept, of_scores

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Windows:
    """The windows of one size of one tracker, as the watch would have closed them; window n in the place of a slot."""

    window_us: int
    starts: Ints
    closed: Closed
    scored: Bools
    """Which of them the watch would have closed at all."""

    def point(self, number: int, tracker_id: str) -> SeriesPoint:
        """One of them."""
        return msgspec.structs.replace(
            self.closed.point(number, tracker_id, self.window_us), start=int(self.starts[number])
        )

    def before(self, end_us: int, most: int, tracker_id: str) -> list[SeriesPoint]:
        """The newest `most` of those that ended by `end_us`, oldest first."""
        after = int(np.searchsorted(self.starts + self.window_us, end_us, side="right"))
        numbers = np.flatnonzero(self.scored[:after])[-most:]
        return [self.point(number, tracker_id) for number in numbers.tolist()]


@dataclass(frozen=True)
class Ended:
    """An episode as it stood at `at_us`: over, or at the end of the history."""

    episode: Episode
    at_us: int


class Rerun:
    """The windows of column `column` of a sweep under the promise of `tracker`.

    `needed_days` is what the desk's budget makes of that promise; null: it stays.
    """

    def __init__(
        self,
        swept: Sequence[Swept],
        column: int,
        tracker: TrackerSpec,
        params: WatchParams,
        needed_days: float | None = None,
    ) -> None:
        self._swept = swept
        self._column = column
        self._tracker = tracker
        self._days = tracker.promise_days if needed_days is None else needed_days
        self._params = params
        self._watched = Watched([tracker], [], None, params)
        self.windows = [windows_of(one, column, self._days, params) for one in swept]
        self._voices = [self._speaking(one) for one in swept]
        # Of running windows only those are looked at in which something is rare enough.
        between = [one.running for one in swept]
        self._between = [None if one is None else windows_of(one, column, self._days, params) for one in between]
        self._running = [{} if one is None else self._by_end(one) for one in between]

    def episodes(self, begin_us: int, *, cards: bool) -> Iterator[Ended]:
        """The episodes that open in windows which begin from `begin_us` on, in order.

        With `cards` they know what the detector knew before their peak.
        """
        state = WatchState.empty()
        align(state, [self._tracker], self._params)
        series, touched_us, end_us = state.series[0], 0, 0
        for instant in self._instants(begin_us):
            if series.episode is None and instant <= end_us:
                continue
            end_us = instant
            while True:
                touched = self._close(state, end_us, cards=cards)
                episode = series.episode
                if touched and episode is not None:
                    touched_us = end_us
                    if episode.phase == "closed":
                        series.episode, series.told_us = None, episode.end_us
                        yield Ended(episode, end_us)
                if series.episode is None:
                    break
                end_us += self._params.base_us
                if end_us > self._last_us:
                    yield Ended(series.episode, touched_us)
                    return

    @property
    def _last_us(self) -> int:
        base = self._swept[0]
        return int(base.counted.starts[-1]) + base.window_us

    def _instants(self, begin_us: int) -> list[int]:
        """Ends of windows in which something is rare enough."""
        ends = {
            _end_of(one, number)
            for one, spoken in zip(self._swept, self._voices, strict=True)
            for number in spoken
            if one.counted.starts[number] >= begin_us
        }
        for spoken in self._running:
            ends |= {end for end, (one, number, _) in spoken.items() if one.counted.starts[number] >= begin_us}
        return sorted(ends)

    def _close(self, state: WatchState, end_us: int, *, cards: bool) -> bool:
        """What closing all windows that end then does to the episode; whether its card is to be written."""
        touched: dict[int, bool] = {}
        stream = self._swept[0].stream
        level = None if stream is None else stream.before(np.array([end_us]))[0]
        for frame in state.frames:
            frame.detectors["posts"] = cast(Detector, _Known(level))
        for at, frame in enumerate(state.frames):
            one, spoken, running = self._swept[at], self._voices[at], self._running[at].get(end_us)
            number, rest = divmod(end_us - one.window_us - int(one.counted.starts[0]), one.window_us)
            between = self._between[at]
            if running is not None and between is not None:
                one, number, voices = running
                closed = _cell(between, number)
            elif rest or not 0 <= number < len(one.counted.starts) or not one.scored[number]:
                continue
            else:
                voices, closed = spoken.get(number, []), _cell(self.windows[at], number)
            if state.series[0].episode is not None or voices:
                if cards:
                    frame.detectors["posts"] = cast(Detector, _Known(level, self, one, number))
                judged = self._judged(one, closed, number, voices)
                closing._take(state, frame, 0, judged, self._watched, touched, running=running is not None)
        return bool(touched)

    def _judged(self, one: Swept, closed: Closed, number: int, voices: list[Voice]) -> Judged:
        rows = [0, self._column]
        scores = of_scores([one.window("posts", number)], lambda arrays: arrays[0][..., rows])
        values = one.counted.posts[number, rows]
        none = np.zeros(2, np.bool_)
        free = one.free[number][:, rows] if one.free.shape[2] else one.free[number]
        around = None if one.trend is None else (one.trend[number, 0, rows], one.trend[number, 1, rows])
        heard = Heard(Detector.empty(2), values, np.zeros((4, 2)), scores, none, free, around)
        return Judged({"posts": heard}, one.gap[number, rows], closed, {0: voices} if voices else {})

    def before(self, one: Swept, number: int) -> Detector:
        """The rows of the stream and the tracker before a window."""
        return one.detector("posts", number, self._params).rows(np.array([0, self._column]))

    def _by_end(self, one: Swept) -> dict[int, tuple[Swept, int, list[Voice]]]:
        """What is rare enough for an alert, by the end of the window."""
        return {_end_of(one, number): (one, number, voices) for number, voices in self._speaking(one).items()}

    def _speaking(self, one: Swept) -> dict[int, list[Voice]]:
        """What is rare enough for an alert, by the window's number."""
        sized = self._params.at(one.window_us)
        found: dict[int, list[Voice]] = {}
        posts = np.concatenate(([0.0], one.counted.posts[:, self._column]))
        for name in one.scores:
            heard, gap = _heard(one, name, self._column)
            required = np.full(len(one.gap), _required(name, self._days, self._params))
            for number, voice in judging._voices(name, heard, gap, posts, required, 0, sized):
                if not one.scored[number]:
                    continue
                start = int(one.counted.starts[number])
                found.setdefault(number, []).append(msgspec.structs.replace(voice, start=start))
        return found


def _end_of(one: Swept, number: int) -> int:
    return int(one.counted.starts[number]) + one.window_us


def _cell(windows: Windows, number: int) -> Closed:
    """One of the windows: views, so that what the episode says of it stays said."""
    cell, held = slice(number, number + 1), windows.closed
    return Closed(int(windows.starts[number]), held.count[cell], held.late[cell], held.state[cell], held.reals[cell])


def windows_of(swept: Swept, column: int, promise_days: float, params: WatchParams) -> Windows:
    """The windows of one tracker; `column` is its place in the sweep."""
    heard, gap = _heard(swept, "posts", column)
    required = np.full(len(swept.gap), _required("posts", promise_days, params))
    closed = judging._closed(0, heard, gap, required, params.at(swept.window_us))
    posts = swept.scores["posts"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = swept.counted.posts[:, 0] / posts.expected[:, 0]
    closed.reals[:, REALS.index("platform_ratio")] = np.where(posts.learning[:, 0], np.nan, ratio)
    return Windows(swept.window_us, swept.counted.starts, closed, swept.scored)


def _required(name: str, promise_days: float, params: WatchParams) -> float:
    """How rare a window must be."""
    return promise_days / judging.share_of(name, params)


def _heard(one: Swept, name: str, column: int) -> tuple[Heard, Bools]:
    """A tracker's windows in the places of trackers, behind a place for the stream that nothing looks at."""
    scores, values = one.scores[name], one.values(name)[:, column]
    behind = of_scores(
        [scores], lambda arrays: np.concatenate((arrays[0][..., :1, column], arrays[0][..., column]), axis=-1)
    )
    missing = np.concatenate(([False], one.missing[name][:, column]))
    heard = Heard(Detector.empty(1), np.concatenate(([0.0], values)), np.zeros((4, 1)), behind, missing)
    return heard, np.concatenate(([False], one.gap[:, column]))


class _Known:
    """Stands for the detector of a size before a window: what `closing` asks of it, made when it is asked for."""

    def __init__(
        self, level: Floats | None, rerun: Rerun | None = None, one: Swept | None = None, number: int = 0
    ) -> None:
        self._rerun = rerun
        self._one = one
        self._number = number
        self.seen, self.level_posts, self.level_windows = np.zeros((3, 1)) if level is None else level[:, None]

    def rows(self, kept: Ints) -> Detector:
        """As `Detector.rows`."""
        if self._rerun is None or self._one is None:
            return Detector.empty(len(kept))
        return self._rerun.before(self._one, self._number).rows(kept)
