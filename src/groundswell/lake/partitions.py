"""The rows of each partition, cut out of a table without a copy where they stand together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.text.columns import only_text

#: Runs that are at least so long on average are taken as they lie.
_LEAST_RUN: Final = 64


def by_partition(rows: pa.Table, by: Sequence[pa.ChunkedArray]) -> list[tuple[tuple[str, ...], pa.Table]]:
    """What stands together in columns `by` (texts without nulls, one a row), and the rows where it does, in order."""
    texts = [only_text(column) for column in by]
    only = tuple(text for text in texts if text is not None)
    if len(only) == len(by):
        return [(only, rows)]
    codes = np.zeros(rows.num_rows, dtype=np.int64)
    choices: list[list[str]] = []
    for column in by:
        encoded = pc.dictionary_encode(column.combine_chunks())
        values = encoded.dictionary.to_pylist()
        codes = codes * max(len(values), 1) + encoded.indices.to_numpy(zero_copy_only=False)
        choices.append(values)
    found, first, counts = _runs(codes)
    distinct = list(dict.fromkeys(found.tolist()))
    if len(distinct) == len(found):
        parts = [rows.slice(begin, count) for begin, count in zip(first.tolist(), counts.tolist(), strict=True)]
    else:
        parts = [_rows_of(rows, codes == code, first[found == code], counts[found == code]) for code in distinct]
    return [(_decode(code, choices), part) for code, part in zip(distinct, parts, strict=True)]


def _runs(codes: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """The runs of equal codes: value, start, length."""
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    return codes[starts], starts, np.diff(np.concatenate((starts, [len(codes)])))


def _rows_of(rows: pa.Table, mine: np.ndarray[Any, Any], first: Any, counts: Any) -> pa.Table:
    """Some of the rows, in their order; they stand in several runs.

    Long runs are shared with `rows`. Few rows are copied, so that they do not keep all of it in memory while they wait.
    """
    if int(counts.sum()) < len(first) * _LEAST_RUN or 4 * int(counts.sum()) < rows.num_rows:
        return rows.take(pa.array(np.flatnonzero(mine)))
    return pa.concat_tables(rows.slice(at, count) for at, count in zip(first.tolist(), counts.tolist(), strict=True))


def _decode(code: int, choices: list[list[str]]) -> tuple[str, ...]:
    values: list[str] = []
    for values_of in reversed(choices):
        code, index = divmod(code, max(len(values_of), 1))
        values.append(values_of[index])
    return tuple(reversed(values))
