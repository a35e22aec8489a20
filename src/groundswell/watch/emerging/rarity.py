"""How rare a rise is: a score for each term, and how often the whole stream has such scores.

A score of a known term is the nominal rate of its count under its negative binomial, as -log10 of times a day. Nominal
is not true: words clump in ways that no one term has shown yet. So the scores of all terms together are looked at: how
many an hour pass a mark, and how far (an exponential tail beyond it, as in peaks over threshold; Coles, *An
Introduction to Statistical Modeling of Extreme Values*, ch. 4). That gives how long the stream goes without such a
thing. Scores are taken in three classes, for their tails differ: terms hardly ever met before, rare ones, and usual
ones. A new term has no level, so its score is the logarithm of its authors, whose tail is then a power law, as word
frequencies have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.emerging.candidates import Candidates
from groundswell.watch.emerging.levels import LEAST, share, variation
from groundswell.watch.tails import burst_tail

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEW, RARE, USUAL = range(3)
CLASSES: Final = 3
#: Fewer posts than this until an hour ago: new.
_NEW: Final = 3.0
#: A new term with so many authors in an hour has the score 0, or with so many times of what could be expected at most.
_NEW_AUTHORS: Final = 5.0
_NEW_TIMES: Final = 3.0
#: Fewer expected in an hour: rare.
_RARE: Final = 5.0
#: From these scores on, the tail of each class is looked at.
MARKS: Final = np.array([0.0, 2.0, 2.0])
#: Before anything is known: mean excess beyond the mark (a new term's authors have a tail with exponent 1.5), …
_PRIOR_EXCESS: Final = np.array([1 / 1.5, 0.65, 0.65])
#: … worth so many scores; …
_PRIOR_COUNT: Final = 20.0
#: … and how many new terms a day reach the mark where the stream has 1,000 posts an hour (more by the root of more),
#: for half a day. Those of known ones are their nominal rate.
_PRIOR_NEW: Final = 2.0
_PRIOR_DAYS: Final = 0.5
#: A single score teaches the tail at most so many mean excesses.
_CLIP: Final = 4.0
_HALF_LIFE_DAYS: Final = 7.0
#: A score is that of the likeliest of so many windows that are looked at.
_SIZES: Final = 4
LONGEST: Final = 3_650.0
_LEAST_P: Final = 1e-250


@dataclass
class Tails:
    """What scores beyond the mark the stream has had, by class; discounted sums."""

    count: Floats = field(default_factory=lambda: np.zeros(CLASSES))
    excess: Floats = field(default_factory=lambda: np.zeros(CLASSES))
    days: float = 0.0

    def return_days(self, scores: Floats, classes: Ints, terms: int, stream: float) -> Floats:
        """Days until a score as high comes again, anywhere in the stream.

        `terms` is how many are followed, `stream` the posts of the last hour.
        """
        nominal = np.array([_PRIOR_NEW * math.sqrt(stream / 1000), *(terms * 10.0 ** -MARKS[1:])])
        rate = (self.count + _PRIOR_DAYS * nominal) / (self.days + _PRIOR_DAYS)
        beyond = scores - MARKS[classes]
        # Below the mark the nominal rate is taken for true.
        beyond = np.where(beyond < 0, beyond * math.log(10), beyond / self.mean_excess()[classes])
        # The three classes are looked at side by side.
        days: Floats = np.exp(np.minimum(beyond, 600.0)) / (CLASSES * np.maximum(rate[classes], 1e-9))
        return np.minimum(days, LONGEST)

    def mean_excess(self) -> Floats:
        """Mean of the scores' excess over the mark, by class."""
        mean: Floats = (self.excess + _PRIOR_COUNT * _PRIOR_EXCESS) / (self.count + _PRIOR_COUNT)
        return mean

    def learn(self, peaks: Floats, classes: Ints, length_us: int) -> None:
        """Learn the greatest scores of so long a time."""
        days = length_us / 86_400e6
        keep = 2.0 ** (-days / _HALF_LIFE_DAYS)
        most = _CLIP * self.mean_excess()
        beyond = peaks - MARKS[classes]
        passed = beyond > 0
        size = np.minimum(beyond, most[classes])[passed]
        self.count = keep * self.count + np.bincount(classes[passed], minlength=CLASSES)
        self.excess = keep * self.excess + np.bincount(classes[passed], weights=size, minlength=CLASSES)
        self.days = keep * self.days + days


@dataclass(frozen=True)
class Look:
    """What is seen of some terms in one closed window; arrays with one row a term."""

    rows: Ints
    observed: Ints
    """Distinct authors in the window in which it is rarest …"""
    expected: Floats
    window_us: Ints
    """… and how long that is."""
    authors: Ints
    """Distinct authors of up to an hour, at most those of its windows summed."""
    score: Floats
    classes: Ints


def look(terms: Candidates, rows: Ints, sizes: list[tuple[int, Ints, float]], hour: Ints, stream: float) -> Look:
    """Score the terms `rows`.

    `sizes`: length in microseconds, authors of each of `rows` in that window, and the stream's posts in it. `hour`:
    authors of each of `rows` in the last hour as far as it is counted, `stream` its posts.
    """
    distinct = terms.authors(rows)
    posts, exposure = terms.posts[rows], terms.exposure[rows]
    level = share(posts, exposure)
    extra = variation(posts, terms.spread_sum[rows], terms.spread_weight[rows])
    best = np.full(len(rows), -np.inf)
    observed, expected = np.zeros(len(rows), np.int64), np.zeros(len(rows))
    window = np.zeros(len(rows), np.int64)
    for length, counts, all_posts in sizes:
        # One account's copies count once: never more than the distinct authors of the hour.
        value = np.minimum(counts, distinct)
        mean = level * all_posts
        chance = np.maximum(burst_tail(value.astype(np.float64), mean, extra), _LEAST_P)
        score = -np.log10(chance * _SIZES * (86_400e6 / length))
        score[value < LEAST] = -np.inf
        better = score > best
        best[better] = score[better]
        observed[better], expected[better], window[better] = value[better], mean[better], length
    authors = np.minimum(hour, distinct)
    classes = np.where(posts < _NEW, NEW, np.where(level * stream < _RARE, RARE, USUAL))
    # At most about so many were to be expected in an hour (95 %), by the few posts there were: gamma quantiles.
    upper = (2.0 + 1.75 * posts) / (exposure + 1.0) * stream
    reference = np.maximum(_NEW_AUTHORS, _NEW_TIMES * upper)
    best = np.where(classes == NEW, np.log(np.maximum(authors, 1) / reference), best)
    return Look(rows, observed, expected, window, authors, best, classes)
