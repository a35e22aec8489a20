"""Getting history ready for a replay: its records sorted by event time, in bounded memory, on the disk."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from groundswell.errors import NotFoundError, UnavailableError
from groundswell.sources.files import SourceFile
from groundswell.sources.reading import file_records, is_table
from groundswell.sources.records import Line
from groundswell.sources.replay import PREPARED, Prepared

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.choice import Options
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

_FORMAT: Final = "1"
_CHUNK: Final = 20_000
_CHUNK_BYTES: Final = 32 << 20
_ROW_GROUP: Final = 20_000
_HASH_CHUNK: Final = 4 << 20

#: Rows of a table that are looked at to recognise its layout.
_SAMPLE: Final = 200

Hint = Mapping[str, Any] | None

Progress = Callable[[str, int], None]
"""Told what is being done and how many records are through."""


@dataclass(frozen=True)
class Reading:
    """How the files of a replay are read."""

    settings: Settings
    engine: Engine
    registry: Registry
    options: Options


def replay_key(files: Sequence[SourceFile], options: Options, settings: Settings) -> str:
    """A hash of the bytes of the files and of how they are read: the same history has the same key anywhere."""
    digest = hashlib.blake2b(_FORMAT.encode(), digest_size=16)
    digest.update((options.to_hint("") or "").encode())
    digest.update(str(settings.max_record).encode())
    for file in files:
        with file.path.open("rb") as stream:
            while chunk := stream.read(_HASH_CHUNK):
                digest.update(chunk)
        digest.update(b"\0end of file\0")
    return digest.hexdigest()


def prepare(
    files: Sequence[SourceFile], reading: Reading, *, progress: Progress = lambda _what, _count: None
) -> Prepared:
    """Sort the records of the files by event time into `HOME/tmp`; what is there already is used again.

    Raises:
        UnreadableFileError: a file cannot be read to its end.
        NotFoundError: the files hold no record.
        UnavailableError: the disk is full.
    """
    settings = reading.settings
    key = replay_key(files, reading.options, settings)
    target = settings.tmp_path / f"replay-{key}.parquet"
    if not target.exists():
        try:
            settings.tmp_path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=settings.tmp_path, prefix="sort-") as folder:
                unsorted = Path(folder) / "unsorted.parquet"
                _collect(files, reading, unsorted, progress)
                _sort(unsorted, Path(folder), settings, progress)
                (Path(folder) / "sorted.parquet").replace(target)
        except (OSError, duckdb.IOException) as error:
            what = f"the replay cannot be sorted ({error})"
            hint = "free some space: it takes about the size of the files, compressed, twice"
            raise UnavailableError(what, where=settings.tmp_path, hint=hint) from error
    return _describe(target, key, tuple(hint_of(file, reading) for file in files))


def _collect(files: Sequence[SourceFile], reading: Reading, target: Path, progress: Progress) -> None:
    done = 0
    hints = [hint_of(file, reading) for file in files]
    unwrap = {path for layout in reading.registry.layouts for path in layout.unwraps}
    with pq.ParquetWriter(target, PREPARED, compression="zstd") as writer:
        for number, file in enumerate(files):
            for lines in _chunks(file_records(file.path, reading.settings.max_record, unwrap)):
                writer.write_table(_dated(lines, number, hints[number], file, reading))
                done += len(lines)
                progress("reading", done)
    if not done:
        what = "there is no record to replay"
        raise NotFoundError(what, where=", ".join(file.name for file in files))


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, _CHUNK)):
        size, start = 0, 0
        for at, line in enumerate(chunk):
            size += len(line.data or line.description or b"")
            if size > _CHUNK_BYTES:
                yield chunk[start : at + 1]
                size, start = 0, at + 1
        if chunk[start:]:
            yield chunk[start:]


def _dated(lines: list[Line], number: int, hint: Hint, file: SourceFile, reading: Reading) -> pa.Table:
    """The records with their event time, by the layouts that the watch will read them with."""
    from groundswell.importing import RawBlock, normalise  # noqa: PLC0415 - only a replay that is not sorted yet needs it

    good = [at for at, line in enumerate(lines) if line.data is not None]
    raw = RawBlock(
        records=[lines[at].data or b"" for at in good],
        source="replay",
        origin=file.name,
        numbers=np.arange(len(good), dtype=np.int64),
        received_us=None,
        hint=hint,
        imported_us=0,
    )
    event_us: list[int | None] = [None] * len(lines)
    posts = normalise(raw, reading.engine, reading.registry, reading.settings).posts
    times = pc.coalesce(posts.column("created_at"), posts.column("observed_at")).cast(pa.int64()).to_pylist()
    for record, time in zip(posts.column("record").to_pylist(), times, strict=True):
        event_us[good[record]] = time
    return pa.table(
        {
            "event_us": pa.array(event_us, pa.int64()),
            "file": pa.array([number] * len(lines), pa.int32()),
            "oversized": pa.array([line.data is None for line in lines]),
            "raw": pa.array([line.data or line.description for line in lines], pa.binary()),
        },
        schema=PREPARED,
    )


def _sort(unsorted: Path, folder: Path, settings: Settings, progress: Progress) -> None:
    progress("sorting", 0)
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{settings.memory}MB'")
        connection.execute(f"SET threads = {settings.cores}")
        connection.execute("SET temp_directory = $1", [str(folder / "spill")])
        names = ", ".join(PREPARED.names)
        # The number of the row makes the order of records with the same time certain.
        connection.execute(
            f"COPY (SELECT {names} FROM read_parquet($1, file_row_number = true)"  # noqa: S608 - our own column names
            " ORDER BY event_us NULLS LAST, file_row_number)"
            f" TO '{_quoted(folder / 'sorted.parquet')}'"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})",
            [str(unsorted)],
        )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _describe(path: Path, key: str, hints: tuple[Hint, ...]) -> Prepared:
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT count(*), count(event_us), min(event_us), max(event_us) FROM read_parquet($1)", [str(path)]
        ).fetchone()
    records, dated, first_us, last_us = found or (0, 0, None, None)
    return Prepared(path, key, hints, records, dated, first_us, last_us)


def hint_of(file: SourceFile, reading: Reading) -> Hint:
    """How the records of a file are to be read, as their journal blocks say it.

    The rows of a table are all of one layout, so it is recognised here, once, and not in every block.
    """
    options, limit = reading.options, reading.settings.max_record
    if options.layout is None and not options.mapping and is_table(file.path):
        sample = (line.data for line in islice(file_records(file.path, limit), _SAMPLE))
        rows = [row for data in sample if data is not None and (row := _object(data)) is not None]
        layout = reading.registry.recognise_sample(rows)
        if layout is not None:
            options = replace(options, layout=layout.id)
    text = options.to_hint(reading.settings.tz)
    hint: dict[str, Any] | None = None if text is None else json.loads(text)
    return hint


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        row = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return row if isinstance(row, dict) else None
