"""One micro-batch of Spark as the watch's loop takes it: a block of the bus, and its posts as digests of executors.

A block's number is that of the micro-batch, counted from 1: Spark gives a batch that was not finished the same number
and the same messages again, so the desk knows what it has done, and what was planned is done as it was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.bus import Block, Connected, Kind
from groundswell.watch.cluster.slices import SLICES_SQL, Task, Work
from groundswell.watch.cluster.worker import digests, table_of, whole_posts
from groundswell.watch.contract import Arrivals, Ints, TrackerSpec, WatchBatch, WatchParams
from groundswell.watch.digest import Digest, DigestArrivals, Wanted
from groundswell.watch.joined_arrivals import join
from groundswell.watch.plan import Plan
from groundswell.watch.state import WatchState

#: An interval in which a source was connected is joined to an earlier one that ends so close before it, by the journal.
Beat = Callable[[int, int], None]


@dataclass
class MicroBatches:
    """A bus (`loop.Reader`) that holds one micro-batch at a time."""

    params: WatchParams
    connected: Callable[[int], Sequence[Connected]] = lambda _since_us: ()
    pending: MicroBatch | None = None
    newest: int = 0
    """Number of the newest block that is known to be there, perhaps not read yet."""

    def borders(self, after_block: int, max_records: int, max_bytes: int, max_span_us: int | None = None) -> int:
        """The block of the pending micro-batch, unless it was done; a micro-batch is never cut."""
        return after_block if self.pending is None else max(self.pending.block.seq, after_block)

    def between(self, first: int, last: int) -> Sequence[Block]:
        """The pending block, if it is one of these."""
        pending = self.pending
        return [pending.block] if pending is not None and first <= pending.block.seq <= last else []

    def last_block(self) -> int:
        """Number of the newest block."""
        return self.newest

    def connections(self, since_us: int = 0) -> Sequence[Connected]:
        """The intervals in which all that the topic had was read."""
        return self.connected(since_us)

    def complete_until(self, now_us: int) -> int:
        """Now: what is not read yet holds the clock by other means."""
        return now_us

    def read(self, plan: Plan, blocks: Sequence[Block], specs: Sequence[TrackerSpec], state: WatchState) -> WatchBatch:
        """The posts of a planned batch: as they were digested already, or once more for other trackers."""
        pending = self.pending
        arrivals: Arrivals
        if not blocks or pending is None:
            arrivals = join([])
        else:
            if pending.wanted.trackers != tuple(specs):
                pending.digest(Wanted.of(state.topics, specs, self.params))
            arrivals = pending.arrivals()
        return WatchBatch(arrivals, clock_us=plan.clock_us, covered=plan.covered)


@dataclass
class MicroBatch:
    """The messages of one micro-batch (a Spark frame) on the executors, and their digests here."""

    number: int
    frame: Any
    task: Task
    wanted: Wanted
    slices: pa.Table = field(init=False)
    fetched: int = 0
    """Posts that had to be asked for once more."""

    def __post_init__(self) -> None:
        self.digest(self.wanted)

    def digest(self, wanted: Wanted) -> None:
        """Have the executors read, match and digest the messages."""
        self.wanted = wanted
        self.slices = self._run(digests(self.task, wanted))

    @property
    def block(self) -> Block:
        """The micro-batch as a block of the bus, without its content."""
        first, last = self._bounds
        return Block(self.number, self.task.source, Kind.RECORDS, None, 0, self.records, 0, first, last, b"", None)

    @property
    def records(self) -> int:
        """How many messages it has."""
        return sum(self.slices["records"].to_pylist())

    @property
    def _bounds(self) -> tuple[int, int]:
        received = self.slices["received_from"].to_pylist(), self.slices["received_to"].to_pylist()
        return min(received[0]), max(received[1])

    @property
    def ends(self) -> dict[int, int]:
        """The last offset of each partition."""
        found: dict[int, int] = {}
        for partition, last in zip(self.slices["partition"].to_pylist(), self.slices["last"].to_pylist(), strict=True):
            found[partition] = max(last, found.get(partition, -1))
        return found

    @property
    def received(self) -> dict[int, int]:
        """When the last record of each partition was received, microseconds."""
        found: dict[int, int] = {}
        for partition, at in zip(
            self.slices["partition"].to_pylist(), self.slices["received_to"].to_pylist(), strict=True
        ):
            found[partition] = max(at, found.get(partition, 0))
        return found

    @property
    def digest_bytes(self) -> int:
        """Bytes of all digests."""
        return sum(map(len, self.slices["body"].to_pylist()))

    def arrivals(self) -> Arrivals:
        """The posts: those of a partition in the order of its offsets, partitions together by the time of receipt."""
        parts: list[Arrivals] = []
        keys: list[Ints] = []
        reached: dict[int, int] = {}
        for row in self.slices.to_pylist():
            place = (row["partition"], row["first"])
            part = DigestArrivals(Digest.of_bytes(row["body"]), partial(self._fetch, place))
            if len(part):
                before = reached.get(row["partition"], int(part.received_us[0]))
                key = np.maximum(np.maximum.accumulate(part.received_us), before)
                reached[row["partition"]] = int(key[-1])
                parts.append(part)
                keys.append(key)
        return join(parts, keys=keys)

    def _fetch(self, place: tuple[int, int], rows: Ints) -> pa.Table:
        self.fetched += len(rows)
        found = self._run(whole_posts(self.task, {place: np.asarray(rows)}))
        return table_of(found["body"][0].as_py())

    def _run(self, work: Work) -> pa.Table:
        found = self.frame.mapInArrow(work, SLICES_SQL).toArrow()
        return found.sort_by([("partition", "ascending"), ("first", "ascending")])
