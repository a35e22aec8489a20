"""How sure a rise is: the ratio of two rates from small counts, shrunk, with its interval.

The model. A key (a hashtag, a sound, …) is used by `n` of `N` voices in the last window and by `m` of `M` in the
windows before, with rates `a` and `b`. Counts are Poisson: n ~ Poisson(a·N), m ~ Poisson(b·M). Both rates have the
same gamma prior with mean r = (n + m)/(N + M), the pooled rate, and the weight of `PRIOR` voices: shape s = PRIOR,
rate s/r. Their posteriors are Gamma(s + n, s/r + N) and Gamma(s + m, s/r + M), so that

    (a/b) · ((s/r + N)/(s + n)) / ((s/r + M)/(s + m))  ~  F(2(s + n), 2(s + m)).

The quantiles of F give the change (median), its interval (2.5 % to 97.5 %) and the probability that it rose at all.
With few voices the prior pulls the ratio to 1; a key never seen before gets a finite ratio.

Sources: the shrinkage of a Poisson ratio by a gamma prior is DuMouchel, "Bayesian data mining in large frequency
tables", The American Statistician 53 (1999); the F distribution of a ratio of gamma variables is in Johnson, Kotz
and Balakrishnan, "Continuous Univariate Distributions 2", ch. 27.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

#: Weight of the prior, voices. With one, a key of two voices now and none before is not yet sure to have risen.
PRIOR: Final = 1.0
#: Probability that the interval covers.
COVERAGE: Final = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """Ratio of the rate now to the rate before, for each key; arrays of one length, float64."""

    ratio: Floats
    """Posterior median."""

    lower: Floats
    upper: Floats
    sure: Floats
    """Posterior probability that the ratio is above 1."""


def rate_change(now: npt.ArrayLike, before: npt.ArrayLike, total_now: float, total_before: float) -> Change:
    """Change of each key's rate from counts `now` of `total_now` and `before` of `total_before` voices.

    Pure and vectorised. Every key needs now + before > 0, and both totals must be above 0.

    >>> change = rate_change([30], [10], 100, 700)
    >>> bool(change.lower[0] > 8 and change.ratio[0] < 21 and change.sure[0] > 0.999)
    True
    """
    n = np.asarray(now, np.float64)
    m = np.asarray(before, np.float64)
    prior_exposure = PRIOR * (total_now + total_before) / (n + m)
    scale = ((PRIOR + n) / (prior_exposure + total_now)) / ((PRIOR + m) / (prior_exposure + total_before))
    numerator, denominator = 2 * (PRIOR + n), 2 * (PRIOR + m)
    tail = (1 - COVERAGE) / 2
    return Change(
        ratio=scale * special.fdtri(numerator, denominator, 0.5),
        lower=scale * special.fdtri(numerator, denominator, tail),
        upper=scale * special.fdtri(numerator, denominator, 1 - tail),
        sure=np.asarray(special.fdtrc(numerator, denominator, 1 / scale), np.float64),
    )
