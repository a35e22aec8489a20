"""How fast a counter of one post grew, from its observations: pure functions of times and values.

Between two observations the counter is taken to grow monotonically, by the interpolation of Fritsch and Carlson
("Monotone Piecewise Cubic Interpolation", SIAM J. Numer. Anal. 17, 1980; `PchipInterpolator`): no value in between is
outside of its neighbours. A post begins with nothing: where its creation time is known, the counter is 0 then, which
shapes the curve. But nothing is said of a time that does not lie between two observations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

Floats = npt.NDArray[np.float64]

#: The age of a post at which counters are compared, hours.
AGE_H: Final = 24.0
_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Course:
    """A counter of one post over its age; made by `course_of`."""

    age_h: Floats
    """Ages at which it was seen, hours, ascending, each once; before them 0 if `born`."""

    value: Floats
    born: bool
    """Whether the creation time is known, so that the first value is 0 at age 0, which nobody observed."""

    fell: bool
    """Whether it was seen to fall (posts are cleaned of bots, likes are taken back)."""

    def at(self, age_h: float) -> float | None:
        """The counter at an age; null where it was not observed both before (or then) and after (or then)."""
        if self.why_not_at(age_h) is not None:
            return None
        return float(PchipInterpolator(self.age_h, self.value)(age_h))

    def half_life(self) -> float | None:
        """The age (hours) at which the counter reached half of its last value; null where that was not observed.

        Half of what was last seen, so that it is a lower bound while the post still grows.
        """
        if not self.born or len(self.age_h) < 3 or self.value[-1] <= 0:
            return None
        rising = np.maximum.accumulate(self.value)
        half = self.value[-1] / 2
        after = int(np.searchsorted(rising, half, side="left"))
        if after < 2:  # before the first observation
            return None
        curve = PchipInterpolator(self.age_h, rising)
        low, high = float(self.age_h[after - 1]), float(self.age_h[after])
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if float(curve(middle)) < half else (low, middle)
        return high

    def why_not_at(self, age_h: float) -> str | None:
        """Why `at` gives nothing; null if it gives a value."""
        if not self.born:
            return "the creation time is not known"
        if len(self.age_h) < 2:
            return "never observed with a time"
        if age_h < self.age_h[1]:
            return f"first observed at an age of {self.age_h[1]:.1f} h"
        if age_h > self.age_h[-1]:
            return f"last observed at an age of {self.age_h[-1]:.1f} h"
        return None


def course_of(observed_us: npt.ArrayLike, values: npt.ArrayLike, created_us: int | None) -> Course:
    """The course of a counter from observations (µs since 1970, NaN for a value that is not known), in any order.

    Of several at one time the last counts. An observation before the creation is left out.
    """
    moments = np.asarray(observed_us, np.int64)
    counts = np.asarray(values, np.float64)
    known = ~np.isnan(counts)
    if created_us is not None:
        known &= moments > created_us
    moments, counts = moments[known], counts[known]
    order = np.argsort(moments, kind="stable")
    moments, counts = moments[order], counts[order]
    last = np.append(moments[1:] != moments[:-1], True) if len(moments) else np.zeros(0, np.bool_)
    moments, counts = moments[last], counts[last]
    start = created_us if created_us is not None else (int(moments[0]) if len(moments) else 0)
    age = (moments - start) / _HOUR_US
    if created_us is not None and len(age):
        age, counts = np.insert(age, 0, 0.0), np.insert(counts, 0, 0.0)
    return Course(age, counts, created_us is not None, bool((np.diff(counts) < 0).any()))


def velocities(observed_us: npt.ArrayLike, values: npt.ArrayLike) -> Floats:
    """Growth per hour from the observation before, for each observation (ascending times); NaN where not known.

    >>> velocities([0, 3_600_000_000, 10_800_000_000], [10, 30, 50]).tolist()
    [nan, 20.0, 10.0]
    """
    moments = np.asarray(observed_us, np.float64)
    counts = np.asarray(values, np.float64)
    out: Floats = np.full(len(counts), np.nan)
    hours = np.diff(moments) / _HOUR_US
    np.divide(np.diff(counts), hours, out=out[1:], where=hours > 0)
    return out
