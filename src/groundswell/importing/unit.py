"""One run of an import over one file or a batch of small ones, so that a kill loses nothing and doubles nothing.

A run is done in parts, each of which is committed and then counted in the ledger; that of a very large file
has several, everything else one. The commit of a part carries the counts so far and the place where it ended:
a run that did not end is taken up there, whoever was killed or when. See `sink` for the commits of one part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from groundswell.importing.along import Companion, companions
from groundswell.importing.choice import SMALL, Chooser
from groundswell.importing.contents import FileReading
from groundswell.importing.derive import Origin
from groundswell.importing.joining import Found, Joiner, Refused, takes
from groundswell.importing.known import take_rows
from groundswell.importing.progress import Progress
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, LineCountError, Posts, Reached
from groundswell.importing.refusals import quarantine_rows
from groundswell.importing.sink import QUARTER_US, Keys, Sink
from groundswell.importing.summary import FileSummary
from groundswell.importing.tally import PART_KEY, Owners, Part, Position, Tally
from groundswell.lake import Lake
from groundswell.sources.compression import Compression
from groundswell.sources.containers import Container, Form
from groundswell.sources.databases import Mark
from groundswell.sources.files import SourceFile
from groundswell.sources.stored import Limits
from groundswell.sources.unfold import unfold
from groundswell.telemetry import each, stage

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings

SOURCE: Final = "import"


#: What becomes of some records, whose they are, and where in the files that is.
Steps = Iterator[tuple[Posts | Ignored | Refused | Reached, Owners, Position]]


@dataclass
class ImportRun:
    """One run. `renew` makes sure, before anything becomes visible, that the lease is still ours.

    `first` of `total` is the number of its first file among all of the import, for whoever watches. `after` is how far
    an earlier run has read the cursor column of its database.
    """

    files: Sequence[SourceFile]
    run_id: str
    imported_us: int
    chooser: Chooser
    lake: Lake
    engine: Engine
    settings: Settings
    keys: Keys
    progress: Progress
    renew: Callable[[], None]
    dry_run: bool = False
    first: int = 1
    total: int = 1
    after: Mark | None = None

    def __post_init__(self) -> None:
        self._tally = Tally()
        self._number = 1
        self._records = 0
        self._along: list[Companion] = []
        self._sink: Sink | None = None
        self._opened: tuple[SourceFile, Container | None] | None = None
        self._clock = time.monotonic()

    @property
    def app(self) -> str:
        """The application that each commit of this run names; its parts are numbered from 1."""
        return f"import-{self.run_id}"

    def run(self) -> list[FileSummary]:
        """Import the files, or finish what a killed run of them began.

        Raises:
            UnavailableError: the lake cannot be written; nothing of the last part is visible.
            ConflictError: the lease was lost to another process.
            LineCountError: the engine lost count in one of several files; import them one by one.
        """
        if self.dry_run:
            for _ in self._parts(Position(), strict=False):
                pass
            return self._tally.files
        strict = False
        while True:
            done, part = settle(self.lake, self.app, self.imported_us)
            self._tally, self._number = Tally.of(part), done + 1
            if part is not None and part.position is None:
                return self._tally.files
            try:
                self._import((part and part.position) or Position(), strict=strict)
                return self._tally.files
            except LineCountError:
                if strict or len(self.files) > 1:
                    raise
                # What the first try remembered as seen was not stored.
                strict = True
                self.keys.forget()

    def _import(self, position: Position, *, strict: bool) -> None:
        """Read from a place on, and commit each part."""
        self._open_sink()
        try:
            for reached in self._parts(position, strict=strict):
                self._commit(reached)
                if reached is not None:
                    self._number += 1
                    self.keys.trim()
                    self._open_sink()
                    self._begin_again(reached)
        finally:
            self._close_sink()

    def _open_sink(self) -> None:
        self._close_sink()
        self._along = companions(self.lake, self.settings, self.chooser.options)
        self._sink = Sink(self.lake, (self.app, self._number), self.keys, self._along)

    def _close_sink(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.__exit__()

    def _commit(self, reached: Position | None) -> None:
        """Make visible what came since the last commit, up to a place to go on from (null: the end)."""
        if self._sink is None:
            return
        if self._opened is not None and reached is not None:
            file, container = self._opened
            for companion in self._along:
                companion.ended(file, reached.offset if _is_text(container) else None)
        self.renew()
        self._time()
        part = self._tally.part(reached)
        with stage("import", "commit", part=self._number):
            self._sink.commit(part.metadata())
        write_ledger(self.lake, self._sink.txn, part, self.imported_us)

    def _begin_again(self, reached: Position) -> None:
        """What goes along with the next part learns of the file in whose middle it begins."""
        if self._opened is not None and _is_text(self._opened[1]):
            for companion in self._along:
                companion.begin(*self._opened, reached.offset)

    def _parts(self, position: Position, *, strict: bool) -> Iterator[Position | None]:
        """Read from a place on; gives each place where a part is long enough to be committed, and null at the end."""
        size = 0
        most = self.settings.import_commit << 20
        self._clock = time.monotonic()
        for step, owners, place in self._steps(position, strict=strict):
            if not isinstance(step, Reached):
                self._take(step, owners)
                continue
            size += step.size
            if self._sink is not None and size >= most:
                yield place
                size = 0
        self._time()
        yield None

    def _steps(self, position: Position, *, strict: bool) -> Steps:
        """What becomes of the records of all files from a place on, whose they are, and places to go on from."""
        reader = self._reader("")
        joiner = Joiner(reader)
        # While the files that were joined are read, the next ones are looked at and joined.
        begun: Steps = iter(())
        with ThreadPoolExecutor(1, "joined") as pool, closing(joiner):
            for at, number, file, data in self._members(position, strict=strict):
                if data is not None:
                    self._join(joiner, number, file, data)
                    if not joiner.is_full:
                        continue
                now = self._joined(joiner, pool, _next(at) if data is not None else at)
                yield from begun
                begun = now
                if data is None:
                    yield from begun
                    begun = iter(())
                    yield from self._alone(file, number, at, strict=strict)
            now = self._joined(joiner, pool, Position(len(self.files)))
            yield from begun
            yield from now

    def _members(self, position: Position, *, strict: bool) -> Iterator[tuple[Position, int, SourceFile, bytes | None]]:
        """The files and what they hold, from a place on: where each begins, its number in the tally, its content.

        The content is given of small NDJSON files, which are joined with others.
        """
        limits = Limits.of(self.settings)
        for number in range(position.file, len(self.files)):
            at = position if number == position.file else Position(number)
            data = None if strict or at.member or at.line > 1 else self._small(self.files[number])
            held = unfold(self.files[number], limits, self.settings.tmp_path) if data is None else self.files[number:]
            for member, file in enumerate(islice(held, at.member, None if data is None else 1), at.member):
                size = file.size if file.database is None else file.database.estimate(self.after) or 0
                self.progress.file(file.name, self.first + number, self.total, size)
                self._records = 0
                place = at if member == at.member else Position(number, member)
                yield place, self._tally.open(file.name, file.size), file, data

    def _small(self, file: SourceFile) -> bytes | None:
        """The content of a file that may be joined with others; null for any other."""
        if len(self.files) < 2 or not file.is_plain or file.size > SMALL:
            return None
        try:
            data = file.path.read_bytes()
        except OSError:
            return None  # told by who reads it alone
        return data if takes(data, self.settings.max_record) else None

    def _join(self, joiner: Joiner, number: int, file: SourceFile, data: bytes) -> None:
        container = Container(Form.NDJSON, Compression.NONE)
        for companion in self._along:
            companion.begin(file, container, 0)
        layout, seen = joiner.add(number, file, data)
        for companion in self._along:
            if layout is not None:
                companion.sample(layout, seen)
            companion.ended(file, None)

    def _joined(self, joiner: Joiner, pool: ThreadPoolExecutor, then: Position) -> Steps:
        """What becomes of the files that were joined, whose reading begins now; `joiner` is free for others."""
        size, names = joiner.size, joiner.names
        return self._counted(pool.submit(list, joiner.reads()), names, size, then) if names else iter(())

    def _counted(self, reading: Future[list[Found]], names: list[str], size: int, then: Position) -> Steps:
        with stage("import", "read", files=len(names)):
            found = reading.result()
        for read, owners in found:
            yield read, owners, then
        for name in names:
            summary = self._tally.named(name)
            summary.error = summary.nothing_read()
        self._time(names)
        yield Reached(0, 1, size), 0, then

    def _alone(self, file: SourceFile, number: int, at: Position, *, strict: bool) -> Steps:
        """What becomes of the records of one file, and the places in it up to which all have been given."""
        summary = self._tally.files[number]
        if file.refused is not None:
            summary.error = file.refused
            return
        start = Reached(at.offset, at.line, 0) if at.line > 1 else None
        stride = 0 if self._sink is None else self.settings.import_commit << 20
        reading = FileReading(file, self._reader(file.name), self.settings.max_record, strict, start, self, stride)
        reading.after, reading.limits = self.after, Limits.of(self.settings)
        for read in each("import", "read", reading.reads()):
            here = replace(at, offset=read.offset, line=read.line) if isinstance(read, Reached) else at
            if isinstance(read, list):
                yield Refused({number: read}, reading.hint), number, here
            else:
                yield read, number, here
        # What is new in a database may well be a bad record alone.
        summary.error = reading.error or (None if self.after is not None else summary.nothing_read())
        summary.notes = reading.notes
        if file.database is not None:
            summary.bytes = reading.size
            summary.cursor = None if reading.mark is None else reading.mark.document()
        for companion in self._along if self._opened is not None else ():
            companion.ended(file, None)
        self._opened = None
        self._time([file.name])
        yield Reached(0, 1, 0), number, _next(at)

    def _take(self, step: Posts | Ignored | Refused, owners: Owners) -> None:
        """Count one step, and store or set aside what it holds."""
        if isinstance(step, Ignored):
            self._tally.ignored(step, owners)
            self._records += step.count
        elif isinstance(step, Refused):
            self._refuse(step)
        else:
            self._records += len(step.numbers)
            offset = int(step.rows["origin_offset"][-1].as_py())
            self._store(step, owners)
            self.progress.at(offset, self._records)

    def _store(self, read: Posts, owners: Owners) -> None:
        part = self.chooser.options.part
        if part is not None:
            wanted = part.keep(read.rows, read.layout.table)
            if not wanted.all():
                out = owners if isinstance(owners, int) else owners[~wanted]
                self._tally.ignored(Ignored(read.layout, part.reason, read.numbers[~wanted].tolist()), out)
                if not wanted.any():
                    return
                owners = owners if isinstance(owners, int) else owners[wanted]
                read = Posts(read.layout, take_rows(read.rows, wanted), read.numbers[wanted])
        table = read.layout.table
        with stage("import", "write", rows=read.rows.num_rows):
            new = self.keys.of(table).admit(read.rows) if self._sink is None else self._sink.store(table, read.rows)
        self._tally.posts(read, new, owners)
        for companion in self._along:
            companion.rows(read, new)

    def _refuse(self, step: Refused) -> None:
        hint = self.chooser.options.to_hint(self.settings.tz, **step.hint)
        tables = []
        for number, rejections in step.by_file.items():
            self._tally.refused(rejections, number)
            self._records += len(rejections)
            origin = Origin(SOURCE, self._tally.files[number].path, self.imported_us)
            if self._sink is not None:
                tables.append(quarantine_rows(rejections, origin, hint))
        if self._sink is not None and tables:
            self._sink.refuse(pa.concat_tables(tables))

    def begin(self, file: SourceFile, container: Container | None, position: int) -> None:
        """A file is begun; what goes along learns of it."""
        self._opened = file, container
        if position > 1 and not _is_text(container):
            return  # a table that was begun in an earlier part
        for companion in self._along:
            companion.begin(file, container, position)

    def sample(self, layout: Layout, records: list[dict[str, Any]]) -> None:
        """The layout of a file was chosen; what goes along learns of it."""
        for companion in self._along:
            companion.sample(layout, records)

    def _reader(self, name: str) -> Reader:
        origin = Origin(SOURCE, name, self.imported_us)
        return Reader(self.engine, self.chooser, origin, self.settings.tmp_path)

    def _time(self, names: Sequence[str] = ()) -> None:
        """The time since it was last asked, shared among some files (or that which was read last) by their size."""
        now = time.monotonic()
        spent, self._clock = now - self._clock, now
        files = [self._tally.named(name) for name in names] or self._tally.files[-1:]
        whole = sum(file.bytes for file in files) or 1
        for file in files:
            file.seconds += spent * (file.bytes / whole if len(files) > 1 else 1)


def settle(lake: Lake, app: str, imported_us: int) -> tuple[int, Part | None]:
    """The last part that a run committed and its number, after it was counted in the ledger; (0, null) if none."""
    number = lake.txn_version("posts", app) or 0
    metadata = lake.commit_metadata("posts", (app, number)) if number else None
    if metadata is None or PART_KEY not in metadata:
        return 0, None
    part = Part.read(metadata)
    write_ledger(lake, (app, number), part, imported_us)
    return number, part


def write_ledger(lake: Lake, txn: tuple[str, int], part: Part, imported_us: int) -> None:
    """The rows of the ledger of a part, unless they were written before."""
    batch = txn[0].removeprefix("import-")
    lake.append("ledger", part.ledger_rows(batch, SOURCE, imported_us // QUARTER_US * QUARTER_US), txn=txn)


def _next(at: Position) -> Position:
    return Position(at.file, at.member + 1)


def _is_text(container: Container | None) -> bool:
    """Whether places in the content are bytes."""
    return container is not None and container.form is not Form.TABLE
