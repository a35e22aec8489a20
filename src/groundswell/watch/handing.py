"""Whole rows of what the watch reads, made for the lake writer of the same process while the records are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from groundswell.watch.made import MadeRows

if TYPE_CHECKING:
    from groundswell.importing.fast.posts import FastLayout, FastPosts
    from groundswell.importing.fast.spans import Paths, Spans
    from groundswell.importing.handover import Handover
    from groundswell.text.tokens import Words
    from groundswell.watch.batches import Records, Ways
    from groundswell.watch.contract import Ints

#: Records of a batch from which on its rows are made here: a smaller one is one that people wait for.
LEAST: Final = 4_000


@dataclass(frozen=True)
class Handing:
    """Leaves rows of some records to the lake writer. `starts`: where the records of each of their blocks begin."""

    records: Records
    starts: Ints
    fast: FastLayout
    ways: Ways
    handover: Handover
    origin: str

    @classmethod
    def of(cls, records: Records, fast: FastLayout, ways: Ways, origin: str) -> Handing | None:
        """Null where nobody takes rows of these records, which `origin` is said of."""
        from groundswell.importing.fast.rows import gives_rows  # noqa: PLC0415 - loads Numba

        if ways.handover is None or records.starts is None or len(records) < LEAST:
            return None
        if not gives_rows(ways.registry.get(fast.id)):
            return None
        return cls(records, records.starts, fast, ways, ways.handover, origin)

    def whole(self, borders: Ints) -> Ints:
        """Borders of parts of the records, moved so that no block is divided."""
        return np.unique(self.starts[np.searchsorted(self.starts, borders)])

    def wanted(self, begin: int) -> Paths | None:
        """What to look for, so that rows of the records from `begin` on can be made; null: nobody would take them."""
        block = self.records.blocks[int(np.searchsorted(self.starts, begin))]
        return self.fast.every if self.handover.wants(block) else None

    def give(self, spans: Spans, posts: FastPosts, begin: int, words: Words) -> MadeRows:
        """Make the rows of the records from `begin` on, which `spans` and `posts` were read of, and leave them.

        The watch has them, too.
        """
        from groundswell.importing.derive import Origin  # noqa: PLC0415 - loads the engine
        from groundswell.importing.fast.rows import rows_of  # noqa: PLC0415 - loads Numba
        from groundswell.importing.handover import Made  # noqa: PLC0415 - loads what an import needs

        records, end = self.records, begin + len(spans)
        layout, origin = self.ways.registry.get(self.fast.id), Origin(records.source, self.origin, 0)
        places = (records.numbers[begin:end], records.received_us[begin:end])
        read = rows_of(self.fast, layout, spans, posts, origin, *places, words)
        first, last = np.searchsorted(self.starts, [begin, end]).tolist()
        starts, bounds = self.starts[first : last + 1] - begin, records.bounds[begin : end + 1]
        made = Made(layout, records.blocks[first:last], starts, bounds - bounds[0], read.posts, read.left)
        self.handover.give(made)
        return MadeRows(read, records, begin, self.ways.imported_us)
