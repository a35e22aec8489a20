"""A table of the normal distribution between -2 and 2, where most windows lie: no tail is computed there."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

#: Windows closer than this to what was expected, in standard deviations, are usual: at least one in 44 is as far.
USUAL: Final = 2.0
#: A smaller mean is too discrete for a normal deviate.
LEAST_MEAN: Final = 3.0
#: Below it counts up to this are summed one by one; they are usual where at least one in 40 windows has so many.
MOST_SMALL: Final = 8.0
LEAST_SMALL: Final = 0.025
#: Below this extra variation the distribution is Poisson to six digits.
LEAST_EXTRA: Final = 1e-7
PER_UNIT: Final = 400
GRID: Final = np.linspace(-USUAL, USUAL, round(2 * USUAL * PER_UNIT) + 1)
#: Probability of more than a deviate of `GRID`.
ABOVE: Final = np.array([0.5 * math.erfc(z / math.sqrt(2)) for z in GRID.tolist()])
#: What stands for the log probability of a usual window: it teaches the tail nothing.
NO_SURPRISE: Final = -1.0
