"""Columns of the detector's `core`: what is known of one series, as plain numbers; see `groundswell.watch.detector`."""

from __future__ import annotations

from typing import Final

SEEN: Final = 0
LEVEL_POSTS: Final = 1
LEVEL_WINDOWS: Final = 2
SPREAD_SUM: Final = 3
SPREAD_WEIGHT: Final = 4
SPREAD_VARIANCE: Final = 5
OUTSIDE: Final = 6
TOTAL_POSTS: Final = 7
TOTAL_WINDOWS: Final = 8
#: First column of the tail of bursts and of the tail of drops …
BURST: Final = 9
DROP: Final = 15
#: … and what stands where in each.
TAIL_WINDOWS: Final = 0
TAIL_CLUSTERS: Final = 1
TAIL_SUM: Final = 2
TAIL_SQUARE: Final = 3
TAIL_OPEN: Final = 4
TAIL_CALM: Final = 5

COLUMNS: Final = 21
DAYS: Final = 7
#: Hours of a week; bin = hour × 7 + day, so that the days of an hour lie beside each other.
BINS: Final = 168

#: Rows of what `score_rows` says.
P_BURST: Final = 0
P_DROP: Final = 1
P_ALONE: Final = 2
RETURN_DAYS: Final = 3
ALONE_DAYS: Final = 4
IS_DROP: Final = 5
RISE: Final = 6
LOG_HIGH: Final = 7
LOG_LOW: Final = 8
SAID: Final = 9

LEAST_P: Final = 1e-300
#: Days of the longest return period that is told.
LONGEST_RETURN: Final = 365_000.0
