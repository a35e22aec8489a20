"""Windows that overlap: a burst does not begin with the clock, so larger windows are scored more often than they teach.

A window of a size ends with the clock, and teaches its detector. Besides, each time that a window of the next smaller
size ends, the last ones of these together are scored as one window of the larger size: a *running* window. It teaches
nothing, is no point of the series, and ends no episode; it may open one, and join one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: What a further size of window spends of a promise, against the first one, for each time that it is scored while it
#: lasts. Measured on quiet series: all hold the same posts, and the distribution is wide while a series is young.
SPENT_BY_SCORE: Final = 0.15


def slide_of(window_us: int, sizes: Sequence[int]) -> int:
    """How often windows of a size are scored: the largest smaller size that it is a multiple of, else its own.

    `sizes` ascend.

    >>> [slide_of(size, (1, 5, 15, 60)) for size in (1, 5, 15, 60)]
    [1, 1, 5, 15]
    """
    return next((size for size in reversed(sizes) if size < window_us and window_us % size == 0), window_us)


def spent_by(sizes: Sequence[int]) -> float:
    """What windows of these sizes, ascending, spend of a promise together, against those of the smallest alone.

    >>> spent_by((5,)), round(spent_by((1, 5, 15, 60)), 2)
    (1.0, 2.8)
    """
    return 1.0 + SPENT_BY_SCORE * sum(size // slide_of(size, sizes) for size in sizes[1:])


def running_sums(counts: Floats, parts: int, slide: int) -> tuple[Floats, Ints, Bools]:
    """Sums of `parts` rows of `counts` (rows, series) every `slide` rows; the row after each, and which teach.

    Rows are counted from the clock: those that teach begin with a multiple of `parts`.
    """
    reached = np.concatenate((np.zeros((1, counts.shape[1])), np.cumsum(counts, axis=0)))
    ends = np.arange(parts, len(counts) + 1, slide, dtype=np.int64)
    return reached[ends] - reached[ends - parts], ends, ends % parts == 0
