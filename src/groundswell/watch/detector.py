"""How unusual a closed window is: one vectorised kernel for all series, pure and without I/O.

The formulas stand in `groundswell.watch.plain`; what runs is their compiled twin `groundswell.kernels.counting`. Row 0
is the whole stream. The rest of the stream is an exposure: a tracker must exceed what the rise of everything else
explains.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels import columns as at
from groundswell.watch.constants import CONSTANTS, Constants
from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.tails import quantile

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

Forecast = Floats
"""What is expected of a window, its extra variation, its season factor and its dispersion; shape (4, series)."""

LONGEST_RETURN: Final = at.LONGEST_RETURN
#: From so many series on a second thread pays for itself.
WORTH_A_THREAD: Final = 20_000
#: Bytes from which on an array gets pages of its own.
_LARGE: Final = 1 << 20
_NO_HOLIDAYS: Final = np.zeros((3, 0), dtype=np.bool_)


@dataclass
class Detector:
    """What is known of every series; row 0 is the whole stream. All arrays have one row a series."""

    core: Floats
    """Discounted sums; columns as in `groundswell.kernels.columns`."""
    bin_posts: Floats
    """Discounted posts by hour of the week, shape (series, 168), hour by hour in memory: a window reads and changes few
    of them, and what no window has reached yet takes no memory …"""
    bin_windows: Floats
    """… and windows."""

    #: Names of the arrays.
    ARRAYS: ClassVar[tuple[str, ...]] = ("core", "bin_posts", "bin_windows")

    @classmethod
    def empty(cls, series: int) -> Detector:
        """A detector that knows nothing of `series` series."""
        return cls(np.zeros((series, at.COLUMNS)), untouched(series, at.BINS), untouched(series, at.BINS))

    def rows(self, kept: Ints) -> Detector:
        """The detector of other rows; -1 is a series of which nothing is known."""
        fresh = Detector.empty(len(kept))
        for name in self.ARRAYS:
            put_rows(getattr(fresh, name), getattr(self, name), kept)
        return fresh

    def __len__(self) -> int:
        return len(self.core)

    @property
    def seen(self) -> Floats:
        """Windows learned from."""
        return self.core[:, at.SEEN]

    @property
    def level_posts(self) -> Floats:
        """Discounted posts behind the level."""
        return self.core[:, at.LEVEL_POSTS]

    @property
    def level_windows(self) -> Floats:
        """Discounted windows behind the level, each as long as its season factor."""
        return self.core[:, at.LEVEL_WINDOWS]


def untouched(series: int, columns: int) -> Floats:
    """Zeros of shape (series, columns), column by column in memory, of which none is taken before it is written to.

    What an allocator hands out may have been used before, and is then written full of zeros.
    """
    size = series * columns * 8
    if size < _LARGE:
        return np.zeros((series, columns), order="F")
    # Private pages: one that is only read is the same page of zeros for all, where a shared one would be made.
    own = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    pages = mmap.mmap(-1, size, **own)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without large pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype=np.float64).reshape((series, columns), order="F")


def put_rows(into: Floats, of: Floats, kept: Ints) -> None:
    """Make row n of `into`, which is all zeros, row `kept[n]` of `of`; -1 stays as it is.

    Columns that are nothing but zeros are left alone: they take no memory as long as nobody writes to them.
    """
    old = kept >= 0
    for column in np.flatnonzero(of.any(axis=0)).tolist():
        into[old, column] = of[kept[old], column]


@dataclass(frozen=True)
class Scores:
    """What the kernel says; arrays of shape (series,) for one window, (windows, series) for a run."""

    expected: Floats
    extra: Floats
    dispersion: Floats
    """Variance beside the mean where a series is more even than chance, else 1."""
    p_burst: Floats
    """Probability of so many or more, given what the whole stream did."""
    p_drop: Floats
    p_alone: Floats
    """Probability of so many or more (or so few, for a drop), the stream left out of account."""
    return_days: Floats
    drop: Bools
    """Whether the rarer side is the low one."""
    learning: Bools
    platform_ratio: float | None
    platform_rise: Floats
    """For each series by what factor the rest of the stream is above its expectation, beyond chance."""
    alone_days: Floats
    """Return period with the stream left out of account; where only this is long, the state is `macro`."""
    surprise: Floats
    """Log probabilities of the two sides before recalibration, shape (2, …): what teaches the tail."""
    edges: tuple[Floats, Floats] | None = None
    """The band, where it is not that of counts."""

    @cached_property
    def band(self) -> tuple[Floats, Floats]:
        """The central 95 % of the predictive distribution."""
        if self.edges is not None:
            return self.edges
        mean, extra, d = (array.ravel() for array in (self.expected, self.extra, self.dispersion))
        # Both ends at once: for few series the calls cost more than the numbers.
        ends = quantile(np.repeat((0.025, 0.975), len(mean)), np.tile(mean / d, 2), np.tile(extra, 2)) * np.tile(d, 2)
        lower, upper = ends.reshape(2, *self.expected.shape)
        return lower, upper

    @property
    def lower(self) -> Floats:
        """Lower end of the band; made when first asked for."""
        return self.band[0]

    @property
    def upper(self) -> Floats:
        """Upper end of the band."""
        return self.band[1]


def _kernel() -> Any:
    """The compiled loops: for the few series of a home they take a hundredth of the time of their plain twins."""
    from groundswell.kernels import counting  # noqa: PLC0415 - loads Numba

    return counting


def forecast(
    detector: Detector,
    start_us: int,
    params: WatchParams,
    free: Bools | None = None,
    constants: Constants = CONSTANTS,
) -> Forecast:
    """What is expected of the window that starts at `start_us`; see `Forecast`.

    `free` says for each series whether the window lies on a public holiday, as `holidays.Calendar.free` gives it.
    """
    out = np.empty((4, len(detector)))
    holidays, loop = _NO_HOLIDAYS if free is None else free, _kernel().forecast_rows
    core, posts, windows = detector.core, detector.bin_posts.T, detector.bin_windows.T

    def part(begin: int, end: int) -> None:
        loop(core, posts, windows, start_us, params.window_us, holidays, constants, out, begin, end)

    _in_parts(part, len(detector))
    return out


def _in_parts(part: Callable[[int, int], None], series: int) -> None:
    """Do all series, half of them in another thread where they are many: the loops hold no lock."""
    if series < WORTH_A_THREAD:
        part(0, series)
        return
    other = _helper().submit(part, series // 2, series)
    part(0, series // 2)
    other.result()


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="detector")


def score(
    detector: Detector,
    counts: Floats,
    start_us: int,
    params: WatchParams,
    known: Forecast | None = None,
    exposure: tuple[Floats, Floats] | None = None,
    constants: Constants = CONSTANTS,
) -> Scores:
    """How unusual the counts of the window that starts at `start_us` are. Learns nothing.

    `known` is the window's `forecast`, where the caller has it already. `exposure` is what was seen and what was
    expected of the platforms that each series lives on, shape (series,) each; null: of the whole stream.
    """
    known = forecast(detector, start_us, params, constants=constants) if known is None else known
    around = np.empty((2, len(counts)))
    around[0], around[1] = (counts[0], known[0, 0]) if exposure is None else exposure
    out = np.empty((at.SAID, len(counts)))
    days, looked, loop = params.window_us / DAY, params.drop_expected, _kernel().score_rows
    ahead = known

    def part(begin: int, end: int) -> None:
        loop(detector.core, counts, ahead, around, days, looked, constants, out, begin, end)

    _in_parts(part, len(counts))
    stream_known = _stream_known(detector, params, constants)
    learning = (detector.seen * params.window_us < constants.known_series) | (not stream_known)
    ratio = float(counts[0] / known[0, 0]) if stream_known else None
    return _scores(known, out, learning, ratio)


def _stream_known(detector: Detector, params: WatchParams, constants: Constants) -> bool:
    return bool(detector.seen[0] >= max(constants.known_stream / params.window_us, constants.known_windows))


def _scores(known: Floats, out: Floats, learning: Bools, ratio: float | None) -> Scores:
    """`known` and `out` with their rows first."""
    return Scores(
        expected=known[0],
        extra=known[1],
        dispersion=known[3],
        p_burst=out[at.P_BURST],
        p_drop=out[at.P_DROP],
        p_alone=out[at.P_ALONE],
        return_days=out[at.RETURN_DAYS],
        drop=out[at.IS_DROP] > 0,
        learning=learning,
        platform_ratio=ratio,
        platform_rise=out[at.RISE],
        alone_days=out[at.ALONE_DAYS],
        surprise=out[at.LOG_HIGH : at.LOG_LOW + 1],
    )


def learn(  # noqa: PLR0913, PLR0917 - all that a caller may have already
    detector: Detector,
    counts: Floats,
    start_us: int,
    params: WatchParams,
    taught: Bools,
    known: Forecast | None = None,
    scores: Scores | None = None,
    free: Bools | None = None,
    constants: Constants = CONSTANTS,
) -> None:
    """Let the window teach the series in `taught`. Changes `detector`. `known` and `free` as before.

    `scores` are the window's, where the caller has them already.
    """
    known = forecast(detector, start_us, params, free, constants) if known is None else known
    scores = score(detector, counts, start_us, params, known, constants=constants) if scores is None else scores
    core, posts, windows = detector.core, detector.bin_posts.T, detector.bin_windows.T
    kernel, ahead, logs = _kernel(), known, scores.surprise
    holidays, looked = _NO_HOLIDAYS if free is None else free, params.drop_expected
    # Before any row learns, the stream's too: the halves may be done in any order.
    stream = kernel.stream_of(core, posts, windows, params.window_us, constants)
    context = (start_us, params.window_us, holidays, taught, ahead, logs, looked, constants, stream)

    def part(begin: int, end: int) -> None:
        kernel.learn_rows(core, posts, windows, counts, *context, begin, end)

    _in_parts(part, len(detector))


def run(
    detector: Detector,
    counts: Floats,
    starts_us: Ints | Sequence[int],
    params: WatchParams,
    taught: Bools | None = None,
    free: Bools | None = None,
    exposure: Floats | None = None,
    constants: Constants = CONSTANTS,
) -> Scores:
    """Forecast, score and learn window after window, as the single calls do; changes `detector`.

    `counts` and `taught` (null: all) have shape (windows, series), `free` (windows, 3, series), `exposure` (windows, 2,
    series; null: the whole stream). What comes back has shape (windows, series); its `platform_ratio` is null.
    """
    windows, series = counts.shape
    starts = np.asarray(starts_us, dtype=np.int64)
    known, out = np.empty((windows, 4, series)), np.empty((windows, at.SAID, series))
    learning = np.empty((windows, series), dtype=np.bool_)
    _kernel().run_windows(
        detector.core,
        detector.bin_posts.T,
        detector.bin_windows.T,
        np.ascontiguousarray(counts, dtype=np.float64),
        starts,
        params.window_us,
        np.zeros((windows, 3, 0), dtype=np.bool_) if free is None else free,
        np.ones(counts.shape, dtype=np.bool_) if taught is None else taught,
        np.zeros((0, 2, series)) if exposure is None else np.ascontiguousarray(exposure, dtype=np.float64),
        params.drop_expected,
        constants,
        known,
        out,
        learning,
    )
    return _scores(known.transpose(1, 0, 2), out.transpose(1, 0, 2), learning, None)


def warm() -> None:
    """Run every loop once on arrays as they will come, so that all are compiled or read from the cache."""
    detector, counts, params = Detector.empty(2), np.zeros((1, 2)), WatchParams()
    learn(detector, counts[0], 0, params, np.ones(2, dtype=np.bool_))
    run(detector, counts, [0], params)
