"""Reading raw content again through the layouts of today, and exchanging the rows that older ones gave.

What an exchange replaces, and what comes in besides (records that were set aside and now fit), is one Delta commit
for each table and group of contents. A row that was exchanged has the version of today, so that a killed remap is
simply run again. Rows keep their number and the time of their import.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.desk import Desk, leases, runs
from groundswell.desk.clock import wall_us
from groundswell.engines import open_engine
from groundswell.errors import UnavailableError
from groundswell.importing.blocks import RawBlock, normalise
from groundswell.importing.choice import Chooser, Options
from groundswell.importing.contents import FileReading
from groundswell.importing.derive import DERIVED_OF, Origin
from groundswell.importing.drift import check_drift
from groundswell.importing.fill import FillCounting
from groundswell.importing.progress import Progress, Silent
from groundswell.importing.rawzone_read import KeptContent
from groundswell.importing.rawzone_stream import Numbered
from groundswell.importing.reading import Reader
from groundswell.importing.reads import LineCountError, Posts
from groundswell.importing.refusals import quarantine_rows
from groundswell.importing.remap_diff import COUNTS, FieldChange, TableChange
from groundswell.importing.remap_plan import TABLES, Content, Meant, Plan, plan
from groundswell.importing.remap_swap import TableSwap
from groundswell.importing.retry import mark_resolved
from groundswell.importing.sink import QuarantineWriter
from groundswell.lake import Lake
from groundswell.lake.raw import RawReader
from groundswell.lake.raw_index import NUMBERED
from groundswell.schema import QUARANTINE
from groundswell.stores import raw_root

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

LEASE: Final = "lake"
KIND: Final = "remap"
WAIT_S: Final = 3600.0
#: Content up to this size is read whole before any of it is taken, so that it can be read in another way.
_WHOLE: Final = 64 << 20

#: A table and new rows for it, or rows for the quarantine.
Piece = tuple[str, pa.Table | None, pa.Table | None]


@dataclass
class Remapped:
    """What a remap does, or would do. Rows are of all tables; `without` counts those whose content is not kept."""

    written: bool
    contents: int = 0
    bytes: int = 0
    resolved: int = 0
    without: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    tables: dict[str, TableChange] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As `remap --json` shows it."""
        return {
            "written": self.written,
            "contents": self.contents,
            "bytes": self.bytes,
            "resolved": self.resolved,
            "without_raw": [{"origin": origin, "rows": rows} for origin, rows in sorted(self.without.items())],
            "failed": [{"origin": origin, "error": error} for origin, error in sorted(self.failed.items())],
            "tables": [self.tables[table].document() for table in reversed(TABLES) if table in self.tables],
        }

    def add(self, change: TableChange) -> None:
        """Add what one group of contents changes in a table."""
        total = self.tables.setdefault(change.table, TableChange(change.table))
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(change, name))
        for name, entry in change.fields.items():
            whole = total.fields.setdefault(name, FieldChange())
            whole.changed += entry.changed
            whole.from_null += entry.from_null
            whole.to_null += entry.to_null
            whole.examples = [*whole.examples, *entry.examples][:3]


def remap(  # noqa: PLR0913 - the parts of a home, and what is meant
    lake: Lake,
    desk: Desk,
    engine: Engine,
    settings: Settings,
    *,
    layout: str | None = None,
    since: int | None = None,
    write: bool = False,
    registry: Registry | None = None,
    progress: Progress | None = None,
) -> Remapped:
    """Read what older layout versions read again; `write` exchanges the rows, otherwise they are only compared.

    Raises:
        UnknownChoiceError: there is no such layout.
        UnavailableError: the lake cannot be written; groups of contents that were finished before stay exchanged.
        ConflictError: another process keeps the lake.
    """
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

    chosen = registry or registry_for(settings)
    meant = Meant.of(chosen, layout, since)
    # Comparing needs no lease: readers never wait, and nobody waits for them.
    with leases.hold(desk, LEASE, wait_s=WAIT_S) if write else nullcontext() as held:
        if write:
            settle(lake, desk)
        found = plan(lake, meant)
        done = Remapped(write, len(found.contents), sum(c.size for c in found.contents), without=found.without)
        work = _Remap(lake, desk, engine, settings, chosen, meant, done, progress or Silent(), _renewal(held))
        work.run(found)
    if write and done.tables:
        check_drift(lake, desk)
    return done


def _renewal(held: leases.Held | None) -> Callable[[], None]:
    return (lambda: None) if held is None else held.renew


def settle(lake: Lake, desk: Desk) -> None:
    """Mark in the quarantine what remaps have stored, also those that were killed before they could."""
    with desk.reading() as session:
        left = [run for run in runs.listed(session, KIND, limit=1000) if run.state == "running"]
    for run in left:
        said = run.summary or {"tables": [], "resolved": []}
        stored = all((lake.txn_version(table, run.id) or 0) >= 1 for table in said["tables"])
        if stored and said["resolved"]:
            mark_resolved(lake, said["resolved"])
        with desk.session() as session:
            runs.finish(session, run.id, {"tables": said["tables"]}, state="done" if stored else "failed")


@dataclass
class _Remap:
    lake: Lake
    desk: Desk
    engine: Engine
    settings: Settings
    registry: Registry
    meant: Meant
    done: Remapped
    progress: Progress
    renew: Callable[[], None]

    def run(self, found: Plan) -> None:
        """Group after group."""
        at = 0
        for group in found.groups():
            other = open_engine(self.settings)  # the old rows are read while the new ones are made
            swaps: dict[str, TableSwap] = {}
            counting = FillCounting(self.lake, {}, at_us=wall_us())
            try:
                for table in TABLES:
                    swaps[table] = TableSwap(
                        self.lake, table, self.meant, group, other, counting if self.done.written else None
                    )
                resolved: list[str] = []
                refused: list[pa.Table] = []
                for content in group:
                    at += 1
                    self.progress.file(content.origin, at, len(found.contents), content.size)
                    one = _Replay(self, content, swaps)
                    one.run()
                    resolved += one.resolved
                    refused.append(one.refused)
                    self.renew()
                self._finish(swaps, counting, resolved, refused)
            finally:
                for swap in swaps.values():
                    swap.abort()
                other.close()

    def _finish(
        self, swaps: Mapping[str, TableSwap], counting: FillCounting, resolved: list[str], refused: list[pa.Table]
    ) -> None:
        """Commit what one group changes; the quarantine first, so that no record is in neither."""
        batch = f"remap-{secrets.token_hex(8)}"
        self.done.resolved += len(resolved)
        if self.done.written:
            with QuarantineWriter(self.lake, (batch, 1)) as quarantine:
                for rows in refused:
                    quarantine.write(rows)
                quarantine.commit()
            tables = [table for table in TABLES if swaps[table].changes]
            with self.desk.session() as session:
                runs.start(session, KIND, batch, run_id=batch, summary={"tables": tables, "resolved": resolved})
            for table in tables:
                self.renew()
                swaps[table].commit((batch, 1))
            counting.commit((batch, 1))
            settle(self.lake, self.desk)
        for table in TABLES:
            if swaps[table].change.any:
                self.done.add(swaps[table].change)


@dataclass
class _Replay:
    """One content, read again."""

    work: _Remap
    content: Content
    swaps: Mapping[str, TableSwap]
    resolved: list[str] = field(default_factory=list)
    refused: pa.Table = field(default_factory=QUARANTINE.empty_table)

    def run(self) -> None:
        """Give its rows to the tables."""
        held = self._held()
        for swap in self.swaps.values():
            swap.begin(self.content)
        produced: dict[str, list[npt.NDArray[np.int64]]] = {table: [] for table in self.swaps}
        rejections: list[pa.Table] = []
        try:
            for table, rows, rejected in self._reads():
                if rejected is not None:
                    rejections.append(rejected)
                if rows is not None and rows.num_rows:
                    places = self.swaps[table].take(rows)
                    produced[table].append(np.unique(rows["origin_offset"].to_numpy()))
                    self.resolved += [held[place] for place in np.unique(places).tolist() if place in held]
        except (UnavailableError, LineCountError) as error:
            # What cannot be read again stays as it is.
            self.work.done.failed[self.content.origin] = str(error)
            produced, rejections = {table: [] for table in self.swaps}, []
        refused = pa.concat_tables([QUARANTINE.empty_table(), *rejections])
        places = refused["origin_offset"].to_pylist()
        lost: set[int] = set()
        for table, swap in self.swaps.items():
            came = np.concatenate(produced[table]) if produced[table] else np.empty(0, np.int64)
            lost |= set(swap.end(places, came).tolist())
        # Also what had been known, so that nothing is neither stored nor set aside; what is held is known by its id.
        pairs = zip(places, refused["layout"].to_pylist(), strict=True)
        mask = [place in lost or layout in self.work.meant.layouts for place, layout in pairs]
        self.refused = refused.filter(pa.array(mask, pa.bool_()))

    def _held(self) -> dict[int, str]:
        """Ids of the records of this content that are in quarantine, by their place."""
        where = {"source": self.content.source, "origin": self.content.origin, "state": "held"}
        rows = self.work.lake.read("quarantine", ["id", "origin_offset"], where)
        return dict(zip(rows["origin_offset"].to_pylist(), rows["id"].to_pylist(), strict=True))

    def _reads(self) -> Iterator[Piece]:
        """The new rows, and what is rejected."""
        if self.content.parts[0].form == NUMBERED:
            return self._blocks()
        if self.content.size > _WHOLE:
            return self._file(strict=False)
        try:
            return iter(list(self._file(strict=False)))
        except LineCountError:
            return self._file(strict=True)

    def _file(self, *, strict: bool) -> Iterator[Piece]:
        work, content = self.work, self.content
        kept = KeptContent.of(raw_root(work.settings), content.parts)
        file = None if kept is None else next(kept.opened(work.settings), None)
        if file is None:
            what = "its raw content is not whole"
            raise UnavailableError(what, where=content.origin, hint="import the file again")
        options = Options.from_hint(_chosen(content.parts[0].hint), work.settings.tz)
        chooser = Chooser.for_options(work.registry, options)
        origin = Origin(content.source, content.origin, content.imported_us)
        reader = Reader(work.engine, chooser, origin, work.settings.tmp_path)
        reading = FileReading(file, reader, work.settings.max_record, strict)
        for read in reading.reads():
            if isinstance(read, Posts):
                yield read.layout.table, read.rows, None
            elif isinstance(read, list):
                hint = options.to_hint(work.settings.tz, **reading.hint)
                yield "posts", None, quarantine_rows(read, origin, hint)

    def _blocks(self) -> Iterator[Piece]:
        """The records of a stream."""
        work = self.work
        reader = RawReader(raw_root(work.settings))
        for part in self.content.parts:
            numbered = Numbered.of(reader, part)
            block = RawBlock(
                records=numbered.records(reader),
                source=part.source,
                origin=part.origin,
                numbers=numbered.numbers,
                received_us=numbered.received_us,
                hint=_chosen(part.hint),
                imported_us=part.imported_us,
            )
            out = normalise(block, work.engine, work.registry, work.settings)
            for table, rows in {"posts": out.posts, **out.others}.items():
                yield table, rows.select(DERIVED_OF[table].names), None
            yield "posts", None, out.rejected


def _chosen(hint: str | None) -> dict[str, Any] | None:
    return None if hint is None else json.loads(hint)
