"""Every number that the detector goes by, with its reason. Times are in microseconds.

One tuple, so that the compiled kernel takes it as it is and a benchmark can halve and double each of them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from groundswell.watch.contract import DAY, HOUR


class Constants(NamedTuple):
    """What the kernel goes by; `CONSTANTS` are the ones in use."""

    level_half_life: float = DAY
    """Memory of the level where posts are plenty: tomorrow is like today, last week is not."""
    level_longest: float = 14 * DAY
    level_posts: float = 150.0
    """A rare word's level rests on about this many posts (8 % standard error), if `level_longest` allows."""
    level_windows: float = 12.0
    """Fewest windows in the half-life of the level, where windows are long."""
    level_prior: float = 0.5
    """Posts that every series is taken to have had (Jeffreys' prior of a Poisson rate)."""
    level_clip: float = 3.0
    """A window teaches the level at most this many standard deviations …"""
    season_clip: float = 1.5
    """… and the season half of them: an hour of the week has few windows to be right again."""
    shift_after: float = 6 * HOUR
    """Outside its band for this long, a series has a new level …"""
    shift_forgets: float = 0.9
    """… and keeps this part of the old one a window."""

    season_half_life: float = 21 * DAY
    """Three weeks: each bin of the week is then met about four times within the memory."""
    season_prior: float = 30.0
    """Posts that the profile is worth to which a series' hours are shrunk: that of the whole stream."""
    season_young: float = 0.3
    """… but what is new about a week is believed: met for the first time, an hour teaches up to this part of what was
    expected, the second time half of that, and so on."""
    season_day_prior: float = 300.0
    """Posts that a day of the week is shrunk by to its kind of day: Tuesdays are like Wednesdays, and a burst on one
    Tuesday must not make the next one's band."""

    spread_half_life: float = 7 * DAY
    """Slow: a burst must not widen the band that it is judged by."""
    spread_clip: float = 6.0
    """A window teaches the spread at most this many standard deviations."""
    spread_prior: float = 0.05
    """Overdispersion of a series of which nothing is known: a rate that wobbles by 22 %. What is above it is taken for
    bursts, whose size does not follow the time of day (see `shaped`)."""
    spread_prior_weight: float = 400.0
    """What that is worth: about sixteen windows of 10 posts."""

    spread_rough: float = 0.01
    """Overdispersion that the weights reckon with: large counts tell more about it than small ones, up to here."""

    tail_from: float = 4.0
    """The tail begins where a window has a probability of exp(-4), about 1 in 55: five a day of 5-minute windows."""
    tail_prior: float = 200.0
    """Exceedances that the theoretical tail is worth: the shape of as many has a standard error of 0.07."""
    tail_half_life: float = 90 * DAY
    tail_gap: float = 30 * 60 * 1_000_000.0
    """Exceedances closer than this are one."""
    tail_shape: float = 0.45
    """Heaviest shape: from 0.5 on a generalised Pareto distribution has no variance to tell it by."""

    platform_prior: float = 25.0
    """Posts by which the stream's rise is shrunk towards none."""
    drop_share: float = 0.2
    """Part of the promise that is spent on drops, where they are looked for."""
    known_stream: float = DAY
    """Before this much is seen of the stream, nothing is scored."""
    known_windows: float = 20.0
    """… and so many windows, where they are long."""
    known_series: float = HOUR
    """A tracker borrows the stream's season, so it is scored after this; the band is wide at first."""


CONSTANTS: Final = Constants()
