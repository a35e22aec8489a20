"""Several arrivals as one, in the order of their records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.kernels import loaded_live
from groundswell.kernels.once import once
from groundswell.query import Matcher
from groundswell.watch.arrivals import MOST_PLATFORMS, TableArrivals, named
from groundswell.watch.contract import Arrivals, Hashes, Ints, Pairs, Terms
from groundswell.watch.made import in_order

if TYPE_CHECKING:
    from groundswell.watch.fast_arrivals import FastArrivals

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


def join(parts: Sequence[Arrivals], pool: Executor | None = None, keys: Sequence[Ints] | None = None) -> Arrivals:
    """All of them as one batch; records of one number keep the order of the parts. `pool` works them out at once.

    `keys`, one a post of each part, go before the number of the record, where that is not the order of the stream.
    """
    some = [part for part in parts if len(part)]
    if len(some) > 1:
        return JoinedArrivals(some, pool, None if keys is None else [key for key in keys if len(key)])
    return some[0] if some else TableArrivals.empty()


class JoinedArrivals:
    """Arrivals whose posts are those of several, sorted by key and record; see `contract.Arrivals`."""

    def __init__(
        self, parts: Sequence[Arrivals], pool: Executor | None = None, keys: Sequence[Ints] | None = None
    ) -> None:
        self._parts = parts
        self._pool = pool
        record = np.concatenate([part.record for part in parts])
        by = (record,) if keys is None else (record, np.concatenate(keys))
        # Parts of one batch mostly follow each other; then nothing has to move.
        self._in_order = keys is None and bool((record[1:] >= record[:-1]).all())
        self._order = np.arange(len(record)) if self._in_order else np.lexsort(by)
        self._place = np.empty_like(self._order)
        self._place[self._order] = np.arange(len(record))
        self._starts = np.cumsum([0, *map(len, parts)])
        self.record: Ints = record[self._order]
        self._matched: tuple[Matcher, Pairs] | None = None

    def __len__(self) -> int:
        return len(self.record)

    def begin(self, matcher: Matcher, *, terms: bool = True) -> JoinedArrivals:
        """Work out what every step asks for, and what `matcher` finds."""
        _ = self.received_us, self.event_us, self.identity, self.author, self.platform
        if terms:
            _ = self._terms
        self._matched = matcher, self._match(matcher)
        return self

    @once
    def received_us(self) -> Ints:
        """When it was received."""
        return np.asarray(self._joined(lambda part: part.received_us))

    @once
    def event_us(self) -> Ints:
        """When it happened."""
        return np.asarray(self._joined(lambda part: part.event_us))

    @once
    def observed_us(self) -> Ints:
        """When its counters were seen."""
        return np.asarray(self._joined(lambda part: part.observed_us))

    @once
    def identity(self) -> Hashes:
        """The same for a post that comes again."""
        return np.asarray(self._joined(lambda part: part.identity))

    @once
    def author(self) -> Hashes:
        """Hash of the author."""
        return np.asarray(self._joined(lambda part: part.author))

    @once
    def reach(self) -> Floats:
        """Followers of the author."""
        return np.asarray(self._joined(lambda part: part.reach))

    @once
    def engagement(self) -> Floats:
        """Likes, comments, shares and saves together."""
        return np.asarray(self._joined(lambda part: part.engagement))

    @once
    def platforms(self) -> tuple[str, ...]:
        """Names of the platforms of all parts, each once; from `MOST_PLATFORMS` on all are one, "unknown"."""
        names = tuple(dict.fromkeys(name for part in self._parts for name in part.platforms))
        return names if len(names) <= MOST_PLATFORMS else (*names[:MOST_PLATFORMS], "unknown")

    @once
    def platform(self) -> npt.NDArray[np.uint8]:
        """Platform as a number into `platforms`."""
        number = {name: at for at, name in reversed(list(enumerate(self.platforms)))}

        def codes(part: Arrivals) -> Any:
            return np.array([number.get(name, MOST_PLATFORMS) for name in part.platforms], np.uint8)[part.platform]

        return np.asarray(self._joined(codes), np.uint8)

    def pairs(self, matcher: Matcher) -> Pairs:
        """Which tracker matches which post."""
        if self._matched is not None and self._matched[0] is matcher:
            return self._matched[1]
        return self._match(matcher)

    def _match(self, matcher: Matcher) -> Pairs:
        if loaded_live() is not None:
            _ = getattr(matcher, "compiled", None)  # made once, not by each thread
        found = self._each(lambda part: part.pairs(matcher))
        row = np.concatenate([self._rows(at, pairs.row) for at, pairs in enumerate(found)])
        slot = np.concatenate([pairs.slot for pairs in found])
        if self._in_order:
            return Pairs(slot, row)
        order = np.argsort(row, kind="stable")
        return Pairs(slot[order], row[order])

    def terms(self) -> Terms:
        """What emerging topics count."""
        return self._terms

    @once
    def _terms(self) -> Terms:
        found = self._each(lambda part: part.terms())
        row = np.concatenate([self._rows(at, terms.row) for at, terms in enumerate(found)])
        hashes = np.concatenate([terms.hash for terms in found])
        kinds = np.concatenate([terms.kind for terms in found])
        for part in self._parts:
            vars(part).pop("_terms", None)  # they are many, and held here now
        if self._in_order:
            return Terms(row, hashes, kinds)
        order = np.argsort(row, kind="stable")
        return Terms(row[order], hashes[order], kinds[order])

    def texts(self, hashes: Hashes, rows: Ints | None = None) -> list[str | None]:
        """The words of those hashes, which the posts `rows` are known to have."""
        found: list[str | None] = [None] * len(hashes)
        missing = list(range(len(hashes)))
        for part, mine in zip(self._parts, self._of_parts(rows), strict=True):
            if missing and (mine is None or len(mine)):
                for at, text in zip(missing, part.texts(hashes[missing], mine), strict=True):
                    found[at] = text
                missing = [at for at in missing if found[at] is None]
        return found

    def _of_parts(self, rows: Ints | None) -> list[Ints | None]:
        """Some of the posts as rows of each part."""
        if rows is None:
            return [None] * len(self._parts)
        sources = self._order[rows]
        return [sources[(sources >= begin) & (sources < end)] - begin for begin, end in pairwise(self._starts.tolist())]

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Some of the posts, in the order of `rows`."""
        sources = self._order[rows]
        tables, places = [], []
        asked: list[tuple[Any, list[Ints], list[Any]]] = []
        for at, part in enumerate(self._parts):
            mine = np.flatnonzero((sources >= self._starts[at]) & (sources < self._starts[at + 1]))
            if not len(mine) and (at or len(rows)):
                continue
            some = sources[mine] - self._starts[at]
            whole = getattr(part, "whole", None)
            if whole is None:
                tables.append(part.take(some, columns))
                places.append(mine)
                continue
            fast = cast("FastArrivals", part)
            ready, there = fast.ready(some, columns)
            if ready is not None:
                tables.append(ready)
                places.append(mine[there])
                mine, some = mine[~there], some[~there]
                if not len(mine):
                    continue
            # Parts of the same records are made at once: making a few posts costs hardly less than making many.
            picked = fast.picked(some)
            if asked and asked[-1][0] is whole:
                asked[-1][1].append(mine)
                asked[-1][2].append(picked)
            else:
                asked.append((whole, [mine], [picked]))
        for whole, mines, pieces in asked:
            posts = reduce(lambda one, more: one.and_then(more), (piece[1] for piece in pieces))
            tables.append(named(whole(np.concatenate([piece[0] for piece in pieces]), posts), columns))
            places += mines
        return in_order(tables, places)

    def _each(self, ask: Callable[[Arrivals], T]) -> list[T]:
        return list(map(ask, self._parts) if self._pool is None else self._pool.map(ask, self._parts))

    def _rows(self, at: int, rows: Ints) -> Ints:
        """Rows of one part as rows of all."""
        moved = rows + self._starts[at]
        return moved if self._in_order else np.asarray(self._place[moved])

    def _joined(self, column: Callable[[Arrivals], Any]) -> Any:
        joined = np.concatenate([column(part) for part in self._parts])
        return joined if self._in_order else joined[self._order]
