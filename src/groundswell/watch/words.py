"""Words that came with an episode: over-represented against the tracker's own past.

Log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, *Fightin' Words*, eq. 15,
16, 22): rare words do not win by chance, frequent ones not by size.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from groundswell.text.function_words import FUNCTION_WORDS

#: What the prior is worth, in words.
PRIOR_WORDS: Final = 500.0
LEAST_Z: Final = 1.96
LEAST_POSTS: Final = 3
#: With fewer posts of the past there is nothing to compare with.
LEAST_PAST: Final = 20.0


def log_odds(now: float, now_all: float, past: float, past_all: float) -> tuple[float, float]:
    """Log-odds ratio of a word and its z-score.

    >>> [round(value, 2) for value in log_odds(30, 300, 10, 3000)]
    [2.33, 7.75]
    """
    prior = PRIOR_WORDS * (now + past) / (now_all + past_all)
    odds = math.log((now + prior) / (now_all + PRIOR_WORDS - now - prior))
    odds -= math.log((past + prior) / (past_all + PRIOR_WORDS - past - prior))
    return odds, odds / math.sqrt(1 / (now + prior) + 1 / (past + prior))


def characteristic_words(
    now: Counter[str],
    past: Mapping[str, float],
    past_posts: float,
    left_out: frozenset[str],
    limit: int = 12,
    past_words: float | None = None,
) -> list[dict[str, Any]]:
    """The words that set the episode apart: `word`, `posts`, `log_odds`, `z`, the surest first.

    `now` counts the episode's posts by word, `past` those of the past; `left_out` are the query's own;
    function words say nothing of a topic and are left out too. `past_words` is how many words the past has in all,
    where `past` has not all of them.
    """
    if past_posts < LEAST_PAST:
        return []
    now_all = float(sum(now.values()))
    past_all = float(sum(past.values())) if past_words is None else past_words
    found: list[dict[str, Any]] = []
    for word, posts in now.items():
        if posts < LEAST_POSTS or word in left_out or word in FUNCTION_WORDS or (len(word) == 1 and word.isascii()):
            continue
        odds, z = log_odds(posts, now_all, past.get(word, 0.0), past_all)
        if z >= LEAST_Z:
            found.append({"word": word, "posts": posts, "log_odds": round(odds, 4), "z": round(z, 3)})
    return sorted(found, key=lambda row: (-row["z"], row["word"]))[:limit]
