"""The embedded engine: DuckDB, in process.

`read_json` gets the declared part of a record with every leaf as text (`ignore_errors`, order preserved), so that
nothing aborts and a bad cell can be told from an absent one; the layout's expression is compiled once and kept.
It takes what a strict parser would not: a comma before a closing bracket, `NaN`; and of a key that is there
twice, the first. A float is written as its shortest text (`1e3` as `1000.0`).
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from groundswell.engines.evaluate import Evaluator, numbered
from groundswell.engines.expressions import bound_parameters, unfused
from groundswell.engines.leaves import text_columns
from groundswell.engines.quick_rows import quick_rows
from groundswell.engines.shape import OUTPUTS, shape_batch
from groundswell.engines.strict import Lines, second_look
from groundswell.errors import GroundswellError, UnavailableError
from groundswell.settings import Settings
from groundswell.stores import Place, S3Path, dataset

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Places
    from groundswell.platforms.layout import Layout

#: Rows of a batch: small ones keep the memory of a stream low.
BATCH_ROWS: Final = 16_384
#: Bytes of NDJSON that are evaluated at once, without an engine's SQL.
_SMALL: Final = 1 << 20
#: Fewer where records are long: a batch of NDJSON has about so many bytes of it, but not fewer rows than this.
_BATCH_BYTES: Final = 48 << 20
_LEAST_ROWS: Final = 2_048
_SAMPLE: Final = 1 << 20
_AHEAD: Final = "64MiB"
#: Texts that are no plain numbers of which is kept what DuckDB reads in them: they recur.
_KEPT: Final = 10_000
_GLOB: Final = frozenset("*?[]{}")
#: A line's end and what a reader's buffer needs beyond the record itself.
_SLACK: Final = 1 << 12
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


class DuckEngine:
    """An `Engine` on one DuckDB in memory.

    Not for several threads at once; a generator or reader that it gave may stay open while it is used for
    something else in the same thread.
    """

    name = "duckdb"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tmp = settings.tmp_path
        try:
            self._con = duckdb.connect(
                ":memory:",
                config={
                    "memory_limit": f"{settings.memory}MiB",
                    "threads": settings.cores,
                    "temp_directory": str(self._tmp / f"duckdb-{os.getpid()}-{id(self):x}"),
                    "preserve_insertion_order": True,
                },
            )
        except duckdb.Error as error:
            what = f"DuckDB does not start: {error}"
            raise UnavailableError(what, hint="check GROUNDSWELL_MEMORY and GROUNDSWELL_THREADS") from error
        self._ibis = ibis.duckdb.from_connection(self._con)
        self._names = itertools.count(1)
        self._plans: dict[int, tuple[Layout, str, str]] = {}
        self._evaluators: dict[int, tuple[Layout, Evaluator | None]] = {}
        self._columns: dict[int, tuple[Layout, str]] = {}
        self._whole: dict[str, int | None] = {}
        self._reading = threading.Lock()
        self._arrow: dict[str, Any] = {}
        self._running: set[duckdb.DuckDBPyConnection] = set()

    def map_json(
        self, path: Path, layout: Layout, *, explain: bool = True, places: Places | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Map an NDJSON file; see `Engine.map_json`."""
        evaluator, schema = self._evaluator(layout), OUTPUTS[layout.table]
        with ExitStack() as stack:
            lines = stack.enter_context(Lines(path))
            read = partial(self._raw_rows, layout)
            then = None if evaluator is None else partial(evaluator.shaped, schema=schema)
            quick = quick_rows(path, layout, read, self._settings.cores, then)
            if evaluator is not None and (quick is not None or path.stat().st_size <= _SMALL):
                rows = quick.batches(places) if quick is not None else self._evaluated(path, layout, evaluator)
                for batch in numbered(stack.enter_context(closing(rows)), schema):
                    yield second_look(batch, lines) if explain else batch
                return
            raw_name, sql = self._plan(layout)
            if quick is not None:
                raw = stack.enter_context(closing(quick.batches(places)))
                cursor = stack.enter_context(self._con.cursor())
                cursor.register(raw_name, pa.RecordBatchReader.from_batches(quick.schema, raw))
            else:
                plain = stack.enter_context(self._plain_path(path))
                cursor = stack.enter_context(self._con.cursor())
                self._view(cursor, raw_name, plain, layout)
            first = 0
            for batch in self._stream(cursor, sql, path, _batch_rows(path)):
                shaped = shape_batch(batch, first, schema)
                first += batch.num_rows
                yield second_look(shaped, lines) if explain else shaped

    def map_rows(self, rows: pa.Table, layout: Layout) -> Iterator[pa.RecordBatch]:
        """Map a table of text columns; see `Engine.map_rows`. A column that is not there is null."""
        raw_name, sql = self._plan(layout)
        with self._con.cursor() as cursor:
            cursor.register(raw_name, _with_columns(rows, layout))
            first = 0
            for batch in self._stream(cursor, sql, layout.id):
                yield shape_batch(batch, first, OUTPUTS[layout.table])
                first += batch.num_rows

    def read_table(self, files: Sequence[Place], schema: pa.Schema) -> ir.Table:
        """A table over Parquet files; see `Engine.read_table`."""
        if not files:
            return self.register("empty", schema.empty_table())
        name = f"snapshot_{next(self._names)}"
        if isinstance(files[0], S3Path):
            # DuckDB's own reader of S3 is an extension that is not among its files; Arrow fetches what a query needs.
            self._con.register(name, found := dataset(files, schema))
            self._arrow[name] = found
            return self._held(name, self._forget)
        listed = ", ".join(_quoted(str(file)) for file in files)
        partitions = [part.split("=", 1)[0] for part in files[0].parts if "=" in part]
        source = f"read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"
        columns = ", ".join(
            f"nullif({_named(column)}, '{_HIVE_NULL}') AS {_named(column)}" if column in partitions else _named(column)
            for column in schema.names
        )
        self._con.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM {source}")  # noqa: S608 - names and quoted literals
        return self._held(name, self._forget)

    def register(self, name: str, data: pa.Table) -> ir.Table:
        """A table over Arrow data; see `Engine.register`."""
        unique = f"{_identifier(name)}_{next(self._names)}"
        self._con.register(unique, data)
        self._arrow[unique] = data
        return self._held(unique, self._forget)

    def run(self, expression: ir.Table, parameters: Mapping[str, object] | None = None) -> pa.RecordBatchReader:
        """Run an expression and stream its rows; see `Engine.run`.

        Raises:
            UsageError: a parameter is not one of the expression's.
            GroundswellError: the engine refuses it, with what DuckDB says.
        """
        sql = self._ibis.compile(expression, params=bound_parameters(expression, parameters or {}))
        self._ibis._run_pre_execute_hooks(expression)
        schema = expression.schema().to_pyarrow()
        cursor = self._con.cursor()
        for table in expression.op().find(ops.DatabaseTable):
            if table.name in self._arrow:
                cursor.register(table.name, self._arrow[table.name])
        for memory in expression.op().find(ops.InMemoryTable):
            cursor.register(memory.name, memory.data.to_pyarrow(memory.schema))
        batches = self._stream(cursor, sql, "a query")
        return pa.RecordBatchReader.from_batches(schema, _cast(batches, schema, cursor, expression))

    def interrupt(self) -> None:
        """End what another thread runs; see `Engine.interrupt`."""
        for cursor in list(self._running):
            with suppress(duckdb.Error):  # it may just have ended
                cursor.interrupt()

    def close(self) -> None:
        """Release memory and temporary files."""
        self._plans.clear()
        self._evaluators.clear()
        self._columns.clear()
        self._arrow.clear()
        self._con.close()

    def _stream(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, where: str | Path, rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        self._running.add(cursor)
        try:
            # While a consumer is busy with one batch, DuckDB's threads go on until this much waits.
            cursor.execute(f"SET streaming_buffer_size = '{_AHEAD}'")
            # `cursor.execute(sql)` would hold the whole result; a relation's reader streams.
            yield from cursor.sql(sql).to_arrow_reader(rows)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            what = f"DuckDB: {error}"
            raise GroundswellError(what, where=where, hint=_advice(error)) from error
        finally:
            self._running.discard(cursor)

    def _plan(self, layout: Layout) -> tuple[str, str]:
        """Name of the raw table and the SQL over it, compiled once for each layout."""
        known = self._plans.get(id(layout))
        if known is not None and known[0] is layout:
            return known[1:]
        raw_name = f"raw_{next(self._names)}"
        raw = ibis.table(dict(layout.raw), name=raw_name)
        expression = layout.posts(raw)
        with unfused():
            sql = str(self._ibis.compile(expression))
        self._ibis._run_pre_execute_hooks(expression)
        self._plans[id(layout)] = (layout, raw_name, sql)
        return raw_name, sql

    def _evaluator(self, layout: Layout) -> Evaluator | None:
        """What evaluates the layout's expression without DuckDB, compiled once for each layout."""
        known = self._evaluators.get(id(layout))
        if known is None or known[0] is not layout:
            known = self._evaluators[id(layout)] = layout, Evaluator.of(layout, self._whole_numbers)
        return known[1]

    def _view(self, cursor: duckdb.DuckDBPyConnection, name: str, path: Path, layout: Layout) -> None:
        view = f"CREATE TEMP VIEW {name} AS SELECT * FROM {self._reader(path, layout)}"  # noqa: S608 - names and quoted literals
        try:
            cursor.execute(view)
        except duckdb.Error as error:
            what = f"DuckDB: {error}"
            raise GroundswellError(what, where=path, hint=_advice(error)) from error

    def _raw_rows(self, layout: Layout, lines: bytes) -> pa.Table:
        """The declared part of some lines of NDJSON, as DuckDB's own reader gives it."""
        self._tmp.mkdir(parents=True, exist_ok=True)
        path = self._tmp / f"lines-{secrets.token_hex(8)}.ndjson"
        try:
            path.write_bytes(lines)
            return self._raw_table(path, layout)
        finally:
            path.unlink(missing_ok=True)

    def _raw_table(self, path: Path, layout: Layout) -> pa.Table:
        """The same of a file."""
        try:
            with self._con.cursor() as cursor:
                return cursor.sql(f"SELECT * FROM {self._reader(path, layout)}").to_arrow_table()  # noqa: S608 - names and quoted literals
        except duckdb.Error as error:
            what = f"DuckDB: {error}"
            raise GroundswellError(what, where=path, hint=_advice(error)) from error

    def _evaluated(self, path: Path, layout: Layout, evaluator: Evaluator) -> Generator[pa.RecordBatch]:
        """The rows of a small file: to compile the SQL of a layout would take longer than all of them."""
        with self._plain_path(path) as plain:
            raw = self._raw_table(plain, layout)
        yield from evaluator.shaped(raw, OUTPUTS[layout.table]).to_batches()

    def _whole_numbers(self, texts: list[str]) -> list[int | None]:
        """What DuckDB reads as an int64 in some texts; threads that evaluate ask for it."""
        with self._reading:
            missing = [text for text in texts if text not in self._whole]
            if missing:
                if len(self._whole) > _KEPT:
                    self._whole.clear()
                    missing = texts
                with self._con.cursor() as cursor:
                    read = cursor.execute("SELECT list_transform($1, lambda text: TRY_CAST(text AS BIGINT))", [missing])
                    found = (read.fetchone() or ([],))[0]
                self._whole |= dict(zip(missing, found, strict=True))
            return [self._whole[text] for text in texts]

    def _reader(self, path: Path, layout: Layout) -> str:
        known = self._columns.get(id(layout))
        if known is None or known[0] is not layout:
            columns = ", ".join(
                f"{_quoted(name)}: {_quoted(self._ibis.compiler.type_mapper.to_string(ibis.dtype(kind)))}"
                for name, kind in layout.raw.items()
            )
            known = self._columns[id(layout)] = layout, columns
        # A reader has two buffers of that size a thread, which for a few lines would cost more than the reading.
        largest = min(self._settings.max_record, path.stat().st_size) + _SLACK
        return (
            f"read_json({_quoted(str(path))}, format = 'newline_delimited', records = true, ignore_errors = true, "
            f"compression = 'none', maximum_object_size = {largest}, columns = {{{known[1]}}})"
        )

    @contextmanager
    def _plain_path(self, path: Path) -> Iterator[Path]:
        """`path`, or a link to it if DuckDB would take its name for a pattern, or a copy whose last line is ended.

        Of a file without a line feed at its end DuckDB 2.0 may give the last record first.
        """
        ended = _is_ended(path)
        if ended and not set(str(path)) & _GLOB:
            yield path
            return
        self._tmp.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._tmp, prefix="link-") as folder:
            other = Path(folder) / "records.ndjson"
            if ended:
                other.symlink_to(path.absolute())
            else:
                shutil.copyfile(path, other)
                with other.open("ab") as file:
                    file.write(b"\n")
            yield other

    def _held(self, name: str, forget: Callable[[str], None]) -> ir.Table:
        """The table `name`; forgotten once no expression uses it any more."""
        table = self._ibis.table(name)
        weakref.finalize(table.op(), forget, name).atexit = False
        return table

    def _forget(self, name: str) -> None:
        with suppress(duckdb.Error):
            if self._arrow.pop(name, None) is None:
                self._con.execute(f"DROP VIEW IF EXISTS {name}")
            else:
                self._con.unregister(name)


def _is_ended(path: Path) -> bool:
    """Whether the last line of a file has its line feed."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _batch_rows(path: Path) -> int:
    """How many rows a batch of this NDJSON file should have, by the length of its first lines."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    length = len(head) // max(1, head.count(b"\n"))
    return max(_LEAST_ROWS, min(BATCH_ROWS, _BATCH_BYTES // max(1, length)))


def _with_columns(rows: pa.Table, layout: Layout) -> pa.Table:
    return pa.table(text_columns(rows, ibis.schema(dict(layout.raw)).to_pyarrow()))


def _cast(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, cursor: duckdb.DuckDBPyConnection, _expression: ir.Table
) -> Iterator[pa.RecordBatch]:
    """The batches with the types of `schema`; keeps the expression, and so its tables, until the last one."""
    with cursor:
        for batch in batches:
            columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _advice(error: Exception) -> str:
    if isinstance(error, duckdb.OutOfMemoryException):
        return "raise GROUNDSWELL_MEMORY"
    return "`groundswell doctor` checks the engine"


def _identifier(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
