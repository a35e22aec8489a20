"""The lake writer of a topic on Spark: executors make posts of messages, the driver drops what is known and commits.

Each append names the micro-batch as its transaction, with an application of its own for each checkpoint folder, so a
batch that is done again stores nothing twice. Raw content is not kept beside the tables: the topic is what holds it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from groundswell.desk import Desk, leases
from groundswell.desk.clock import Clock
from groundswell.importing import drift
from groundswell.importing.along import finished, versions
from groundswell.importing.blocks import RawBlock
from groundswell.importing.fill import FillCounting
from groundswell.importing.sink import QUARTER_US, Keys, Sink
from groundswell.importing.stream import CHECK_EVERY, READER, TIDY_EVERY, Counts, ledger_table
from groundswell.lake import Lake
from groundswell.lake.maintenance import tidy
from groundswell.watch.cluster.worker import SLICES_SQL, Normal, Task, posts, table_of

#: How long a batch waits for another writer of the lake, seconds; then the query fails and the batch is done again.
WAIT_S: Final = 600.0


@dataclass(frozen=True)
class LakeWriter:
    """Appends micro-batches to the lake as the application `app`."""

    lake: Lake
    desk: Desk
    app: str
    now: Clock

    def write(self, frame: Any, number: int, task: Task) -> dict[int, int]:
        """Append micro-batch `number` (from 1); the last offset of each partition.

        Raises:
            ConflictError: another process keeps the lake.
            UnavailableError: the lake or the desk cannot be written; the batch is to be repeated.
        """
        if self.is_done(number):
            return {}
        found = frame.mapInArrow(posts(task), SLICES_SQL).toArrow()
        slices = found.sort_by([("partition", "ascending"), ("first", "ascending")])
        with leases.hold(self.desk, READER, wait_s=WAIT_S) as held:
            self._store(slices, number, task, held)
            if number % TIDY_EVERY == 0:
                held.renew()
                drift.fold(self.lake, self.now())
                tidy(self.lake)
        if number % CHECK_EVERY == 0:
            finished(self.lake, self.desk, now=self.now)
        return dict(zip(slices["partition"].to_pylist(), slices["last"].to_pylist(), strict=True))

    def is_done(self, number: int) -> bool:
        """Whether all of a micro-batch is in the lake."""
        return (self.lake.txn_version("ledger", self.app) or 0) >= number

    def _store(self, slices: Any, number: int, task: Task, held: leases.Held) -> None:
        txn = (self.app, number)
        if (self.lake.txn_version("posts", self.app) or 0) >= number:
            rows = json.loads((self.lake.commit_metadata("posts", txn) or {}).get("ledger", "[]"))
        else:
            counts = Counts(f"{self.app}-{number}")
            along = FillCounting(self.lake, versions(), at_us=task.imported_us)
            with Sink(self.lake, txn, Keys(self.lake), [along]) as sink:
                for body in slices["body"].to_pylist():
                    for one in msgspec.msgpack.decode(body, type=list[Normal]):
                        _take(one, sink, counts, along, task.imported_us)
                rows = counts.rows()
                held.renew()
                sink.commit({"ledger": json.dumps(rows)})
        self.lake.append("ledger", ledger_table(rows), txn=txn)


def _take(one: Normal, sink: Sink, counts: Counts, along: FillCounting, imported_us: int) -> None:
    offsets, received = (np.frombuffer(part, np.int64) for part in (one.offsets, one.received_us))
    block = RawBlock([], one.source, one.origin, offsets, received, None, imported_us)
    quarters = received // QUARTER_US * QUARTER_US
    for name, data in one.tables.items():
        rows = table_of(data)
        if rows.num_rows:
            at = quarters[rows["record"].to_numpy()]
            new = sink.store(name, rows.drop_columns(["record"]))
            along.mixed(name, rows, new)
            counts.add(block, "stored", at[new])
            counts.add(block, "known", at[~new])
    rejected = table_of(one.rejected)
    if rejected.num_rows:
        sink.refuse(rejected)
        counts.add(block, "rejected", quarters[np.searchsorted(offsets, rejected["origin_offset"].to_numpy())])
    counts.add(block, "ignored", quarters[np.array(one.ignored, dtype=np.int64)])
