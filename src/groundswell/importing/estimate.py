"""What a large import will take, from a sample of it: rows, time and disk, before anything is stored."""

from __future__ import annotations

import io
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from groundswell.errors import GroundswellError, UnavailableError
from groundswell.importing.contents import FileReading
from groundswell.importing.derive import Origin
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, Posts, Reached
from groundswell.sources.compression import CutShortError, content
from groundswell.sources.containers import Form, detect, text
from groundswell.sources.files import SourceFile
from groundswell.sources.stored import Limits, MiB, Source, open_source
from groundswell.sources.unfold import unfold
from groundswell.stores import Place

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.choice import Chooser
    from groundswell.lake import Lake
    from groundswell.settings import Settings

#: Imports of fewer bytes are over soon, and are estimated only where the disk might not have room for them.
LARGE: Final = 4096 * MiB
SMALL: Final = 256 * MiB
#: Content that is read of each file of the sample, and files in the sample.
_SAMPLE: Final = 2 * MiB
_FILES: Final = 8
#: Disk that an import leaves free, and that temporary pieces of packed files take.
_LEAVE: Final = 256 * MiB
_PIECES: Final = 256 * MiB
#: The stages of an import overlap, so that it is quicker than its sample.
_OVERLAP: Final = 0.6


@dataclass(frozen=True)
class Estimate:
    """What an import will take. `disk` and `free` are bytes; `free` is null where nobody knows (an object store).

    `sampled` rows were read for it; `rows` is null if nothing could be read of the sample.
    """

    files: int
    bytes: int
    rows: int | None
    seconds: float | None
    disk: int | None
    free: int | None
    sampled: int

    def document(self) -> dict[str, Any]:
        """As `import --json` shows it under `estimate`."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "rows": self.rows,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "disk_bytes": self.disk,
            "free_bytes": self.free,
            "sampled_rows": self.sampled,
        }

    @property
    def sentence(self) -> str:
        """The estimate for people."""
        if self.rows is None or self.seconds is None or self.disk is None:
            return f"{_size(self.bytes)} in {self.files:,} files; how many rows cannot be told from a sample"
        free = "" if self.free is None else f"; {_size(self.free)} are free"
        return f"about {self.rows:,} rows, {_duration(self.seconds)}, {_size(self.disk)} of disk{free}"

    def check(self) -> None:
        """That the disk has room.

        Raises:
            UnavailableError: it has not.
        """
        if self.disk is None or self.free is None or self.disk + _LEAVE <= self.free:
            return
        what = f"the import needs about {_size(self.disk)} of disk, and {_size(self.free)} are free"
        hint = (
            "free some space, import a part (--sample 10%, --since, --where), leave out the raw records (--no-raw), "
            "or go on with --force"
        )
        raise UnavailableError(what, hint=hint, fields=self.document())


def estimate(
    files: Sequence[SourceFile], chooser: Chooser, lake: Lake, engine: Engine, settings: Settings
) -> Estimate | None:
    """What the import of `files` will take; null if they are too few bytes for it to matter.

    Databases and URLs are not looked at: they are not counted in.
    """
    local = [file for file in files if file.database is None and file.url is None and file.refused is None]
    size = sum(file.size for file in local)
    free = _free(lake.root)
    if size < SMALL or (size < LARGE and (free is None or free > 2 * size + _LEAVE)):
        return None
    sample = _Sample(chooser, engine, settings)
    for file in sorted(local, key=lambda file: file.size, reverse=True)[:_FILES]:
        try:
            sample.add(file)
        except (GroundswellError, OSError):
            continue  # the import itself says what is wrong with it
    return sample.estimate(len(files), size, free)


@dataclass
class _Sample:
    """The beginnings of some files; `stored` are bytes as they lie there, `content` as they are read."""

    chooser: Chooser
    engine: Engine
    settings: Settings
    stored: float = 0.0
    content: int = 0
    rows: int = 0
    kept: int = 0
    seconds: float = 0.0
    lake_bytes: int = 0
    raw_bytes: int = 0
    packed: bool = False
    _warm: bool = field(default=False)

    def add(self, file: SourceFile) -> None:
        """Read the beginning of a file, or of the first that it holds."""
        limits = Limits.of(self.settings)
        ratio = _unpacked_ratio(file, limits)
        self.packed = self.packed or ratio != 1
        for part in unfold(file, limits, self.settings.tmp_path):
            if part.refused is not None or part.table is not None:
                continue
            with _beginning(part, self.settings.tmp_path) as beginning:
                if beginning is None:
                    return
                if not self._warm:
                    self._read(beginning)  # what is loaded and compiled once is not of the rate
                    self._warm = True
                begun = time.perf_counter()
                tables, rows = self._read(beginning)
                self.lake_bytes += sum(map(_written, tables))
                self.seconds += time.perf_counter() - begun
                self.rows += rows
                self.kept += sum(table.num_rows for table in tables)
                data = beginning.path.read_bytes()
            self.content += len(data)
            self.stored += len(data) / ratio
            self.raw_bytes += len(zstandard.ZstdCompressor(level=1).compress(data)) if self.chooser.options.raw else 0
            return

    def _read(self, file: SourceFile) -> tuple[list[pa.Table], int]:
        origin = Origin("estimate", file.name, 0)
        reader = Reader(self.engine, self.chooser, origin, self.settings.tmp_path)
        reading = FileReading(file, reader, self.settings.max_record, strict=False)
        part = self.chooser.options.part
        tables: list[pa.Table] = []
        rows = 0
        for read in reading.reads():
            if isinstance(read, Posts):
                rows += len(read.numbers)
                kept = (
                    read.rows if part is None else read.rows.filter(pa.array(part.keep(read.rows, read.layout.table)))
                )
                tables.append(kept)
            elif not isinstance(read, Reached):
                rows += read.count if isinstance(read, Ignored) else len(read)
        return tables, rows

    def estimate(self, files: int, size: int, free: int | None) -> Estimate:
        """The whole by its sample."""
        if not self.stored or not self.rows:
            return Estimate(files, size, None, None, None, free, self.rows)
        times = size / self.stored
        disk = (self.lake_bytes + self.raw_bytes) * times + (_PIECES if self.packed else 0)
        seconds = self.seconds * times * _OVERLAP
        return Estimate(files, size, round(self.rows * times), seconds, round(disk), free, self.rows)


@contextmanager
def _beginning(part: SourceFile, tmp: Path) -> Iterator[SourceFile | None]:
    """A copy of the first whole lines of a part; null where it has none (one long document, nothing to read)."""
    container = detect(part.stored)
    if container.form not in (Form.NDJSON, Form.TABLE, Form.JSON):
        yield None
        return
    data = b""
    try:
        for chunk in text(part.stored, container):
            data += chunk
            if len(data) >= _SAMPLE:
                break
    except CutShortError:
        pass  # the import itself says so
    cut = data.rfind(b"\n") + 1 if len(data) >= _SAMPLE else len(data)
    tmp.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tmp, prefix="estimate-") as folder:
        path = Path(folder) / f"beginning{'.ndjson' if container.form is Form.NDJSON else ''}"
        path.write_bytes(data[: cut or len(data)])
        yield replace(part, path=path, inside=None, size=path.stat().st_size)


def _unpacked_ratio(file: SourceFile, limits: Limits) -> float:
    """How many times its stored size a file unpacks to, by its beginning."""
    counted = _Counted(file.stored)
    seen = 0
    try:
        for chunk in content(counted, 0, limits):
            seen += len(chunk)
            if seen >= 2 * _SAMPLE:
                break
    except CutShortError:
        pass
    stream = seen / counted.read if counted.read and seen else 1.0
    return stream * _zip_ratio(file)


def _zip_ratio(file: SourceFile) -> float:
    import zipfile  # noqa: PLC0415 - few files are

    with open_source(file.stored) as opened:
        if not opened.seekable() or not zipfile.is_zipfile(opened):
            return 1.0
        infos = zipfile.ZipFile(opened).infolist()
    packed = sum(info.compress_size for info in infos)
    return sum(info.file_size for info in infos) / packed if packed else 1.0


class _Counted:
    """A source that counts the bytes that were read of it."""

    def __init__(self, source: Source) -> None:
        self.read = 0
        self._source = source

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def size(self) -> int:
        return 0

    @property
    def identity(self) -> str:
        return ""

    def open(self) -> BinaryIO:
        self.read = 0
        return _CountedFile(open_source(self._source), self)  # type: ignore[return-value]  # all of a file that a reader uses


class _CountedFile(io.RawIOBase):
    def __init__(self, file: BinaryIO, counted: _Counted) -> None:
        self._file = file
        self._counted = counted

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        part = self._file.read(len(target))
        target[: len(part)] = part
        self._counted.read += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()


def _written(table: pa.Table) -> int:
    """Bytes that rows take in the lake."""
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    return int(out.getvalue().size)


def _free(folder: Place) -> int | None:
    """Free bytes of the disk of a folder that may not be there yet; null for a store."""
    if not isinstance(folder, Path):
        return None
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _size(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5_400 else f"{seconds / 3600:.1f} hours"
