"""What is a JSON object and what is not, decided by a strict parser.

DuckDB's reader gives a line that it cannot read as a row of nulls, just like `{}`. Rows that a layout rejects are
therefore looked at once more here, as bytes. Laxer than the standard, on purpose: `NaN` and `Infinity` are
taken (Python writes them). DuckDB's reader is laxer still: it also takes a comma before a closing bracket, and
of a key that is there twice the first (the strict parser: the last).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines.contract import RECORD
from groundswell.errors import GroundswellError
from groundswell.schema import REJECT

NOT_JSON: Final = "not JSON"
NOT_AN_OBJECT: Final = "not a JSON object"

_decode: Final = msgspec.json.Decoder().decode


def read_object(line: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """The object in `line`, or None and what is wrong, as `reason: detail`.

    >>> read_object(b'{"a": 1}')
    ({'a': 1}, None)
    >>> read_object(b"[1]")
    (None, 'not a JSON object: a list')
    """
    try:
        found = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _with_constants(line)
        if found is None:
            return None, f"{NOT_JSON}: {error}"
    if isinstance(found, dict):
        return found, None
    kind = "null" if found is None else f"a {type(found).__name__}"
    return None, f"{NOT_AN_OBJECT}: {kind}"


def _with_constants(line: bytes) -> Any:
    """What Python's own parser makes of a line with `NaN`, `Infinity` or a number beyond a float; else None."""
    if not any(sign in line for sign in (b"NaN", b"Infinity", b"e", b"E")):
        return None
    try:
        found = json.loads(line.decode())
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError):
        return None
    return found


class Lines:
    """The non-blank lines of a file by their number from 0, read forward; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._next = 0

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def take(self, numbers: Sequence[int]) -> list[bytes]:
        """The lines of these numbers, which must grow from call to call.

        Raises:
            GroundswellError: the file has fewer lines.
        """
        wanted = iter(numbers)
        taken: list[bytes] = []
        number = next(wanted, None)
        if number is None:
            return taken
        for line in self._file:
            if line.isspace():
                continue
            if self._next == number:
                taken.append(line)
                number = next(wanted, None)
            self._next += 1
            if number is None:
                return taken
        what = f"line {number} is not there; {self._next} lines were counted"
        raise GroundswellError(what, where=self._path, hint="the file changed while it was read; import it again")


def second_look(batch: pa.RecordBatch, lines: Lines) -> pa.RecordBatch:
    """`batch` with the true reason in `reject` where a rejected row is no JSON object at all."""
    rejects = batch.column(REJECT)
    if rejects.null_count == len(rejects):
        return batch
    at = pc.indices_nonzero(rejects.is_valid())
    reasons = rejects.to_pylist()
    numbers = batch.column(RECORD).take(at).to_pylist()
    for place, line in zip(at.to_pylist(), lines.take(numbers), strict=True):
        reasons[place] = read_object(line)[1] or reasons[place]
    return batch.set_column(batch.schema.get_field_index(REJECT), REJECT, pa.array(reasons, pa.string()))
