"""Importing paths: runs over one file or many small ones, one after another, each under the lease of the lake.

An import that was interrupted (killed, out of disk) and is begun again with the same files takes up where it was:
runs that ended are not done again, the one that did not goes on from its last commit, and the summary is that
of an import that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from groundswell.desk import Desk, leases, runs
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import ConflictError, GroundswellError, UnavailableError, UsageError
from groundswell.importing.along import finished
from groundswell.importing.choice import Chooser, Options
from groundswell.importing.databases import last_mark
from groundswell.importing.estimate import estimate
from groundswell.importing.progress import CancelledError, Progress, Silent
from groundswell.importing.sink import Keys
from groundswell.importing.summary import FileSummary, ImportSummary
from groundswell.importing.tally import Tally
from groundswell.importing.unit import ImportRun, settle
from groundswell.lake import Lake
from groundswell.lake.keyfiles import MOST
from groundswell.sources.files import SourceFile, find_files
from groundswell.telemetry import stage

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

LEASE: Final = "lake"
#: Runs over files, and the imports that they belong to.
KIND: Final = "import"
CALL: Final = "import-call"
#: How long an import waits for its turn, seconds.
WAIT_S: Final = 3600.0
#: Files of at most so many bytes share a run, until it has so many bytes or files.
SHARED: Final = 32 << 20
BATCH_BYTES: Final = 512 << 20
BATCH_FILES: Final = 20_000
#: What stops the whole import, and not only that of one file.
_STOPS: Final = (UsageError, UnavailableError, CancelledError)


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
    named: Mapping[Path, str] | None = None,
    now: Clock = wall_us,
) -> ImportSummary:
    """Import files, folders, globs and standard input (`-`) into the lake.

    A file that cannot be read is named in its summary (`error`) and does not stop the others. `named` gives what
    some paths are called in the lake and in the summary.

    Raises:
        NotFoundError: a path names nothing.
        UnknownChoiceError: the options name a layout, field or column that does not exist.
        UnavailableError: the lake or the desk cannot be written, or the disk has no room for what a sample says is
            needed (`options.force` goes on all the same); what was imported before is complete.
        ConflictError: another process keeps the lake for longer than an hour.
        CancelledError: `progress` raised it; what was committed before stays, and the same import goes on from there.
    """
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

    chooser = Chooser.for_options(registry or registry_for(settings), options)
    begun = time.monotonic()
    found = find_files(paths, settings.tmp_path, stdin, question=options.question, s3_endpoint=settings.s3_endpoint)
    files = [_called(file, named or {}) for file in found]
    work = _Import(files, chooser, lake, desk, engine, settings, progress or Silent(), now)
    try:
        expected = estimate(files, chooser, lake, engine, settings)
        if expected is not None:
            work.progress.say(expected.sentence)
            if not (options.force or options.dry_run):
                expected.check()
        summaries = work.dry_run() if options.dry_run else work.run()
    finally:
        for file in files:
            if not file.kept:
                file.path.unlink(missing_ok=True)
    seconds = time.monotonic() - begun
    for sentence in [] if options.dry_run else finished(lake, desk, now=now):
        work.progress.say(sentence)
    return ImportSummary(summaries, seconds, None if expected is None else expected.document())


def batches(files: Sequence[SourceFile]) -> Iterator[list[SourceFile]]:
    """The files in order, small ones that follow each other together: each list is one run."""
    batch: list[SourceFile] = []
    size = 0
    for file in files:
        shares = file.is_plain and file.kept and file.size <= SHARED
        if batch and (not shares or size + file.size > BATCH_BYTES or len(batch) >= BATCH_FILES):
            yield batch
            batch, size = [], 0
        if shares:
            batch.append(file)
            size += file.size
        else:
            yield [file]
    if batch:
        yield batch


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
    call: str = ""
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys(self.lake, MOST)

    def run(self) -> list[FileSummary]:
        """Import each batch of files under the lease."""
        subject = self._subject(self.files)
        with self.desk.session() as session:
            call = runs.unfinished(session, CALL, subject) or runs.start(session, CALL, subject, now_us=self.now())
            self.call = call.id
        summaries: list[FileSummary] = []
        first = 1
        try:
            for batch in batches(self.files):
                with self._turn() as held:
                    if first == 1:
                        self._settle_others()
                    summaries += self._import(batch, first, held.renew)
                first += len(batch)
        except BaseException as error:
            if not _may_go_on(error):
                self._fail(self.call)
            raise
        with self.desk.session() as session:
            runs.finish(session, self.call, _sums(summaries), now_us=self.now())
        return summaries

    def dry_run(self) -> list[FileSummary]:
        """Read each file and store nothing."""
        summaries: list[FileSummary] = []
        first = 1
        for batch in batches(self.files):
            unit = self._unit(batch, "", self.now(), first, lambda: None, dry_run=True)
            with self.desk.reading() as session:
                unit.after = last_mark(session, KIND, self._subject(batch))
            summaries += unit.run()
            first += len(batch)
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

    def _import(self, files: list[SourceFile], first: int, renew: Callable[[], None]) -> list[FileSummary]:
        """One run, or what it did if it ended before this import was interrupted."""
        subject = self._subject(files)
        with self.desk.session() as session:
            last = runs.latest(session, KIND, subject)
            if last is not None and last.state == "done" and (last.summary or {}).get("call") == self.call:
                _, part = settle(self.lake, f"import-{last.id}", last.started_at)
                if part is not None:
                    return Tally.of(part).files
            run = last if last is not None and last.state == "running" else None
            run = run or runs.start(session, KIND, subject, now_us=self.now())
            run.summary = {"call": self.call}
            after = last_mark(session, KIND, subject)
        self.keys.check()
        unit = self._unit(files, run.id, run.started_at, first, renew)
        unit.after = after
        try:
            with stage("import", "file", file=files[0].name, files=len(files)) as told:
                summaries = unit.run()
                told.note(stored=sum(one.count("stored") for one in summaries))
        except BaseException as error:
            if isinstance(error, ConflictError):
                renew()  # raises what took the lease; any other conflict is between the options and the file
            self.keys.forget()
            if not _may_go_on(error) or self.lake.txn_version("posts", unit.app) is None:
                self._fail(run.id)
            if not isinstance(error, GroundswellError) or isinstance(error, _STOPS):
                raise
            if len(files) > 1:
                # One of them is in the way of the others: each gets a run of its own.
                return [one for at, file in enumerate(files) for one in self._import([file], first + at, renew)]
            # What the engine cannot do with this file does not stop the others.
            return [FileSummary(files[0].name, files[0].size, error=str(error))]
        self.keys.settle()
        with self.desk.session() as session:
            runs.finish(session, run.id, _document(summaries) | {"call": self.call}, now_us=self.now())
        return summaries

    def _unit(
        self,
        files: list[SourceFile],
        run_id: str,
        imported_us: int,
        first: int,
        renew: Callable[[], None],
        *,
        dry_run: bool = False,
    ) -> ImportRun:
        return ImportRun(
            files,
            run_id,
            imported_us,
            self.chooser,
            self.lake,
            self.engine,
            self.settings,
            self.keys,
            self.progress,
            renew,
            dry_run,
            first,
            len(self.files),
        )

    def _fail(self, run_id: str) -> None:
        try:
            with self.desk.session() as session:
                runs.finish(session, run_id, None, state="failed", now_us=self.now())
        except Exception:  # noqa: S110 - a full disk may stop this too; the run is then taken up or settled later
            pass

    def _settle_others(self) -> None:
        """Finish the runs that were killed and are not among these files: whoever ran them held this lease.

        One that has committed a part of a large file waits to be taken up, unless the file has changed since.
        """
        ours = {self._subject(batch) for batch in batches(self.files)}
        changed = {file.name for file in self.files}
        with self.desk.reading() as session:
            left = [run for run in runs.listed(session, KIND, limit=1000) if run.state == "running"]
        for run in left:
            if run.subject in ours:
                continue
            _, part = settle(self.lake, f"import-{run.id}", run.started_at)
            if part is not None and part.position is not None and run.subject.partition("|")[0] not in changed:
                continue
            done = part is not None and part.position is None
            summary = _document(Tally.of(part).files) if part is not None else None
            with self.desk.session() as session:
                runs.finish(session, run.id, summary, state="done" if done else "failed", now_us=self.now())

    def _subject(self, files: Sequence[SourceFile]) -> str:
        """What a run works on: the state of its files and the options."""
        options = self.chooser.options
        said: list[Any] = [options.layout, dict(options.mapping), options.platform, options.tz]
        said += [options.part.said] if options.part is not None else []
        chosen = _hash(json.dumps(said, sort_keys=True))
        if len(files) == 1:
            return f"{files[0].identity}|{chosen}"
        return f"{len(files)} files|{_hash(chr(10).join(file.identity for file in files))}|{chosen}"


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _called(file: SourceFile, names: Mapping[Path, str]) -> SourceFile:
    return replace(file, name=names[file.path]) if file.path in names else file


def _document(files: Sequence[FileSummary]) -> dict[str, Any]:
    """What a run's row in the desk says of it: the summary of its file, or the sums over its files."""
    if len(files) == 1:
        return files[0].document()
    try:
        common = os.path.commonpath([file.path for file in files])
    except ValueError:
        common = ""  # none, or files and URLs among each other
    return _sums(files) | {"path": common, "files": len(files)}


def _sums(files: Sequence[FileSummary]) -> dict[str, Any]:
    return ImportSummary(list(files), sum(file.seconds for file in files)).sums()


def _may_go_on(error: BaseException) -> bool:
    """Whether what stopped the import may be gone when it is begun again."""
    return isinstance(error, (KeyboardInterrupt, SystemExit, UnavailableError, CancelledError))
