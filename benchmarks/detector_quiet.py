"""False alerts per promise and detection delay: Groundswell's detector beside the usual rules, same series.

Quiet series (Poisson and negative binomial, with a day and a week) over some weeks of 5-minute windows: how
many alerts open per series and promise (30 days); 1.0 is what was promised. Then the same series with bursts
of 3 times the volume for 15 minutes: which part is found while it lasts, and after how many windows.

    python benchmarks/detector_quiet.py [--series 100] [--days 44] [--seed 1]

The peers: mean + 2.5 standard deviations of the last day, and an exponentially weighted mean with 3 of its
own standard deviations (both the rules of common dashboards).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from groundswell.testing.counts import PER_DAY, quiet_counts
from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.detector import Detector, learn, score

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PARAMS = WatchParams()
WARM_DAYS = 14
PROMISE = 30.0
BURST = 3
START = 20_003 * DAY  # a Monday


@dataclass(frozen=True)
class Kind:
    """One kind of quiet series: posts per window on average, and the size of the negative binomial."""

    rate: float
    size: float | None

    def __str__(self) -> str:
        return f"{'Poisson' if self.size is None else f'NB k={self.size:g}'} {self.rate:g}"


def with_bursts(counts: Floats, rng: np.random.Generator) -> tuple[Floats, list[tuple[int, int]]]:
    """The counts with one burst of `BURST` windows a series, and where (window, series from 0) they begin."""
    changed = counts.copy()
    series = counts.shape[1] - 1
    begins = rng.integers(WARM_DAYS * PER_DAY, len(counts) - BURST - 1, series)
    for number, begin in enumerate(begins.tolist()):
        rows = slice(begin, begin + BURST)
        more = changed[rows, number + 1] + rng.poisson(2 * _usual(counts, begin, number + 1), BURST)
        changed[rows, 0] += more - changed[rows, number + 1]
        changed[rows, number + 1] = more
    return changed, list(enumerate(begins.tolist()))


def _usual(counts: Floats, window: int, column: int) -> float:
    """What the series usually has at that time: the same time of the days around, averaged."""
    around = np.concatenate([np.arange(window - d * PER_DAY - 6, window - d * PER_DAY + 9) for d in range(1, 12)])
    return float(counts[around, column].mean())


def groundswell(counts: Floats) -> Bools:
    """Which windows are rarer than the promise allows, by series."""
    detector = Detector.empty(counts.shape[1])
    taught = np.ones(counts.shape[1], dtype=np.bool_)
    found = np.zeros(counts.shape, dtype=np.bool_)
    for number, row in enumerate(counts):
        start = START + number * PARAMS.window_us
        if number >= WARM_DAYS * PER_DAY:
            scores = score(detector, row, start, PARAMS)
            enough = np.abs(row - scores.expected) >= PARAMS.min_excess
            found[number] = (scores.return_days >= PROMISE) & ~scores.learning & enough
        learn(detector, row, start, PARAMS, taught)
    return found[:, 1:]


def mean_and_deviations(counts: Floats) -> Bools:
    """More than the mean and 2.5 standard deviations of the last day."""
    sums = np.vstack((np.zeros(counts.shape[1]), np.cumsum(counts, axis=0)))
    squares = np.vstack((np.zeros(counts.shape[1]), np.cumsum(counts**2, axis=0)))
    mean = (sums[PER_DAY:-1] - sums[: -PER_DAY - 1]) / PER_DAY
    deviation = np.sqrt(np.maximum((squares[PER_DAY:-1] - squares[: -PER_DAY - 1]) / PER_DAY - mean**2, 0))
    found = np.zeros(counts.shape, dtype=np.bool_)
    found[PER_DAY:] = counts[PER_DAY:] > mean + 2.5 * deviation
    found[: WARM_DAYS * PER_DAY] = False
    return found[:, 1:]


def ewma(counts: Floats, weight: float = 0.05) -> Bools:
    """More than an exponentially weighted mean and three of its own standard deviations."""
    mean, variance = counts[0].copy(), np.ones(counts.shape[1])
    found = np.zeros(counts.shape, dtype=np.bool_)
    for number, row in enumerate(counts):
        found[number] = (row > mean + 3 * np.sqrt(variance)) & (number >= WARM_DAYS * PER_DAY)
        off = row - mean
        mean = mean + weight * off
        variance = (1 - weight) * (variance + weight * off**2)
    return found[:, 1:]


RULES: dict[str, Callable[[Floats], Bools]] = {
    "groundswell": groundswell,
    "mean + 2.5 sd": mean_and_deviations,
    "EWMA + 3 sd": ewma,
}


def alerts_per_promise(found: Bools) -> float:
    """Alerts opened per series in the length of the promise; windows in a row are one alert."""
    opened = found & ~np.vstack((np.zeros(found.shape[1], dtype=np.bool_), found[:-1]))
    days = len(found) / PER_DAY - WARM_DAYS
    return float(opened.sum() / found.shape[1] / days * PROMISE)


def delays(found: Bools, bursts: list[tuple[int, int]]) -> list[int]:
    """Windows from the burst's begin to its alert (1: its first window), for those found."""
    out = []
    for series, begin in bursts:
        hits = np.flatnonzero(found[begin : begin + BURST, series])
        if len(hits):
            out.append(int(hits[0]) + 1)
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--days", type=int, default=44)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.series} series of each kind, {options.days - WARM_DAYS} days after {WARM_DAYS} of warm-up")
    print(f"{'series':<14}{'rule':<16}{'alerts/promise':>15}{'found':>8}{'in 2':>7}{'delay':>7}{'s':>7}")
    kinds = [Kind(rate, size) for size in (None, 20.0) for rate in (0.05, 1.0, 10.0, 100.0, 1000.0)]
    for kind in kinds:
        rng = np.random.default_rng([options.seed, round(kind.rate * 100), int(kind.size or 0)])
        quiet = quiet_counts(kind.rate, kind.size, options.series, options.days, rng)
        loud, bursts = with_bursts(quiet, rng)
        for name, rule in RULES.items():
            started = time.perf_counter()
            false = alerts_per_promise(rule(quiet))
            seconds = time.perf_counter() - started
            found = delays(rule(loud), bursts)
            early = sum(delay <= 2 for delay in found) / len(bursts)
            middle = f"{np.median(found):.0f}" if found else "-"
            print(
                f"{kind!s:<14}{name:<16}{false:>15.2f}{len(found) / len(bursts):>8.0%}{early:>7.0%}"
                f"{middle:>7}{seconds:>7.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
