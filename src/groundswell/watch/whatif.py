"""What the detector would have said of another count in the same window.

The detector's rows of the stream and of the tracker, as they were before the window taught them anything, are kept
with the alert. Other counts are scored by them with the very kernel that scored the window.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import WatchParams
from groundswell.watch.detector import Detector, forecast, score

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Tail(msgspec.Struct, frozen=True):
    """Two rows of a detector before a window: that of the whole stream and that of one series."""

    start_us: int
    window_us: int
    stream: float
    """Count of the whole stream in the window."""
    count: float
    """Count of the series."""
    arrays: dict[str, tuple[list[int], bytes]]
    """Each array by its name: shape and little-endian doubles."""
    single: dict[str, int | float]
    """What the detector knows besides."""
    around: tuple[float, float] | None = None
    """What was seen and what was expected of the platforms that the series lives on; null: of the whole stream."""
    free: tuple[bool, bool, bool] | None = None
    """Whether the series was on a public holiday, as `holidays.Calendar.free`; null: no holidays are known."""


def capture(
    detector: Detector,
    row: int,
    counts: Floats,
    start_us: int,
    window_us: int,
    around: tuple[Floats, Floats] | None = None,
    free: Bools | None = None,
) -> Tail:
    """Keep what decides how rare a count of series `row` is in the window that starts at `start_us`.

    To be called before `learn`; `counts` are those of all rows, and so are `around` (as the `exposure` of `score`) and
    `free` (as that of `forecast`).
    """
    pair = detector.rows(np.array([0, row], dtype=np.int64))
    arrays: dict[str, tuple[list[int], bytes]] = {}
    single: dict[str, int | float] = {}
    for field in dataclasses.fields(pair):
        value = getattr(pair, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = (list(value.shape), value.astype("<f8").tobytes())
        else:
            # Not that of the new rows: it says of when what was taken over is.
            single[field.name] = getattr(detector, field.name)
    near = None if around is None else (float(around[0][row]), float(around[1][row]))
    away = None if free is None or not free.shape[1] else (bool(free[0, row]), bool(free[1, row]), bool(free[2, row]))
    return Tail(start_us, window_us, float(counts[0]), float(counts[row]), arrays, single, near, away)


def return_days(tail: Tail, counts: Sequence[float], params: WatchParams) -> list[float] | None:
    """How rare each of the counts would have been: return periods in days; null if another kernel kept the rows.

    The rest of the stream is taken as it was: what is left out of the tracker is left out of the stream and of the
    tracker's platforms too.
    """
    detector = _detector(tail)
    if detector is None:
        return None
    params = params.at(tail.window_us)
    # The stream as a whole has no holidays.
    free = None if tail.free is None else np.array([(False, one) for one in tail.free])
    known = forecast(detector, tail.start_us, params, free)
    out = []
    for count in counts:
        stream = tail.stream - tail.count + count
        exposure = None
        if tail.around is not None:
            seen, expected = tail.around
            exposure = (np.array([stream, max(seen - tail.count + count, 0.0)]), np.array([known[0, 0], expected]))
        said = score(detector, np.array([stream, count]), tail.start_us, params, known, exposure)
        out.append(float(said.return_days[1]))
    return out


def _detector(tail: Tail) -> Detector | None:
    fresh = Detector.empty(2)
    values: dict[str, Any] = dict(tail.single)
    for field in dataclasses.fields(fresh):
        known = getattr(fresh, field.name)
        if isinstance(known, np.ndarray):
            shape, data = tail.arrays.get(field.name, ([], b""))
            if shape != list(known.shape):
                return None
            values[field.name] = np.frombuffer(data, dtype="<f8").astype(known.dtype).reshape(shape)
    if values.keys() != {field.name for field in dataclasses.fields(fresh)}:
        return None
    return dataclasses.replace(fresh, **values)
