"""Keeping the raw content of files while they are imported.

A thread reads each file once more, a little behind the import (from the page cache), and packs it. It takes nothing
from the import but the place that was reached. Content that is kept already is not kept again: it is compared byte
by byte with the newest content of the same origin, or with one that begins alike; of a file that grew, what is new
is kept.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from groundswell.desk.clock import moment, wall_us
from groundswell.errors import GroundswellError, UnavailableError
from groundswell.lake import Lake, raw_index
from groundswell.lake.failures import told
from groundswell.lake.raw import FRAME, Extent, RawReader, RawWriter, new_object
from groundswell.lake.raw_index import Kept
from groundswell.sources.compression import CHUNK, Compression, CutShortError, content, file_compression
from groundswell.sources.containers import Form
from groundswell.sources.encodings import recoded
from groundswell.sources.files import SourceFile
from groundswell.stores import raw_root

if TYPE_CHECKING:
    from groundswell.importing.reads import Posts
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings
    from groundswell.sources.containers import Container

#: Bytes by whose hash content that begins alike is found.
HEAD: Final = 64 << 10
#: The last piece of a file that grew is kept again if it is shorter, so that many small additions stay few pieces.
LEAST: Final = 1 << 20
SOURCE: Final = "import"

_AS_IT_IS: Final = ("utf-8", "utf-8-sig")

#: Puts the next bytes into a buffer and gives their number; 0 at the end.
Fill = Callable[[memoryview], int]


@dataclass
class _Job:
    """One file: how far it may be read, where it ends, and what came of it."""

    file: SourceFile
    container: Container | None
    kept: Kept
    reached: int
    end: int | None = None
    whole: bool = False
    """Whether it is to be read to its end."""

    paced: bool = True
    """Whether the places that the import reached are bytes of the content, so that reading can follow it."""

    used: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class RawKeeping:
    """Goes along with one part of an import and keeps the raw content of its files (see `importing.along`)."""

    def __init__(self, lake: Lake, settings: Settings, hint: str | None) -> None:
        self._lake = lake
        self._root = raw_root(settings)
        self._staging = settings.tmp_path
        self._hint = hint
        self._jobs: dict[str, _Job] = {}
        self._waiting: deque[_Job] = deque()
        self._moved = threading.Condition()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._ending = self._unwanted = False
        self._writer: RawWriter | None = None
        self._earlier: raw_index.Earlier | None = None
        self._reader = RawReader(self._root)
        self._buffer = bytearray(FRAME + CHUNK)

    def begin(self, file: SourceFile, container: Container | None, position: int) -> None:
        """Reading of `file` begins at byte `position` of its content, or at that row of a table."""
        if container is None and file.table is None:
            return  # a database: what it answered is nowhere as bytes
        paced = container is not None and container.form in (Form.NDJSON, Form.JSON)
        if not paced and position > 1:
            return  # the first part kept all of the table
        kept = Kept(SOURCE, file.name, 0, raw_index.FILE if container is None else str(container.form))
        kept.identity, kept.hint = file.identity, self._hint
        kept.position = position if paced else 0
        job = _Job(file, container, kept, position, paced=paced)
        if container is not None:
            kept.encoding, kept.delimiter = container.encoding, container.delimiter
        self._jobs[file.name] = job
        with self._moved:
            self._waiting.append(job)
            self._moved.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="keep-raw", daemon=True)
            self._thread.start()

    def sample(self, layout: Layout, records: Sequence[Mapping[str, Any]]) -> None:
        """Which layout reads a file makes no difference to its content."""

    def rows(self, read: Posts, new: object) -> None:
        """Note which files have records that are read, and how far the import is.

        Raises:
            UnavailableError: the raw content cannot be written.
        """
        del new
        self._check()
        self._note(read.rows)

    def refused(self, rows: pa.Table) -> None:
        """Note which files have records that are set aside."""
        self._note(rows)

    def ended(self, file: SourceFile, position: int | None) -> None:
        """Content was read up to `position`, null: to its end. A file that may go away now has been read."""
        job = self._jobs.get(file.name)
        if job is None:
            return
        with self._moved:
            job.end, job.whole = (position if job.paced else None), position is None or not job.paced
            self._moved.notify()
        if not (file.is_plain and file.kept):
            job.done.wait()
        self._check()

    def commit(self, txn: tuple[str, int]) -> None:
        """Bring everything to the disk and enter it in the index, unless this transaction did so before.

        Raises:
            UnavailableError: the disk is full or cannot be written; nothing was kept.
        """
        self._finish()
        self._check()
        rows = [job.kept for job in self._jobs.values() if job.used and job.kept.length]
        if self._writer is None:
            return
        with told("keep the raw content", self._root), self._writer as writer:
            if not rows or (self._lake.txn_version(raw_index.TABLE, txn[0]) or 0) >= txn[1]:
                return
            writer.seal()
        for kept in rows:
            kept.batch, kept.part = txn
            kept.extents.sort(key=lambda extent: extent.content)
        self._lake.append(raw_index.TABLE, raw_index.table_of(rows), txn=txn)

    def abort(self) -> None:
        """Stop, and remove what was written."""
        self._unwanted = True
        self._finish()
        if self._writer is not None:
            self._writer.abort()

    def _note(self, rows: pa.Table) -> None:
        times = rows["imported_at" if "imported_at" in rows.column_names else "at"]
        at = times[0].cast(pa.int64()).as_py()
        origin = rows["origin"]
        first, last = origin[0].as_py(), origin[-1].as_py()
        # The rows of one file are the rule; only joined small files give others.
        for name in (first,) if first == last else origin.unique().to_pylist():
            if (job := self._jobs.get(name)) is not None:
                job.used = True
                job.kept.imported_us = at
        if first == last and (job := self._jobs.get(first)) is not None and job.paced:
            with self._moved:
                job.reached = max(job.reached, rows["origin_offset"][-1].as_py())
                self._moved.notify()

    def _check(self) -> None:
        if self._failure is not None:
            failure = self._failure
            if isinstance(failure, OSError):
                with told("keep the raw content", self._root):
                    raise failure
            raise failure

    def _finish(self) -> None:
        with self._moved:
            self._ending = True
            self._moved.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._moved:
                self._moved.wait_for(lambda: self._waiting or self._ending)
                if not self._waiting:
                    return
                job = self._waiting.popleft()
            try:
                if self._failure is None and not self._unwanted:
                    self._keep(job)
            except BaseException as error:
                # Told to the import at its next step; the thread has nobody to tell.
                self._failure = error
            finally:
                job.done.set()

    def _keep(self, job: _Job) -> None:
        if self._writer is None:
            name = new_object(moment(wall_us()).strftime("%Y-%m-%d"))
            self._writer = RawWriter(self._root, name, staging=self._staging)
        with ExitStack() as opened:
            taken = _Taken(self._reading(job, opened), job.kept.position, self._buffer)
            self._take(job, taken)

    def _take(self, job: _Job, taken: _Taken) -> None:
        kept = job.kept
        assert self._writer is not None  # noqa: S101 - made before the first file
        if kept.position == 0:
            kept.head = head_of(bytes(taken.peek(HEAD)))
        # Only this process writes now, so what was there when the part began is there still.
        self._earlier = self._earlier or raw_index.earlier(self._lake)
        earlier = self._earlier.content(SOURCE, kept.origin, kept.head)
        self._follow(taken, earlier, kept)
        for place, block in taken.blocks():
            self._writer.add(block, place, kept.extents)
        kept.length = taken.at - kept.position
        whole = kept.position == 0 and job.whole and taken.error is None
        if whole and earlier and _is_same(earlier, kept):
            job.used = False

    def _follow(self, taken: _Taken, earlier: Sequence[Kept], kept: Kept) -> None:
        """Take over the pieces of earlier content for as long as they are the same."""
        for extent in (extent for entry in earlier for extent in entry.extents):
            if extent.end <= taken.at:
                continue
            if extent.content != taken.at:
                return
            if (
                extent.length < LEAST
                and extent.end == earlier[-1].end
                and len(taken.peek(extent.length + 1)) > extent.length
            ):
                return
            try:
                if bytes(taken.peek(extent.length)) != self._reader.read(extent):
                    return
            except UnavailableError:
                return  # what is damaged there is kept anew here
            kept.extents.append(extent)
            taken.skip(extent.length)

    def _reading(self, job: _Job, opened: ExitStack) -> Fill:
        """Fills a buffer with the content, as far as the import has reached."""
        at, source, container = job.kept.position, job.file.stored, job.container
        if container is not None and container.form is not Form.TABLE and container.encoding not in _AS_IT_IS:
            # Places count in the text as it was read.
            chunks = opened.enter_context(closing(content(source)))
            fill = _from_chunks(_behind(recoded(chunks, container.encoding), at))
            job.kept.encoding = "utf-8"
        elif isinstance(source, Path) and file_compression(source) is Compression.NONE:
            file = opened.enter_context(source.open("rb", buffering=0))
            file.seek(at)
            fill = file.readinto
        else:
            fill = _from_chunks(opened.enter_context(closing(content(source, at))))

        def paced(target: memoryview) -> int:
            nonlocal at
            room = self._room(job, at, len(target))
            came = fill(target[:room]) if room else 0
            at += came
            return came

        return paced

    def _room(self, job: _Job, at: int, size: int) -> int:
        """How many bytes may be read now; waits for the import to come past `at`."""
        with self._moved:
            self._moved.wait_for(
                lambda: job.whole or job.end is not None or at < job.reached or self._ending or not job.paced
            )
        if self._unwanted:
            return 0
        if job.end is not None:
            return min(size, max(0, job.end - at))
        # Where this part ends is not known yet, but it is behind what was reached.
        return size if job.whole or not job.paced or self._ending else min(size, job.reached - at)


class _Taken:
    """Content as it comes, with a look ahead; ends quietly where it is damaged (the import says so).

    What it gives is a view of its one buffer and valid until the next call.
    """

    def __init__(self, fill: Fill, at: int, buffer: bytearray) -> None:
        self.at = at
        self.error: GroundswellError | None = None
        self._fill = fill
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._start = self._stop = 0
        self._ended = False

    def peek(self, size: int) -> memoryview:
        """The next bytes (at most a frame and a little), fewer at the end."""
        if self._start + size > len(self._buffer):
            held = self._stop - self._start
            self._buffer[:held] = self._buffer[self._start : self._stop]
            self._start, self._stop = 0, held
        while self._stop - self._start < size and not self._ended:
            try:
                came = self._fill(self._view[self._stop : self._start + size])
            except CutShortError as error:
                self.error, came = error, 0
            self._stop += came
            self._ended = not came
        return self._view[self._start : min(self._stop, self._start + size)]

    def skip(self, size: int) -> None:
        """Leave out bytes that were looked at."""
        self._start += size
        self.at += size

    def blocks(self) -> Iterator[tuple[int, memoryview]]:
        """What is left, in blocks that end with a line where lines are not too long."""
        while block := self.peek(FRAME):
            if len(block) == FRAME:
                line = self._buffer.rfind(b"\n", self._start + FRAME // 2, self._start + FRAME) + 1
                block = block[: line - self._start] if line else block
            place = self.at
            self.skip(len(block))
            yield place, block


def _behind(chunks: Iterator[bytes], start: int) -> Iterator[bytes]:
    """The chunks from byte `start` on."""
    for chunk in chunks:
        if start < len(chunk):
            yield chunk[start:]
        start = max(0, start - len(chunk))


def _from_chunks(chunks: Iterator[bytes]) -> Fill:
    """Fills from chunks as they come."""
    rest = b""

    def fill(target: memoryview) -> int:
        nonlocal rest
        rest = rest or next(chunks, b"")
        size = min(len(target), len(rest))
        target[:size] = rest[:size]
        rest = rest[size:]
        return size

    return fill


def head_of(beginning: bytes) -> str:
    """The hash by which content that begins alike is found."""
    return hashlib.blake2b(beginning[:HEAD], digest_size=16).hexdigest()


def _is_same(earlier: Sequence[Kept], kept: Kept) -> bool:
    """Whether the origin's newest content holds all of this, so that its entry serves for this too."""
    if len(earlier) != 1 or earlier[0].origin != kept.origin:
        return False
    # What was kept anew may not have its extent yet.
    held: set[Extent] = set(earlier[0].extents)
    return held.issuperset(kept.extents) and sum(extent.length for extent in kept.extents) == kept.length


def keeping(lake: Lake, settings: Settings, options: Any) -> RawKeeping | None:
    """What keeps the raw content of an import; null if it shall not be kept."""
    if not (settings.keep_raw and options.raw):
        return None
    return RawKeeping(lake, settings, options.to_hint(settings.tz))
