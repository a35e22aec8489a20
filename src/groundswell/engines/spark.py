"""The engine for clusters: the same expressions on Spark, in `local[N]`, on a `spark://` master or by Spark Connect.

Spark's own JSON reader takes trailing garbage, half rows and broken UTF-8, so lines are parsed strictly in Python
(`mapInArrow`) into the same struct with text leaves as DuckDB's reader gives. What is not JSON is a row of
nulls, which every layout rejects, and gets its true reason by a second look. Workers read the file by its path.
"""

from __future__ import annotations

import itertools
import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa

from groundswell.engines.contract import RECORD, Places
from groundswell.engines.expressions import bound_parameters, unfused
from groundswell.engines.leaves import columns_of, text_columns
from groundswell.engines.shape import OUTPUTS, shape_batch
from groundswell.engines.spark_session import BATCH_ROWS, CONNECT, start
from groundswell.engines.splits import Split, records_of, split_lines
from groundswell.engines.strict import Lines, read_object, second_look
from groundswell.errors import GroundswellError
from groundswell.platforms.casts import NUMBER
from groundswell.settings import Settings
from groundswell.stores import Place, S3Path

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.platforms.layout import Layout

#: Pieces of a file that are mapped by one job, so that the driver holds only their rows.
_SPLITS_A_JOB: Final = 16

#: Numbers for the names of views: engines of one process share a session, each in a thread of its own.
_NUMBERS: Final = itertools.count(1)

#: The last line of a traceback of Python.
_RAISED: Final = re.compile(r"[A-Za-z_.]*(Error|Exception): ")

Batches = Iterator[pa.RecordBatch]


class SparkEngine:
    """An `Engine` on one Spark session. Not for several threads at once.

    Raises:
        UnavailableError: PySpark or Java is not there, or the master cannot be reached.
    """

    name = "spark"

    def __init__(self, settings: Settings) -> None:
        self._session, self._owns_session = start(settings)
        self._is_remote = settings.engine.startswith(CONNECT)
        self._ibis = ibis.pyspark.connect(self._session)
        self._plans: dict[int, tuple[Layout, str, str]] = {}

    def map_json(self, path: Path, layout: Layout, *, explain: bool = True, places: Places | None = None) -> Batches:
        """Map an NDJSON file; see `Engine.map_json`."""
        del places  # workers find the lines
        raw_name, sql = self._plan(layout)
        schema = _raw_schema(layout)
        splits = split_lines(path)
        with Lines(path) as lines:
            while job := list(itertools.islice(splits, _SPLITS_A_JOB)):
                numbers = self._session.range(0, len(job), 1, len(job))
                parsed = numbers.mapInArrow(_parser(path.absolute(), job, schema), _spark_schema(schema))
                parsed.createOrReplaceTempView(raw_name)
                for batch in _ordered(self._sql(sql, path), OUTPUTS[layout.table]):
                    yield second_look(batch, lines) if explain else batch

    def map_rows(self, rows: pa.Table, layout: Layout) -> Batches:
        """Map a table of text columns; see `Engine.map_rows`. A column that is not there is null."""
        raw_name, sql = self._plan(layout)
        numbered = pa.table({**text_columns(rows, _raw_schema(layout)), NUMBER: pa.array(np.arange(rows.num_rows))})
        if rows.num_rows:
            self._session.createDataFrame(numbered).createOrReplaceTempView(raw_name)
            yield from _ordered(self._sql(sql, layout.id), OUTPUTS[layout.table])

    def read_table(self, files: Sequence[Place], schema: pa.Schema) -> ir.Table:
        """A table over Parquet files; see `Engine.read_table`."""
        if not files:
            return self.register("empty", schema.empty_table())
        paths = [file.uri("s3a") if isinstance(file, S3Path) else str(file.absolute()) for file in files]
        # The folder above those that are columns.
        base = paths[0].partition("=")[0].rpartition("/")[0] if "=" in paths[0] else paths[0].rpartition("/")[0]
        frame = self._session.read.option("basePath", base).parquet(*paths)
        return self._table("snapshot", frame.select(*[f"`{name}`" for name in schema.names]))

    def register(self, name: str, data: pa.Table) -> ir.Table:
        """A table over Arrow data; see `Engine.register`."""
        return self._table(name, self._session.createDataFrame(data))

    def run(self, expression: ir.Table, parameters: Mapping[str, object] | None = None) -> pa.RecordBatchReader:
        """Run an expression and stream its rows; see `Engine.run`. The driver holds the result.

        Raises:
            UsageError: a parameter is not one of the expression's.
            GroundswellError: the engine refuses it, with what Spark says.
        """
        sql = self._ibis.compile(expression, params=bound_parameters(expression, parameters or {}))
        self._prepare(expression)
        schema = expression.schema().to_pyarrow()
        found = self._sql(sql, "a query")
        columns = [column.cast(field.type) for column, field in zip(found.columns, schema, strict=True)]
        return pa.Table.from_arrays(columns, schema=schema).to_reader(BATCH_ROWS)

    def interrupt(self) -> None:
        """End what another thread runs; see `Engine.interrupt`."""
        if self._is_remote:
            self._session.interruptAll()
        else:
            self._session.sparkContext.cancelAllJobs()

    def close(self) -> None:
        """Stop the session, if this engine started it."""
        self._plans.clear()
        if self._owns_session:
            self._session.stop()

    def _sql(self, sql: str, where: str | Path) -> pa.Table:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra

        try:
            return self._session.sql(str(sql)).toArrow()
        except PySparkException as error:
            what = f"Spark: {_said(str(error))}"
            raise GroundswellError(what, where=where, hint="`groundswell doctor` checks the engine") from error

    def _plan(self, layout: Layout) -> tuple[str, str]:
        known = self._plans.get(id(layout))
        if known is not None and known[0] is layout:
            return known[1:]
        raw_name = f"raw_{next(_NUMBERS)}"
        expression = layout.posts(ibis.table({**layout.raw, NUMBER: "int64"}, name=raw_name))
        with unfused():
            sql = str(self._ibis.compile(expression))
        self._prepare(expression)
        self._plans[id(layout)] = (layout, raw_name, sql)
        return raw_name, sql

    def _prepare(self, expression: ir.Table) -> None:
        """Make the functions of an expression known; Ibis would call those over Arrow arrays value by value."""
        from ibis.backends.pyspark.datatypes import PySparkType  # noqa: PLC0415 - an extra
        from pyspark.sql.pandas.functions import arrow_udf  # noqa: PLC0415 - an extra

        self._ibis._run_pre_execute_hooks(expression)
        for udf in expression.op().find(ops.ScalarUDF):
            if udf.__input_type__ == ops.udf.InputType.PYARROW:
                function = arrow_udf(_from_arrow(udf.__func__), PySparkType.from_ibis(udf.dtype))
                self._session.udf.register(self._ibis.compiler.__sql_name__(udf), function)

    def _table(self, name: str, frame: Any) -> ir.Table:
        unique = f"{''.join(c if c.isalnum() else '_' for c in name)}_{next(_NUMBERS)}"
        frame.createOrReplaceTempView(unique)
        table = self._ibis.table(unique)
        weakref.finalize(table.op(), self._session.catalog.dropTempView, unique).atexit = False
        return table


def _said(text: str) -> str:
    r"""What went wrong, of pages that say so: the exception that a worker ended with, else the first line.

    >>> _said("An exception was thrown:\nTraceback …\nKeyError: 'tokens'\n SQLSTATE: 38000")
    "KeyError: 'tokens'"
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no word of it"]
    raised = [line for line in lines if _RAISED.match(line)]
    return raised[-1] if raised else lines[0]


def _from_arrow(function: Callable[[pa.Array], pa.Array]) -> Any:
    """The function with annotations as PySpark wants them: classes, not their names."""

    def run(texts):  # type: ignore[no-untyped-def]  # PySpark reads annotations as classes, see below
        return function(texts)

    run.__annotations__ = {"texts": pa.Array, "return": pa.Array}
    return run


def _raw_schema(layout: Layout) -> pa.Schema:
    return ibis.schema(dict(layout.raw)).to_pyarrow()


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - an extra

    return from_arrow_schema(schema.append(pa.field(NUMBER, pa.int64())))


def _parser(path: Path, splits: Sequence[Split], schema: pa.Schema) -> Callable[[Batches], Batches]:
    """A function for workers: from numbers of pieces to their records, strictly parsed."""

    def parse(batches: Batches) -> Batches:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                records = records_of(path, splits[number])
                while some := list(itertools.islice(records, BATCH_ROWS)):
                    columns = columns_of((read_object(line)[0] or {} for _, line in some), schema)
                    places = pa.array([place for place, _ in some], pa.int64())
                    yield pa.RecordBatch.from_arrays([*columns, places], names=[*schema.names, NUMBER])

    return parse


def _ordered(found: pa.Table, schema: pa.Schema) -> Batches:
    found = found.rename_columns({NUMBER: RECORD})
    for batch in found.sort_by(RECORD).combine_chunks().to_batches(max_chunksize=BATCH_ROWS):
        yield shape_batch(batch, None, schema)
