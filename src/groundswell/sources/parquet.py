"""Parquet files: flat ones as rows of text, nested ones as NDJSON; numbers, ids and times exactly."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Final, cast, overload

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from groundswell.sources.compression import CutShortError
from groundswell.sources.files import SourceFile
from groundswell.sources.header import unique_names
from groundswell.sources.row_chunks import CHUNK_ROWS, MISSING, RowChunk
from groundswell.sources.stored import Limits, MiB, Source, open_source

#: What a row group may unpack to; a reader holds some of its columns' pages at once.
_ROW_GROUP: Final = 8192 * MiB
#: Rows that are made into JSON at once.
_DOCUMENTS: Final = 1_024
#: A whole number beyond this may have lost digits in a float.
_EXACT: Final = 2**53
_encode: Final = msgspec.json.Encoder().encode
_FAULTS: Final = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, EOFError)


def parquet_file(file: SourceFile, limits: Limits) -> SourceFile:
    """`file` as something to read: a table, or NDJSON where it has columns within columns; or why it is refused."""
    try:
        with _Opened(file.stored) as parquet:
            schema = parquet.schema_arrow
            refused = _refusal(parquet, limits)
    except _FAULTS as error:
        return replace(file, refused=f"the Parquet file is damaged or cut short ({_first_line(error)})")
    if refused is not None:
        return replace(file, refused=refused)
    if any(pa.types.is_nested(_plain(field.type)) for field in schema):
        return replace(file, inside=ParquetLines(file.name, file.stored, file.size, file.identity))
    return replace(file, table=lambda _limit: ParquetRows(file.stored))


def _refusal(parquet: pq.ParquetFile, limits: Limits) -> str | None:
    metadata = parquet.metadata
    if len(parquet.schema_arrow) > limits.columns:
        return f"refused: the file has {len(parquet.schema_arrow):,} columns, and at most {limits.columns:,} are read"
    if metadata.num_rows < 0:
        return "refused: its metadata is not true: it counts fewer rows than none"
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if group.total_byte_size > min(_ROW_GROUP, limits.unpacked) or group.num_rows < 0:
            return f"refused: one of its row groups claims {group.total_byte_size:,} bytes; write it in smaller ones"
    return None


class _Opened:
    """A Parquet file while it is open."""

    def __init__(self, source: Source) -> None:
        self._file = open_source(source)

    def __enter__(self) -> pq.ParquetFile:
        try:
            self._parquet = pq.ParquetFile(self._file, pre_buffer=False)
        except BaseException:
            self._file.close()
            raise
        return self._parquet

    def __exit__(self, *error: object) -> None:
        self._parquet.close()
        self._file.close()


class ParquetRows:
    """A flat Parquet file as a table of text; see `tables.Rows`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._failure: CutShortError | None = None
        with _Opened(source) as parquet:
            self._names = parquet.schema_arrow.names
            self._rows = parquet.metadata.num_rows
        self.columns = unique_names(self._names)
        self.header = csv_line(self.columns)
        self.notes: list[str] = []
        self._rounded: dict[str, int] = {}

    @property
    def failure(self) -> CutShortError | None:
        """Why it could not be read to its end; null if it could."""
        return self._failure

    def encode(self, raw: str) -> bytes:
        """The bytes of a row's text."""
        return raw.encode()

    def chunks(self) -> Iterator[RowChunk]:
        """The rows in order."""
        done = 0
        try:
            with _Opened(self._source) as parquet:
                for batch in parquet.iter_batches(CHUNK_ROWS, use_threads=False):
                    arrays = [
                        as_text(column, self._noted(name)) for name, column in zip(self.columns, batch, strict=True)
                    ]
                    rows = pa.table(arrays, names=self.columns)
                    numbers = list(range(done + 1, done + 1 + rows.num_rows))
                    done += rows.num_rows
                    yield RowChunk(rows, numbers, CsvLines(rows))
        except _FAULTS as error:
            self._failure = _damaged(error, done)
        if self._failure is None and done != self._rows:
            self._failure = CutShortError(f"the file says {self._rows:,} rows and holds {done:,}", done)
        self.notes = [rounded_note(column, count) for column, count in self._rounded.items()]

    def _noted(self, column: str) -> Callable[[int], None]:
        def note(count: int) -> None:
            self._rounded[column] = self._rounded.get(column, 0) + count

        return note


def rounded_note(column: str, count: int) -> str:
    """What is said of whole numbers that have lost digits before they came here."""
    return (
        f"column `{column}`: {count:,} numbers have more digits than a spreadsheet or a float keeps, so they are "
        "rounded; as ids they are not read: export that column as text"
    )


class CsvLines(Sequence[str]):
    """Rows of a table as lines of CSV, made when they are asked for."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return csv_line([column[at].as_py() for column in self._rows.columns])


def csv_line(cells: Sequence[str | None]) -> str:
    """One line of CSV without its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["" if cell is None else cell for cell in cells])
    return line.getvalue()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def as_text(column: pa.Array, note: Callable[[int], None]) -> pa.Array:
    """A flat column as text: whole numbers by their digits, times as ISO 8601 (UTC where they have a zone).

    A float that is a whole number has no fraction; NaN is nothing. `note` is told of whole numbers in floats that
    are too large to be exact, which are written with an exponent.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_floating(kind):
        text = _float_text(column, note)
    elif pa.types.is_timestamp(kind):
        text = _time_text(column)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        text = pa.array([None if value is None else _binary_text(value) for value in column.to_pylist()], pa.string())
    elif pa.types.is_boolean(kind) or pa.types.is_null(kind):
        text = column.cast(pa.string())
    elif pa.types.is_duration(kind) or pa.types.is_interval(kind):
        text = pa.array([None if value is None else _value(value) for value in column.to_pylist()]).cast(pa.string())
    else:
        text = column.cast(pa.string())
    missing = pc.is_in(text, pa.array(MISSING))
    return pc.if_else(missing, None, text) if pc.any(missing).as_py() else text


def _float_text(column: pa.Array, note: Callable[[int], None]) -> pa.Array:
    values = column.cast(pa.float64())
    numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
    finite = np.isfinite(numbers)
    whole = finite & (np.where(finite, numbers, 0) % 1 == 0)
    exact = whole & (np.abs(np.where(finite, numbers, 0)) <= _EXACT)
    rounded = int((whole & ~exact).sum())
    if rounded:
        note(rounded)
    digits = pa.array(np.where(exact, numbers, 0).astype(np.int64)).cast(pa.string())
    others = _rest(numbers, exact)
    if others:
        texts = digits.to_pylist()
        for at, number in others:
            texts[at] = None if not np.isfinite(number) else f"{number:.15e}" if whole[at] else repr(number)
        digits = pa.array(texts, pa.string())
    return pc.if_else(column.is_valid(), digits, None)


def _rest(numbers: np.ndarray[Any, Any], exact: np.ndarray[Any, Any]) -> list[tuple[int, float]]:
    return [(at, float(numbers[at])) for at in np.flatnonzero(~exact).tolist()]


def _time_text(column: pa.Array) -> pa.Array:
    zoned = column.type.tz is not None
    fine = column.cast(pa.timestamp("ns" if column.type.unit == "ns" else "us"), safe=False)
    text = pc.strftime(fine, format="%Y-%m-%dT%H:%M:%S")
    return pc.binary_join_element_wise(text, "Z", "") if zoned else text


def _binary_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


@dataclass(frozen=True, slots=True)
class ParquetLines:
    """A nested Parquet file as NDJSON: an object for each row, without the columns that are null in it."""

    name: str
    source: Source
    size: int
    identity: str

    def open(self) -> BinaryIO:
        """The lines from the first on."""
        return cast(BinaryIO, _LineFile(self._lines()))

    def _lines(self) -> Iterator[bytes]:
        done = 0
        try:
            with _Opened(self.source) as parquet:
                for batch in parquet.iter_batches(_DOCUMENTS, use_threads=False):
                    rows = batch.to_pylist(maps_as_pydicts=None)
                    done += len(rows)
                    yield b"".join(_encode(_document(row)) + b"\n" for row in rows)
        except _FAULTS as error:
            raise _damaged(error, done) from error


def _document(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items() if value is not None}


def _value(value: Any) -> Any:
    """A value as JSON has it; times as text, whole floats as whole numbers."""
    if isinstance(value, dict):
        return {str(name): _value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(name): _value(inner) for name, inner in value}
        return [_value(item) for item in value]
    return _leaf(value)


def _leaf(value: Any) -> Any:
    said = value
    if isinstance(value, float):
        finite = bool(np.isfinite(value))
        is_whole = finite and value % 1 == 0
        exact = int(value) if is_whole and abs(value) <= _EXACT else value
        said = f"{value:.15e}" if is_whole and exact is value else exact if finite else None
    elif isinstance(value, datetime):
        said = value.isoformat()
        if value.tzinfo is not None:
            said = value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    elif isinstance(value, date | time):
        said = value.isoformat()
    elif isinstance(value, timedelta):
        said = value.total_seconds()
    elif isinstance(value, Decimal):
        said = int(value) if value == value.to_integral_value() else float(value)
    elif isinstance(value, bytes):
        said = _binary_text(value)
    return said


class _LineFile(io.RawIOBase):
    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        if not self._rest:
            self._rest = next(self._lines, b"")
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _damaged(error: BaseException, done: int) -> CutShortError:
    return CutShortError(f"the Parquet file is damaged ({_first_line(error)})", done)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
