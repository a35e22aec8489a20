"""Importing one file, so that a kill at any moment loses nothing and doubles nothing.

The order is: run recorded, quarantine commit, posts commit (it carries the summary), ledger commit, run done.
Each commit names the run as its transaction. A run that did not end is taken up: where the posts are already
there its summary is read from their commit, otherwise the work is done again and commits that are there
are left out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from groundswell.importing.choice import Chooser
from groundswell.importing.contents import FileReading
from groundswell.importing.derive import Origin
from groundswell.importing.known import KeySet, take_rows
from groundswell.importing.progress import Progress
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, LineCountError, Posts, Reached
from groundswell.importing.refusals import Rejection, quarantine_rows
from groundswell.importing.summary import FileSummary
from groundswell.lake import Appender, Lake
from groundswell.lake.store import summary_of
from groundswell.schema import LEDGER
from groundswell.sources.files import SourceFile

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.settings import Settings

SOURCE: Final = "import"
QUARTER_US: Final = 900_000_000


@dataclass
class FileImport:
    """One run over one file. `renew` makes sure, before anything becomes visible, that the lease is still ours."""

    file: SourceFile
    run_id: str
    imported_us: int
    chooser: Chooser
    lake: Lake
    engine: Engine
    settings: Settings
    keys: KeySet
    progress: Progress
    renew: Callable[[], None]
    dry_run: bool = False
    summary: FileSummary = field(init=False)

    def __post_init__(self) -> None:
        self.summary = FileSummary(self.file.name, self.file.size)
        self._hint: str | None = None

    @property
    def txn(self) -> tuple[str, int]:
        """The transaction that each commit of this run names."""
        return f"import-{self.run_id}", 1

    def run(self) -> FileSummary:
        """Import the file, or finish what a killed run of it began.

        Raises:
            UnavailableError: the lake cannot be written; nothing of the file is visible.
            ConflictError: the lease was lost to another process.
        """
        if self.dry_run:
            self._read_all(None)
            return self.summary
        done = summary_of(self.lake.commit_metadata("posts", self.txn))
        if done is not None:
            self.summary = FileSummary.from_document(done)
        else:
            self._store()
        write_ledger(self.lake, self.txn, self.summary, self.imported_us)
        return self.summary

    def _store(self) -> None:
        begun = time.monotonic()
        try:
            self._store_once(strict=False)
        except LineCountError:
            self.summary = FileSummary(self.file.name, self.file.size)
            # What the first try remembered as seen was not stored.
            self.keys = self.keys.afresh()
            self._store_once(strict=True)
        self.summary.seconds = time.monotonic() - begun

    def _store_once(self, *, strict: bool) -> None:
        begun = time.monotonic()
        with self.lake.appender("posts") as posts, QuarantineWriter(self.lake, self.txn) as quarantine:
            self._read_all((posts, quarantine), strict=strict)
            self.summary.seconds = time.monotonic() - begun
            self.renew()
            quarantine.commit()
            summary = json.dumps(self.summary.document(), ensure_ascii=False)
            posts.commit(txn=self.txn, metadata={"summary": summary})

    def _read_all(self, out: tuple[Appender, QuarantineWriter] | None, *, strict: bool = False) -> None:
        origin = Origin(SOURCE, self.file.name, self.imported_us)
        reader = Reader(self.engine, self.chooser, origin, self.settings.tmp_path)
        reading = FileReading(self.file, reader, self.settings.max_record, strict)
        records = 0
        for read in reading.reads():
            if isinstance(read, Posts):
                records += self._posts(read, out)
                self.progress.at(int(read.rows["origin_offset"][-1].as_py()), records)
            elif isinstance(read, Ignored):
                self.summary.ignore(read.layout, read.reason, read.count)
                records += read.count
            elif isinstance(read, Reached):
                continue
            else:
                records += len(read)
                self._rejected(read, reading, origin, out)
        self.summary.error = reading.error or self.summary.nothing_read()

    def _posts(self, read: Posts, out: tuple[Appender, QuarantineWriter] | None) -> int:
        counts = self.summary.of(read.layout.platform, read.layout.id)
        new = self.keys.admit(read.rows)
        stored = int(new.sum())
        counts.stored += stored
        counts.known += len(new) - stored
        if out is not None and stored:
            out[0].write(take_rows(read.rows, new))
        return len(new)

    def _rejected(
        self,
        rejections: list[Rejection],
        reading: FileReading,
        origin: Origin,
        out: tuple[Appender, QuarantineWriter] | None,
    ) -> None:
        self.summary.reject(rejections)
        if out is not None:
            hint = self.chooser.options.to_hint(self.settings.tz, **reading.hint)
            out[1].write(quarantine_rows(rejections, origin, hint))


class QuarantineWriter:
    """Appends to the quarantine what is not there yet; makes no commit when there is nothing to append."""

    def __init__(self, lake: Lake, txn: tuple[str, int]) -> None:
        self._lake = lake
        self._txn = txn
        self._done = (lake.txn_version("quarantine", txn[0]) or 0) >= txn[1]
        self._appender: Appender | None = None
        self._known: dict[str, set[str]] = {}

    def __enter__(self) -> QuarantineWriter:
        return self

    def __exit__(self, *error: object) -> None:
        if self._appender is not None:
            self._appender.__exit__(None, None, None)

    def write(self, rows: pa.Table) -> None:
        """Add rows of one origin; those whose id the quarantine has are left out."""
        if self._done:
            return
        origin = rows["origin"][0].as_py()
        if origin not in self._known:
            held = self._lake.read("quarantine", ["id"], {"origin": origin})
            self._known[origin] = set(held["id"].to_pylist())
        known = self._known[origin]
        fresh = []
        for id_ in rows["id"].to_pylist():
            fresh.append(id_ not in known)
            known.add(id_)
        if any(fresh):
            self._appender = self._appender or self._lake.appender("quarantine")
            self._appender.write(rows.filter(pa.array(fresh)))

    def commit(self) -> None:
        """Make the rows visible."""
        if self._appender is not None:
            self._appender.commit(txn=self._txn)


def write_ledger(lake: Lake, txn: tuple[str, int], summary: FileSummary, imported_us: int) -> None:
    """The ledger row of one file, unless its run has written it before."""
    counts = [summary.count(name) for name in ("read", "stored", "known", "rejected", "ignored")]
    row = [txn[0].removeprefix("import-"), SOURCE, summary.path, imported_us // QUARTER_US * QUARTER_US, *counts]
    arrays = [pa.array([value], column.type) for value, column in zip(row, LEDGER, strict=True)]
    lake.append("ledger", pa.table(arrays, schema=LEDGER), txn=txn)
