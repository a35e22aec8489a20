"""The lake writer of a topic on Spark: executors make posts of messages, the driver drops what is known and commits.

Each append names the micro-batch as its transaction, with an application of its own for each checkpoint folder, so a
batch that is done again stores nothing twice. The raw records come along to the driver, which keeps them, and what is
no record goes to the topic of dead letters before its quarantine row is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from groundswell import telemetry
from groundswell.bus.joined import JoinedRecords, borders
from groundswell.bus.kafka_dead import DeadLetters
from groundswell.desk import Desk, leases
from groundswell.desk.clock import Clock
from groundswell.importing import drift
from groundswell.importing.along import AlongStream, finished
from groundswell.importing.blocks import RawBlock
from groundswell.importing.sink import QUARTER_US, Keys, Sink
from groundswell.importing.stream import CHECK_EVERY, READER, TIDY_EVERY, Counts, ledger_table
from groundswell.lake import Lake, raw_index
from groundswell.lake.maintenance import tidy
from groundswell.telemetry import stage
from groundswell.watch.cluster.slices import SLICES_SQL, Task
from groundswell.watch.cluster.worker import Normal, posts, raw_of, table_of

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: How long a batch waits for another writer of the lake, seconds; then the query fails and the batch is done again.
WAIT_S: Final = 600.0


@dataclass(frozen=True)
class Written:
    """What a micro-batch brought: of each partition the last offset, and when the last record was received (µs)."""

    ends: dict[int, int] = field(default_factory=dict)
    received_us: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LakeWriter:
    """Appends micro-batches to the lake as the application `app`."""

    lake: Lake
    desk: Desk
    settings: Settings
    app: str
    dead: DeadLetters
    now: Clock

    def write(self, frame: Any, number: int, task: Task) -> Written:
        """Append micro-batch `number` (from 1).

        Raises:
            ConflictError: another process keeps the lake.
            UnavailableError: the lake or the desk cannot be written; the batch is to be repeated.
        """
        if self.is_done(number):
            return Written()
        found = frame.mapInArrow(posts(task), SLICES_SQL).toArrow()
        slices = found.sort_by([("partition", "ascending"), ("first", "ascending")])
        with leases.hold(self.desk, READER, wait_s=WAIT_S) as held:
            with stage("lake", "batch", batch=number):
                self._store(slices, number, task, held)
            if number % TIDY_EVERY == 0:
                held.renew()
                drift.fold(self.lake, self.now())
                if self.settings.raw_days:
                    raw_index.forget_old(self.lake, self.settings.raw_days, self.now())
                tidy(self.lake)
        if number % CHECK_EVERY == 0:
            finished(self.lake, self.desk, now=self.now)
        telemetry.count("records_done", sum(slices["records"].to_pylist()), "lake")
        partitions = slices["partition"].to_pylist()
        ends, received = (
            dict(zip(partitions, slices[name].to_pylist(), strict=True)) for name in ("last", "received_to")
        )
        return Written(ends, received)

    def is_done(self, number: int) -> bool:
        """Whether all of a micro-batch is in the lake."""
        return (self.lake.txn_version("ledger", self.app) or 0) >= number

    def _store(self, slices: Any, number: int, task: Task, held: leases.Held) -> None:
        txn = (self.app, number)
        if (self.lake.txn_version("posts", self.app) or 0) >= number:
            rows = json.loads((self.lake.commit_metadata("posts", txn) or {}).get("ledger", "[]"))
        else:
            counts = Counts(f"{self.app}-{number}")
            along = AlongStream(self.lake, self.settings, task.imported_us)
            poison: list[tuple[int, int, bytes, str]] = []
            with Sink(self.lake, txn, Keys(self.lake), [along]) as sink:
                for partition, body in zip(slices["partition"].to_pylist(), slices["body"], strict=True):
                    for one in msgspec.msgpack.decode(body.as_py(), type=list[Normal]):
                        _take(one, sink, counts, along, task.imported_us)
                        poison += [(partition, *each) for each in one.poison]
                self.dead.write_all(sorted(poison))
                rows = counts.rows()
                held.renew()
                with stage("lake", "commit", batch=number):
                    sink.commit({"ledger": json.dumps(rows)})
        self.lake.append("ledger", ledger_table(rows), txn=txn)


def _take(one: Normal, sink: Sink, counts: Counts, along: AlongStream, imported_us: int) -> None:
    offsets, received = (np.frombuffer(part, np.int64) for part in (one.offsets, one.received_us))
    content = raw_of(one)
    records = JoinedRecords(content, borders(content, len(offsets))) if content else []
    hint = None if one.hint is None else msgspec.json.decode(one.hint)
    block = RawBlock(records, one.source, one.origin, offsets, received, hint, imported_us)
    if content:
        along.block(block)
    quarters = received // QUARTER_US * QUARTER_US
    for name, data in one.tables.items():
        rows = table_of(data)
        if rows.num_rows:
            at = quarters[rows["record"].to_numpy()]
            new = sink.store(name, rows.drop_columns(["record"]))
            along.rows(name, block, rows, new)
            counts.add(block, "stored", at[new])
            counts.add(block, "known", at[~new])
    rejected = table_of(one.rejected)
    if rejected.num_rows:
        sink.refuse(rejected)
        counts.add(block, "rejected", quarters[np.searchsorted(offsets, rejected["origin_offset"].to_numpy())])
    counts.add(block, "ignored", quarters[np.array(one.ignored, dtype=np.int64)])
