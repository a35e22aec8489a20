"""Simulated series: false alerts against the promise, and what is found of what was put in, beside the usual rules.

    python benchmarks/detect_simulated.py [--series 1000] [--days 60] [--seed 1] [--peers] [--events]

Quiet series have a day and a week; they are Poisson, negative binomial (k = 10) or negative binomial with a level
that drifts (10 % a day, a random walk), at 0.01 to 1,000 counts per 5-minute window. `alerts/promise` is how many
alerts open per series and promise (30 days) over the whole time, the learning included: at most 2, and at least 0.5
where five or more are expected. Series are counted in windows of 5, 15 and 60 minutes, which overlap; alerts open by
the watch's own episodes.

Then into the second half of series with 10 and more per window, at a time when at least 10 are expected: bursts
(three times the usual for 15 minutes), build-ups (up to three times over three hours), drops (to a tenth for an
hour); and into series without a single count a new word (8 a window for half an hour). `found`: an alert opens in
that time. `all known` is the ceiling for bursts: who knows the true mean and dispersion, with the same windows and
as many false alerts as promised.

The peers see the same series; windows in a row are one alert: mean + 2.5 standard deviations of the last day (the
rule of many dashboards); an exponentially weighted mean with 3 of its deviations; the idea of Twitter's S-H-ESD
(median of the time of day over two weeks, median absolute deviation, extreme Studentised deviate at 5 %, once a
day); STL of statsmodels (robust, 3 deviations of the remainder; it sees the whole series, the future too); and
river's PredictiveAnomalyDetection over its Holt-Winters with a day's season (3 deviations, a week of warm-up), where
river is installed. The last two are slow and get two series of each kind, of the events the bursts alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from groundswell.testing.counts import PER_DAY, quiet_counts, shape_of
from groundswell.watch.contract import DAY, MINUTE, WatchParams
from groundswell.watch.detector import Detector, run
from groundswell.watch.running import running_sums, slide_of, spent_by
from groundswell.watch.series import Sized, episodes

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PARAMS: Final = WatchParams()
STEP: Final = PARAMS.window_us
SIZES: Final = (5 * MINUTE, 15 * MINUTE, 60 * MINUTE)
PROMISE: Final = 30.0
START: Final = 20_003 * DAY  # a Monday
RATES: Final = (0.01, 0.1, 1.0, 5.0, 10.0, 100.0, 1000.0)
BATCH: Final = 50
#: By this the ceiling's windows must be rarer than promised, so that all of them together keep it (measured).
CEILING_SPENT: Final = 6.0


@dataclass(frozen=True)
class Kind:
    """One kind of quiet series."""

    rate: float
    size: float | None
    drift: float = 0.0

    def __str__(self) -> str:
        name = "Poisson" if self.size is None else "NB k=10" + (" drift" if self.drift else "")
        return f"{name} {self.rate:g}"

    def counts(self, series: int, days: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Counts of shape (windows, 1 + series), the whole stream first, and what was expected of each series."""
        shape = shape_of(days)
        if not self.drift:
            return quiet_counts(self.rate, self.size, series, days, rng), np.outer(shape, np.full(series, self.rate))
        walk = np.cumsum(rng.normal(0, self.drift / np.sqrt(PER_DAY), (len(shape), series)), axis=0)
        mean = self.rate * shape[:, None] * np.exp(walk - walk.mean(axis=0))
        counts = rng.poisson(mean * rng.gamma(self.size or 1e6, 1 / (self.size or 1e6), mean.shape)).astype(float)
        rest = rng.poisson(shape * 5_000).astype(float)
        return np.hstack(((rest + counts.sum(axis=1))[:, None], counts)), mean


def groundswell(counts: Floats) -> list[list[int]]:
    """The windows on which alerts open, by series."""
    sized = []
    for size in SIZES:
        sums, after, teaches = running_sums(counts, size // STEP, slide_of(size, SIZES) // STEP)
        starts = START + after * STEP - size
        taught = np.repeat(teaches[:, None], counts.shape[1], axis=1)
        scores = run(Detector.empty(counts.shape[1]), sums, starts, PARAMS.at(size), taught)
        sized.append((size, starts, sums, after - 1, teaches, scores))
    found = []
    names = ("expected", "return_days", "p_burst", "p_drop", "drop", "learning")
    for at in range(1, counts.shape[1]):
        mine = []
        for size, starts, sums, ends, teaches, scores in sized:
            columns: dict[str, Any] = {name: getattr(scores, name)[:, at : at + 1] for name in names}
            mine.append(Sized(size, starts, sums[:, at], ends, replace(scores, **columns), teaches))
        found.append([one.row for one in episodes(mine, PROMISE * spent_by(SIZES), PARAMS)])
    return found


def _openings(found: Bools) -> list[list[int]]:
    before = np.vstack((np.zeros(found.shape[1], dtype=np.bool_), found[:-1]))
    return [np.flatnonzero(column).tolist() for column in (found & ~before).T[1:]]


def mean_and_deviations(counts: Floats) -> list[list[int]]:
    """More than the mean and 2.5 standard deviations of the last day."""
    sums = np.vstack((np.zeros(counts.shape[1]), np.cumsum(counts, axis=0)))
    squares = np.vstack((np.zeros(counts.shape[1]), np.cumsum(counts**2, axis=0)))
    mean = (sums[PER_DAY:-1] - sums[: -PER_DAY - 1]) / PER_DAY
    deviation = np.sqrt(np.maximum((squares[PER_DAY:-1] - squares[: -PER_DAY - 1]) / PER_DAY - mean**2, 0))
    found = np.zeros(counts.shape, dtype=np.bool_)
    found[PER_DAY:] = counts[PER_DAY:] > mean + 2.5 * deviation
    return _openings(found)


def ewma(counts: Floats, weight: float = 0.05) -> list[list[int]]:
    """Farther from an exponentially weighted mean than three of its own standard deviations."""
    mean, variance = counts[0].copy(), np.ones(counts.shape[1])
    found = np.zeros(counts.shape, dtype=np.bool_)
    for number, row in enumerate(counts):
        off = row - mean
        found[number] = (np.abs(off) > 3 * np.sqrt(variance)) & (number >= PER_DAY)
        mean = mean + weight * off
        variance = (1 - weight) * (variance + weight * off**2)
    return _openings(found)


def seasonal_esd(counts: Floats, days: int = 14) -> list[list[int]]:
    """Twitter's idea: the last day's deviations from median season and median, against two weeks of them."""
    found = np.zeros(counts.shape, dtype=np.bool_)
    most = days * PER_DAY
    critical = stats.t.ppf(1 - 0.05 / (2 * most), most - 2)
    for end in range(most, len(counts) + 1, PER_DAY):
        block = counts[end - most : end].reshape(days, PER_DAY, -1)
        rest = block - np.median(block, axis=0)
        rest = rest - np.median(rest, axis=(0, 1))
        spread = 1.4826 * np.median(np.abs(rest), axis=(0, 1))
        found[end - PER_DAY : end] = np.abs(rest[-1]) > critical * np.maximum(spread, 1e-9)
    return _openings(found)


def stl(counts: Floats) -> list[list[int]]:
    """Remainder of statsmodels' STL farther than three robust deviations; two series only."""
    from statsmodels.tsa.seasonal import STL

    found = np.zeros((len(counts), 3), dtype=np.bool_)
    for at in (1, 2):
        rest = STL(counts[:, at], period=PER_DAY, robust=True).fit().resid
        found[:, at] = np.abs(rest) > 3 * 1.4826 * max(float(np.median(np.abs(rest))), 1e-9)
    return _openings(found)


def river_forecast(counts: Floats) -> list[list[int]]:
    """Farther from what river's Holt-Winters forecasts than its detector's threshold; two series only."""
    from river.anomaly import PredictiveAnomalyDetection
    from river.time_series import HoltWinters

    found = np.zeros((len(counts), 3), dtype=np.bool_)
    for at in (1, 2):
        model = HoltWinters(alpha=0.05, beta=0.001, gamma=0.1, seasonality=PER_DAY)
        detector = PredictiveAnomalyDetection(model, horizon=1, n_std=3.0, warmup_period=6 * PER_DAY)
        values = counts[:, at].tolist()
        for value in values[:PER_DAY]:
            model.learn_one(value)
        for number, value in enumerate(values[PER_DAY:], start=PER_DAY):
            found[number, at] = detector.score_one(None, value) >= 1
            detector.learn_one(None, value)
    return _openings(found)


Rule = Callable[[Floats], list[list[int]]]
#: Peers that are given two series of each kind.
SLOW: Final = ("statsmodels STL", "river Holt-Winters")
PEERS: Final[dict[str, Rule]] = {
    "mean + 2.5 sd": mean_and_deviations,
    "EWMA 3 sd": ewma,
    "S-H-ESD's idea": seasonal_esd,
    "statsmodels STL": stl,
    **({"river Holt-Winters": river_forecast} if find_spec("river") else {}),
}


@dataclass(frozen=True)
class Event:
    """What is put into a series: factors, window by window, and how long its alert may take."""

    name: str
    factors: tuple[float, ...]
    within: int


EVENTS: Final = (
    Event("burst x3, 15 min", (3.0,) * 3, 3),
    Event("build-up to x3, 3 h", tuple(np.linspace(1.0, 3.0, 36).tolist()), 36),
    Event("drop to 10 %, 1 h", (0.1,) * 12, 12),
)


def with_event(counts: Floats, mean: Floats, event: Event, rng: np.random.Generator) -> tuple[Floats, list[int]]:
    """The counts with one event a series, and where it begins; on weekdays, while at least 10 are expected.

    `mean` is what is expected at that time, of each series: a drifting one is tripled as it is then.
    """
    changed = counts.copy()
    begins = []
    for at in range(mean.shape[1]):
        while True:
            begin = int(rng.integers(len(counts) // 2, len(counts) - 60))
            if begin // PER_DAY % 7 < 5 and mean[begin, at] >= 10:
                break
        rows = slice(begin, begin + len(event.factors))
        factors, held = np.array(event.factors), changed[rows, at + 1]
        more = rng.poisson(np.maximum(factors - 1, 0) * mean[rows, at])
        new = np.where(factors >= 1, held + more, rng.binomial(held.astype(int), factors.clip(0, 1)))
        changed[rows, 0] += new - held
        changed[rows, at + 1] = new
        begins.append(begin)
    return changed, begins


def known_all(counts: Floats, mean: Floats, kind: Kind) -> list[list[int]]:
    """The ceiling: a detector that knows the true mean and dispersion, with the same windows and the same promise.

    How much rarer a single window must be is set so that it opens as many alerts on the quiet series as promised.
    """
    found: list[list[int]] = []
    rarity = np.full(mean.shape, np.inf)
    for size in SIZES:
        parts, slide = size // STEP, slide_of(size, SIZES) // STEP
        sums, ends, _ = running_sums(counts[:, 1:], parts, slide)
        usual, square = running_sums(mean, parts, slide)[0], running_sums(mean**2, parts, slide)[0]
        if kind.size is None:
            p = stats.poisson.sf(sums - 1, usual)
        else:
            k = kind.size * usual**2 / square
            p = stats.nbinom.sf(sums - 1, k, k / (k + usual))
        rarity[ends - 1] = np.minimum(rarity[ends - 1], p * DAY / size)
    for at in range(mean.shape[1]):
        rows, opened = np.flatnonzero(rarity[:, at] * PROMISE * CEILING_SPENT <= 1), []
        for number, row in enumerate(rows.tolist()):
            if not number or row - rows[number - 1] > 12:
                opened.append(row)
        found.append(opened)
    return found


def new_word(counts: Floats, rng: np.random.Generator) -> tuple[Floats, list[int]]:
    """Series without a count, into which a word comes: 8 a window for half an hour."""
    changed = counts.copy()
    changed[:, 1:] = 0
    begins = rng.integers(len(counts) // 2, len(counts) - 60, counts.shape[1] - 1).tolist()
    for at, begin in enumerate(begins, start=1):
        changed[begin : begin + 6, at] = rng.poisson(8, 6)
    return changed, begins


def told(openings: list[list[int]], begins: list[int], within: int) -> tuple[float, float]:
    """The part that was found, and the median delay in windows (1: the first one)."""
    delays = []
    for rows, begin in zip(openings, begins, strict=False):
        hits = [row - begin + 1 for row in rows if begin <= row < begin + within]
        if hits:
            delays.append(hits[0])
    tried = min(len(openings), len(begins))
    return len(delays) / max(tried, 1), float(np.median(delays)) if delays else float("nan")


def batches(kind: Kind, series: int, days: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """The series of a kind, some at a time."""
    for number in range(0, series, BATCH):
        key = [seed, round(kind.rate * 100), int(kind.size or 0), int(kind.drift * 100), number]
        yield kind.counts(min(BATCH, series - number), days, np.random.default_rng(key))


def quiet_table(kinds: list[Kind], each: int, options: argparse.Namespace, rules: dict[str, Rule]) -> None:
    """Print false alerts per promise."""
    print(f"{'quiet series':<20}{'rule':<18}{'series':>7}{'alerts/promise':>16}{'limits':>12}{'s':>8}")
    for kind in kinds:
        for name, rule in rules.items():
            began, opened, tried = time.perf_counter(), 0, 0
            for counts, _ in batches(
                kind, each if name == "groundswell" else min(each, BATCH), options.days, options.seed
            ):
                found = rule(counts)[: 2 if name in SLOW else None]
                opened += sum(map(len, found))
                tried += len(found)
            rate = opened / tried / options.days * PROMISE
            least = 0.5 if kind.rate >= 5 else 0.0
            verdict = ("kept" if least <= rate <= 2 else "BROKEN") if name == "groundswell" else ""
            seconds = time.perf_counter() - began
            print(f"{kind!s:<20}{name:<18}{tried:>7}{rate:>16.2f}{verdict:>12}{seconds:>8.1f}", flush=True)


def event_table(kinds: list[Kind], options: argparse.Namespace, rules: dict[str, Rule]) -> None:
    """Print what was found of what was put in."""
    print(f"\n{'event':<22}{'series':<20}{'rule':<18}{'found':>8}{'median delay':>14}")
    for event in EVENTS:
        for kind in (kind for kind in kinds if kind.rate >= 10):
            counts, mean = next(batches(kind, BATCH, options.days, options.seed))
            changed, begins = with_event(counts, mean, event, np.random.default_rng([options.seed, 7]))
            if event is EVENTS[0]:
                part, delay = told(known_all(changed, mean, kind), begins, event.within)
                print(f"{event.name:<22}{kind!s:<20}{'all known':<18}{part:>8.0%}{delay:>14.0f}", flush=True)
            for name, rule in rules.items():
                if name in SLOW and event is not EVENTS[0]:
                    continue
                found = rule(changed)[: 2 if name in SLOW else None]
                part, delay = told(found, begins, event.within)
                print(f"{event.name:<22}{kind!s:<20}{name:<18}{part:>8.0%}{delay:>14.0f}", flush=True)
    counts, _ = next(batches(Kind(0.01, None), BATCH, options.days, options.seed))
    changed, begins = new_word(counts, np.random.default_rng([options.seed, 8]))
    for name, rule in rules.items():
        if name not in SLOW:
            part, delay = told(rule(changed), begins, 6)
            print(f"{'new word, 8 a window':<22}{'nothing before':<20}{name:<18}{part:>8.0%}{delay:>14.0f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--events", action="store_true", help="only what is found of what was put in")
    options = parser.parse_args()
    kinds = [Kind(rate, size, drift) for size, drift in ((None, 0.0), (10.0, 0.0), (10.0, 0.1)) for rate in RATES]
    each = -(-options.series // len(kinds))
    rules: dict[str, Rule] = {"groundswell": groundswell, **(PEERS if options.peers else {})}
    if not options.events:
        quiet_table(kinds, each, options, rules)
    event_table(kinds, options, rules)


if __name__ == "__main__":
    main()
