"""Which windows of a history nobody watched: by what sources said of their connections, else by what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import Ints, WatchParams
from groundswell.watch.pastcounts import Counted

Bools = npt.NDArray[np.bool_]

#: A gap between connections with at least this part of the usual posts was filled: by an import, or by a source that
#: went on where it had been.
FILLED: Final = 0.5


@dataclass(frozen=True)
class Coverage:
    """When at least one source was connected: disjoint intervals, ascending. Before and after them nothing is known."""

    begins: Ints
    ends: Ints

    @classmethod
    def of(cls, connections: Sequence[tuple[int, int]]) -> Coverage:
        """The intervals of all sources, joined."""
        begins, ends = np.array(connections, dtype=np.int64).reshape(-1, 2).T
        order = np.argsort(begins, kind="stable")
        begins, reached = begins[order], np.maximum.accumulate(ends[order])
        apart = begins[1:] > reached[:-1]
        first, last = np.append(True, apart)[: len(begins)], np.append(apart, True)[: len(begins)]
        return cls(begins[first], reached[last])

    def but_filled(self, first_us: int, totals: Ints, params: WatchParams) -> Coverage:
        """Joined over gaps that were filled; `totals` are the posts per smallest window from `first_us` on.

        A gap that divides windows and has none for itself was not.
        """
        if len(self.begins) < 2 or not len(totals):
            return self
        base = params.base_us
        starts = first_us + np.arange(len(totals)) * base
        watched = self.known(starts, base) & self.covers(starts, base, 1.0)
        usual = float(totals[watched].mean()) if watched.any() else 0.0
        first, last = -(-self.ends[:-1] // base), self.begins[1:] // base
        reached = np.concatenate(([0], np.cumsum(totals)))
        inside = [reached[np.clip(number - first_us // base, 0, len(totals))] for number in (first, last)]
        found, wanted = inside[1] - inside[0], FILLED * usual * (last - first)
        apart = (last <= first) | (found == 0) | (found < wanted)
        return Coverage(self.begins[np.append(True, apart)], self.ends[np.append(apart, True)])

    def known(self, starts: Ints, window_us: int) -> Bools:
        """Of which windows it is known whether anybody was connected."""
        if not len(self.begins):
            return np.zeros(len(starts), np.bool_)
        return np.asarray((starts >= self.begins[0]) & (starts + window_us <= self.ends[-1]))

    def covers(self, starts: Ints, window_us: int, cover: float) -> Bools:
        """Which windows are covered by connections for the fraction `cover`, as `windows.is_covered`."""
        covered = self._until(starts + window_us) - self._until(starts)
        return np.asarray(covered >= cover * window_us)

    def _until(self, times: Ints) -> Ints:
        """How long somebody was connected before each time."""
        if not len(self.begins):
            return np.zeros(len(times), np.int64)
        reached = np.concatenate(([0], np.cumsum(self.ends - self.begins)))
        number = np.searchsorted(self.begins, times, side="right")
        last = np.maximum(number - 1, 0)
        inside = np.clip(times - self.begins[last], 0, (self.ends - self.begins)[last])
        return np.asarray(reached[last] + np.where(number > 0, inside, 0))


#: Nobody said anything of connections, as in an archive.
UNKNOWN: Final = Coverage(np.zeros(0, np.int64), np.zeros(0, np.int64))


def silent(one: Counted, params: WatchParams) -> Bools:
    """Windows of a stream that was not there for long: the watch leaves them out."""
    last = np.maximum.accumulate(np.where(one.posts[:, 0] > 0, one.starts, one.starts[:1]))
    found: Bools = one.starts - last > params.silence_windows * params.window_us
    return found


def holes_in(base: Counted, hole: Bools, one: Counted, coverage: Coverage, params: WatchParams) -> Bools:
    """Larger windows, from the clock's multiples on or between, of which too much was not watched.

    `hole` says which windows of the smallest size were not.
    """
    reached = np.concatenate(([0], np.cumsum(hole)))
    begin = np.searchsorted(base.starts, one.starts)
    end = np.searchsorted(base.starts, one.starts + one.window_us)
    too_many = reached[end] - reached[begin] > (1 - params.cover) * one.parts
    known = coverage.known(one.starts, one.window_us)
    uncovered = silent(one, params.at(one.window_us)) | ~coverage.covers(one.starts, one.window_us, params.cover)
    return np.asarray(np.where(known, uncovered, too_many))
