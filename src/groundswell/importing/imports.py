"""Importing paths: the files one after another, each under the lease of the lake, each a run of its own."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from groundswell.desk import Desk, leases, runs
from groundswell.desk.clock import Clock, wall_us
from groundswell.desk.tables import RunRow
from groundswell.errors import ConflictError, GroundswellError, UnavailableError, UsageError
from groundswell.importing.choice import Chooser, Options
from groundswell.importing.known import KeySet, keys_of
from groundswell.importing.progress import Progress, Silent
from groundswell.importing.summary import FileSummary, ImportSummary
from groundswell.importing.unit import FileImport, write_ledger
from groundswell.lake import Lake
from groundswell.lake.store import summary_of
from groundswell.sources.files import SourceFile, find_files

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

LEASE: Final = "lake"
KIND: Final = "import"
#: How long an import waits for its turn, seconds.
WAIT_S: Final = 3600.0


def import_paths(  # noqa: PLR0913 - the parts of a home, each of which a test replaces
    paths: Sequence[str],
    options: Options,
    lake: Lake,
    desk: Desk,
    engine: Engine,
    settings: Settings,
    progress: Progress | None = None,
    *,
    registry: Registry | None = None,
    stdin: BinaryIO | None = None,
    now: Clock = wall_us,
) -> ImportSummary:
    """Import files, folders, globs and standard input (`-`) into the lake.

    A file that cannot be read is named in its summary (`error`) and does not stop the others.

    Raises:
        NotFoundError: a path names nothing.
        UnknownChoiceError: the options name a layout, field or column that does not exist.
        UnavailableError: the lake or the desk cannot be written; what was imported before is complete.
        ConflictError: another process keeps the lake for longer than an hour.
    """
    from groundswell.platforms import registry as installed  # noqa: PLC0415 - loads every layout

    chooser = Chooser.for_options(registry or installed(), options)
    begun = time.monotonic()
    files = find_files(paths, settings.tmp_path, stdin)
    work = _Import(files, chooser, lake, desk, engine, settings, progress or Silent(), now)
    try:
        summaries = work.dry_run() if options.dry_run else work.run()
    finally:
        for file in files:
            if not file.kept:
                file.path.unlink(missing_ok=True)
    return ImportSummary(summaries, time.monotonic() - begun)


@dataclass
class _Import:
    """The files of one call."""

    files: list[SourceFile]
    chooser: Chooser
    lake: Lake
    desk: Desk
    engine: Engine
    settings: Settings
    progress: Progress
    now: Clock
    _keys: KeySet | None = None
    _version: int = -2
    _settled: set[str] = field(default_factory=set)

    def run(self) -> list[FileSummary]:
        """Import each file under the lease."""
        summaries = []
        for number, file in enumerate(self.files, 1):
            with self._turn() as held:
                if number == 1:
                    self._settle_others()
                self.progress.file(file.name, number, len(self.files), file.size)
                summaries.append(self._import(file, held.renew))
        return summaries

    def dry_run(self) -> list[FileSummary]:
        """Read each file and store nothing."""
        keys = KeySet(keys_of(self.lake))
        summaries = []
        for number, file in enumerate(self.files, 1):
            self.progress.file(file.name, number, len(self.files), file.size)
            summaries.append(self._unit(file, "", self.now(), keys, lambda: None, dry_run=True).run())
        return summaries

    @contextmanager
    def _turn(self) -> Iterator[leases.Held]:
        """The lease, after telling the person whom it waits for."""
        with self.desk.reading() as session:
            holder = leases.holder_of(session, LEASE)
        if holder is not None:
            self.progress.say(f"waiting for {leases.describe(holder)}, which writes to the lake")
        with leases.hold(self.desk, LEASE, wait_s=WAIT_S) as held:
            yield held

    def _import(self, file: SourceFile, renew: Callable[[], None]) -> FileSummary:
        subject = self._subject(file)
        with self.desk.session() as session:
            run = runs.unfinished(session, KIND, subject) or runs.start(session, KIND, subject, now_us=self.now())
        keys = self._current_keys()
        unit = self._unit(file, run.id, run.started_at, keys, renew)
        try:
            summary = unit.run()
        except ConflictError:
            raise
        except BaseException as error:
            self._keys = None
            self._fail(run)
            if not isinstance(error, GroundswellError) or isinstance(error, (UsageError, UnavailableError)):
                raise
            # What the engine cannot do with this file does not stop the others.
            return FileSummary(file.name, file.size, error=str(error))
        self._keys, self._version = unit.keys, self.lake.version("posts")
        with self.desk.session() as session:
            runs.finish(session, run.id, summary.document(), now_us=self.now())
        return summary

    def _unit(
        self,
        file: SourceFile,
        run_id: str,
        imported_us: int,
        keys: KeySet,
        renew: Callable[[], None],
        *,
        dry_run: bool = False,
    ) -> FileImport:
        return FileImport(
            file,
            run_id,
            imported_us,
            self.chooser,
            self.lake,
            self.engine,
            self.settings,
            keys,
            self.progress,
            renew,
            dry_run,
        )

    def _current_keys(self) -> KeySet:
        """The keys seen so far, unless another process has appended posts since."""
        if self._keys is None or self._version != self.lake.version("posts"):
            self._keys = KeySet(keys_of(self.lake))
        return self._keys

    def _fail(self, run: RunRow) -> None:
        try:
            with self.desk.session() as session:
                runs.finish(session, run.id, None, state="failed", now_us=self.now())
        except Exception:  # noqa: S110 - a full disk may stop this too; the run is then taken up or settled later
            pass

    def _settle_others(self) -> None:
        """Finish the runs that were killed and are not among these files: whoever ran them held this lease."""
        ours = {self._subject(file) for file in self.files}
        with self.desk.reading() as session:
            left = [run for run in runs.listed(session, KIND, limit=1000) if run.state == "running"]
        for run in left:
            if run.subject in ours:
                continue
            txn = (f"import-{run.id}", 1)
            done = summary_of(self.lake.commit_metadata("posts", txn))
            if done is not None:
                write_ledger(self.lake, txn, FileSummary.from_document(done), run.started_at)
            with self.desk.session() as session:
                runs.finish(session, run.id, done, state="failed" if done is None else "done", now_us=self.now())

    def _subject(self, file: SourceFile) -> str:
        options = self.chooser.options
        chosen = json.dumps([options.layout, dict(options.mapping), options.platform, options.tz], sort_keys=True)
        return f"{file.identity}|{hashlib.blake2b(chosen.encode(), digest_size=6).hexdigest()}"
