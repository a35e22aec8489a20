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
from groundswell.watch.detector import Detector, score

Floats = npt.NDArray[np.float64]


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


def capture(detector: Detector, row: int, counts: Floats, start_us: int, window_us: int) -> Tail:
    """Keep what decides how rare a count of series `row` is in the window that starts at `start_us`.

    To be called before `learn`; `counts` are those of all rows.
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
    return Tail(start_us, window_us, float(counts[0]), float(counts[row]), arrays, single)


def return_days(tail: Tail, counts: Sequence[float], params: WatchParams) -> list[float] | None:
    """How rare each of the counts would have been: return periods in days; null if another kernel kept the rows.

    The rest of the stream is taken as it was: what is left out of the tracker is left out of the stream too.
    """
    detector = _detector(tail)
    if detector is None:
        return None
    params = params.at(tail.window_us)
    out = []
    for count in counts:
        values = np.array([tail.stream - tail.count + count, count])
        out.append(float(score(detector, values, tail.start_us, params).return_days[1]))
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
