"""How long one window of many series takes: forecast, score and learn, on one thread and on two.

    python benchmarks/detector_tick.py [--series 100000] [--windows 300]

The limit is 15 ms for 100,000 series on at most two cores. Rates of the series are spread evenly over 0.01 to 300 posts
a window on a log scale, so half of them have mostly zeros. Wall time is printed, and the processor time of all threads,
which a busy machine does not disturb.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from groundswell.watch import detector
from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.detector import Detector, forecast, learn, score

PARAMS = WatchParams()
START = 20_003 * DAY
LIMIT_MS = 15.0


def ticks(series: int, windows: int, threads: int) -> None:
    """Print the median and the best of the later half of the windows."""
    detector.WORTH_A_THREAD = 20_000 if threads > 1 else series + 1  # type: ignore[misc]  # one of the constants is what is measured
    rng = np.random.default_rng(1)
    rates = 10 ** rng.uniform(-2, 2.5, series)
    rates[0] = rates[1:].sum()
    counts = [rng.poisson(rates).astype(np.float64) for _ in range(20)]
    known, taught = Detector.empty(series), np.ones(series, dtype=np.bool_)
    taken = []
    for number in range(windows):
        row, start = counts[number % len(counts)], START + number * PARAMS.window_us
        wall, processor = time.perf_counter(), time.process_time()
        ahead = forecast(known, start, PARAMS)
        scores = score(known, row, start, PARAMS, ahead)
        learn(known, row, start, PARAMS, taught, ahead, scores)
        taken.append((time.perf_counter() - wall, time.process_time() - processor))
    late = np.array(taken[windows // 2 :]) * 1e3
    wall_ms, processor_ms = np.median(late, axis=0)
    best = late[:, 0].min()
    print(f"{threads:>7} {wall_ms:>16.1f} {best:>14.1f} {processor_ms:>14.1f} {best / LIMIT_MS:>13.2f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--windows", type=int, default=300)
    options = parser.parse_args()
    print(f"{options.series:,} series, a window each; limit {LIMIT_MS:g} ms")
    print(f"{'threads':>7} {'median, ms':>16} {'best, ms':>14} {'processor, ms':>14} {'best / limit':>13}")
    for threads in (1, 2):
        ticks(options.series, options.windows, threads)


if __name__ == "__main__":
    main()
