"""The lake writer of streams: blocks of the journal become posts, quarantine and ledger, a batch at a time.

A batch is written down before it is done (its borders and its clock, as a run), so that a killed one is
repeated with the same borders. Each append names the batch as its transaction (`journal`, number); the
posts commit carries the ledger rows, because a repeated batch would count its own posts as known.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from groundswell import telemetry
from groundswell.bus.blocks import content_of
from groundswell.bus.joined import JoinedRecords, borders
from groundswell.desk import Desk, checkpoints, leases, runs
from groundswell.desk.clock import Clock, wall_us
from groundswell.importing import drift
from groundswell.importing.along import AlongStream, finished
from groundswell.importing.blocks import Frame, RawBlock, normalise
from groundswell.importing.derive import Origin
from groundswell.importing.handover import Handover, Made, PackedRecords
from groundswell.importing.refusals import TOO_LONG, Rejection, decode, quarantine_rows
from groundswell.importing.sink import QUARTER_US, Keys, Sink
from groundswell.lake import Lake, raw_index
from groundswell.lake.maintenance import tidy
from groundswell.schema import LEDGER
from groundswell.sources.documents import Oversized
from groundswell.telemetry import stage

if TYPE_CHECKING:
    from groundswell.bus import Bus
    from groundswell.bus.blocks import Block
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

APP: Final = "journal"
READER: Final = "lake"
KIND: Final = "lake-batch"
MAX_RECORDS: Final = 200_000
MAX_BYTES: Final = 128 << 20
#: A stream's small commits are joined after so many batches.
TIDY_EVERY: Final = 64
#: After so many, fields are checked for drift.
CHECK_EVERY: Final = 8
#: Bytes of a block of the journal from which it is kept as it is packed.
_WHOLE: Final = 256 << 10
#: Records, and bytes of them, that one normalise call takes …
_TAKE: Final = 10_000
_TAKE_BYTES: Final = 12 << 20
#: … and that are asked of the journal together.
_FETCH: Final = 20_000
_FETCH_BYTES: Final = 24 << 20


@dataclass(frozen=True, slots=True)
class LakeBatch:
    """What a batch did; `last_block` is where the lake is in the journal."""

    number: int
    last_block: int
    records: int
    stored: int
    known: int
    rejected: int
    ignored: int


def journal_to_lake(  # noqa: PLR0913 - each names another part of the work
    journal: Bus,
    lake: Lake,
    desk: Desk,
    engine: Engine,
    settings: Settings,
    *,
    registry: Registry | None = None,
    now: Clock = wall_us,
    wait_s: float = 60.0,
    rest: Callable[[], None] = lambda: None,
    handover: Handover | None = None,
) -> LakeBatch | None:
    """Take the next batch of journal blocks into the lake, under the lease `lake`; null if there is none.

    Call it again at once while it returns a batch, and after `commit_every` seconds when it returns null. `rest` is
    called between its pieces of work, and may let others go first for a while; `handover` may have rows of the blocks.

    Raises:
        ConflictError: another process keeps the lake for longer than `wait_s` seconds; try again later.
        UnavailableError: the lake, the desk or the journal cannot be written; the batch is repeated next time.
    """
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

    with desk.reading() as session:
        at = checkpoints.get(session, READER)
    if journal.last_block() <= (at.block if at else 0):
        return None
    with leases.hold(desk, READER, wait_s=wait_s) as held:
        batch = _plan(journal, desk, now)
        if batch is None:
            return None
        writer = _Batch(
            journal, lake, engine, registry or registry_for(settings), settings, batch, rest, handover, wait_s > 0
        )
        with stage("lake", "batch", batch=batch.number):
            rows = writer.run(held)
        with desk.session() as session:
            held.guard(session)
            checkpoints.put(session, READER, block=batch.last, batch=batch.number, now_us=now())
            runs.finish(session, batch.run_id, {"ledger": rows}, now_us=now())
        if batch.number % TIDY_EVERY == 0:
            held.renew()
            drift.fold(lake, now())
            if settings.raw_days:
                raw_index.forget_old(lake, settings.raw_days, now())
            tidy(lake)
    if batch.number % CHECK_EVERY == 0:
        finished(lake, desk, now=now)
    sums = [sum(row[name] for row in rows) for name in ("received", "stored", "known", "rejected", "ignored")]
    telemetry.count("records_done", sums[0], "lake")
    return LakeBatch(batch.number, batch.last, *sums)


@dataclass(frozen=True, slots=True)
class _Plan:
    number: int
    first: int
    last: int
    imported_us: int
    run_id: str


def _plan(journal: Bus, desk: Desk, now: Clock) -> _Plan | None:
    """The batch that was begun, or the next one, written down."""
    with desk.session() as session:
        at = checkpoints.get(session, READER)
        number, block = (at.batch + 1, at.block) if at else (1, 0)
        run_id = f"{APP}-{number}"
        run = runs.latest(session, KIND, run_id)
        if run is None:
            last = journal.borders(block, MAX_RECORDS, MAX_BYTES)
            if last <= block:
                return None
            run = runs.start(
                session, KIND, run_id, run_id=run_id, summary={"first": block + 1, "last": last}, now_us=now()
            )
        borders = run.summary or {}
        return _Plan(number, borders["first"], borders["last"], run.started_at, run.id)


@dataclass
class _Batch:
    """One batch while it is done."""

    journal: Bus
    lake: Lake
    engine: Engine
    registry: Registry
    settings: Settings
    plan: _Plan
    rest: Callable[[], None]
    handover: Handover | None
    may_wait: bool

    @property
    def txn(self) -> tuple[str, int]:
        return APP, self.plan.number

    def run(self, held: leases.Held) -> list[dict[str, Any]]:
        """Append what is not there yet; the ledger rows of the batch (times in microseconds)."""
        done = self._done()
        rows = self._store(held) if done is None else done
        self.lake.append("ledger", ledger_table(rows), txn=self.txn)
        return rows

    def _done(self) -> list[dict[str, Any]] | None:
        if (self.lake.txn_version("posts", APP) or 0) < self.plan.number:
            return None
        metadata = self.lake.commit_metadata("posts", self.txn) or {}
        rows: list[dict[str, Any]] = json.loads(metadata.get("ledger", "[]"))
        return rows

    def _store(self, held: leases.Held) -> list[dict[str, Any]]:
        counts = Counts(f"{APP}-{self.plan.number}")
        along = AlongStream(self.lake, self.settings, self.plan.imported_us)
        with Sink(self.lake, self.txn, Keys(self.lake), [along], for_now=True) as sink:
            for block in self._blocks():
                self.rest()
                if isinstance(block, RawBlock):
                    along.block(block)
                    self._records(block, sink, counts, along)
                else:
                    sink.refuse(block)
                    counts.refused(block)
            rows = counts.rows()
            held.renew()
            self.rest()
            with stage("lake", "commit", batch=self.plan.number):
                sink.commit({"ledger": json.dumps(rows)})
        return rows

    def _blocks(self) -> Iterator[RawBlock | pa.Table]:
        """What the batch holds, some of it in memory at a time."""
        done = self.plan.first - 1
        while done < self.plan.last:
            last = min(self.journal.borders(done, _FETCH, _FETCH_BYTES), self.plan.last)
            if last <= done:
                return
            yield from _joined(self.journal.between(done + 1, last), self.plan.imported_us, self._made)
            done = last

    def _made(self, blocks: Sequence[Block], at: int) -> Made | None:
        """Rows of the one of some blocks of a source at this place, if somebody made them, and of those behind it."""
        if self.handover is None:
            return None
        made = self.handover.take(blocks[at].seq, blocks[-1].seq, wait=self.may_wait)
        if made is None or made.blocks != tuple(block.seq for block in blocks[at : at + len(made.blocks)]):
            return None
        return made if made.fits(self.registry) else None

    def _records(self, block: RawBlock, sink: Sink, counts: Counts, along: AlongStream) -> None:
        with stage("lake", "normalise", records=len(block.records)):
            out = normalise(block, self.engine, self.registry, self.settings)
        quarters = np.asarray(block.received_us) // QUARTER_US * QUARTER_US
        for name, rows in {"posts": out.posts, **out.others}.items():
            if rows.num_rows:
                at = quarters[rows["record"].to_numpy()]
                new = sink.store(name, rows.drop_columns(["record"]))
                along.rows(name, block, rows, new)
                counts.add(block, "stored", at[new])
                counts.add(block, "known", at[~new])
        if out.rejected.num_rows:
            sink.refuse(out.rejected)
            places = np.searchsorted(block.numbers, out.rejected["origin_offset"].to_numpy())
            counts.add(block, "rejected", quarters[places])
        counts.add(block, "ignored", quarters[np.array(out.ignored_records, dtype=np.int64)])


class Counts:
    """The ledger rows of a batch: per source and quarter hour of receipt."""

    def __init__(self, batch: str) -> None:
        self._batch = batch
        self._rows: dict[tuple[str, str, int], dict[str, Any]] = {}

    def add(self, block: RawBlock, name: str, quarters: Any) -> None:
        """Count records of a block, each in its quarter hour; one that holds several is counted for each."""
        if not len(quarters):
            return
        found, counts = np.unique(quarters, return_counts=True)
        for quarter, count in zip(found.tolist(), counts.tolist(), strict=True):
            row = self._row(block.source, block.origin, quarter)
            row[name] += count
            row["received"] += count

    def refused(self, rows: pa.Table) -> None:
        """Count rows that went to the quarantine."""
        at = rows["at"].cast(pa.int64()).to_numpy()
        for source, origin, micros in zip(rows["source"].to_pylist(), rows["origin"].to_pylist(), at, strict=True):
            row = self._row(source, origin, int(micros) // QUARTER_US * QUARTER_US)
            row["received"] += 1
            row["rejected"] += 1

    def rows(self) -> list[dict[str, Any]]:
        """The rows as `LEDGER` has them, times in microseconds."""
        return [self._rows[key] for key in sorted(self._rows)]

    def _row(self, source: str, origin: str, quarter: int) -> dict[str, Any]:
        empty = {"batch": self._batch, "source": source, "origin": origin, "quarter": quarter}
        names = ("received", "stored", "known", "rejected", "ignored")
        return self._rows.setdefault((source, origin, quarter), empty | dict.fromkeys(names, 0))


def ledger_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of `Counts` as a table."""
    arrays = [pa.array([row[field.name] for row in rows], field.type) for field in LEDGER]
    return pa.table(arrays, schema=LEDGER)


def _joined(
    blocks: Iterable[Block], imported_us: int, made_of: Callable[[Sequence[Block], int], Made | None]
) -> Iterator[RawBlock | pa.Table]:
    """Neighbouring blocks of one source as one, because the engine's start costs as much as thousands of rows.

    `made_of` gives what was made of one of them, by its place, and of those behind it.
    """
    for (_, kind, _), members in groupby(blocks, key=lambda b: (b.source, str(b.kind), json.dumps(b.hint))):
        if kind == "oversized":
            yield from map(_oversized, members)
            continue
        every = list(members)
        waiting: list[Block] = []
        at = records = size = 0
        while at < len(every):
            made = made_of(every, at)
            if made is not None or records >= _TAKE or size >= _TAKE_BYTES:
                if waiting:
                    yield _raw(waiting, imported_us)
                waiting, records, size = [], 0, 0
            if made is not None:
                yield _raw(every[at : at + len(made.blocks)], imported_us, made)
                at += len(made.blocks)
                continue
            block = every[at]
            waiting.append(block)
            at, records, size = at + 1, records + block.count, size + block.size
        if waiting:
            yield _raw(waiting, imported_us)


def _raw(blocks: list[Block], imported_us: int, made: Made | None = None) -> RawBlock:
    return RawBlock(
        records=_records(blocks) if made is None else PackedRecords(blocks, made.starts, made.bounds),
        source=blocks[0].source,
        origin=APP,
        numbers=np.concatenate([block.numbers for block in blocks]),
        received_us=np.concatenate([block.received_us for block in blocks]),
        hint=blocks[0].hint,
        imported_us=imported_us,
        frames=_frames(blocks),
        made=made,
    )


def _records(blocks: list[Block]) -> JoinedRecords:
    content = content_of(blocks)
    return JoinedRecords(content, borders(content, sum(block.count for block in blocks)))


def _frames(blocks: list[Block]) -> list[Frame]:
    """The larger blocks as they lie in the journal; small ones are packed better together."""
    found, at = [], 0
    for block in blocks:
        packed = block.frame
        if packed is None:
            # What follows stands behind content whose size only its records tell.
            break
        if block.size >= _WHOLE:
            found.append(Frame(packed, at, block.size))
        at += block.size
    return found


def _oversized(block: Block) -> pa.Table:
    return set_aside(block.source, block.records, block.numbers.tolist(), block.received_us.tolist())


def set_aside(source: str, records: Iterable[bytes], numbers: Iterable[int], received_us: Iterable[int]) -> pa.Table:
    """Quarantine rows of records that were over the limit or no records when they arrived, from what is said of each.

    `records` are those of a block of kind `oversized`; `numbers` and `received_us` (microseconds) have one each.
    """
    tables = []
    for record, number, received in zip(records, numbers, received_us, strict=True):
        said = json.loads(record)
        big = Oversized(said["offset"], said["raw_bytes"], said["raw_sha256"], base64.b64decode(said["raw"]))
        origin = Origin(source, said["origin"], received)
        tables.append(quarantine_rows([_rejection(number, said, big)], origin, None))
    return pa.concat_tables(tables)


def _rejection(number: int, said: dict[str, Any], big: Oversized) -> Rejection:
    """Why a record was set aside before it came here: too large, unless it is said; JSON is judged as any."""
    reason, detail = said.get("reason", TOO_LONG), said.get("detail", "")
    if reason == TOO_LONG:
        return Rejection.too_long(number, big)
    if big.length == len(big.head) and not big.head.startswith(b"\0"):
        _, exact, detail = decode(big.head)
        reason = exact or reason
    return Rejection(big.offset, number, reason, detail, big.head, oversized=big)
