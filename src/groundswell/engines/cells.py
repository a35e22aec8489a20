"""Reading the plain cells of a layout: counts, numbers and booleans, from text, alike whatever engine delivered it.

What is read and what is not is the same as in `groundswell.platforms.casts`, where the patterns stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.kernels import loaded
from groundswell.platforms.casts import ABSENT, DECIMAL, FALSE, METRIC, TRUE, WHOLE

#: So many digits always fit into an int64, and so many are exact in a float64.
_DIGITS: Final = {pa.int64(): 18, pa.float64(): 15}
_LARGEST: Final = 2**63 - 1
_BLANK: Final = " \t\r\n"
_absent: Final = re.compile(ABSENT)
_whole: Final = re.compile(WHOLE)
_decimal: Final = re.compile(DECIMAL)
_true: Final = re.compile(TRUE)
_false: Final = re.compile(FALSE)


@dataclass(frozen=True, slots=True)
class Cells:
    """What a struct of plain cells holds: `columns` and `metrics` by name, and the unread cells by row."""

    columns: dict[str, pa.Array]
    metrics: dict[str, pa.Array]
    unread: dict[int, str]


def read_cells(struct: pa.Array, types: pa.Schema) -> Cells:
    """Read each text of the struct by the type of the column that it is for.

    The fields of the struct are named `column=name in the record`. `unread` has, for a row with a cell that
    could not be read, `name=text; name=text`.
    """
    columns: dict[str, pa.Array] = {}
    metrics: dict[str, pa.Array] = {}
    unread: dict[int, str] = {}
    for part, texts in zip(struct.type, struct.flatten(), strict=True):
        target, _, name = part.name.partition("=")
        counter = target.removeprefix(METRIC) if target.startswith(METRIC) else None
        values, bad = read_texts(texts, pa.int64() if counter is not None else types.field(target).type)
        for row, text in bad:
            unread[row] = f"{unread[row]}; {name}={text}" if row in unread else f"{name}={text}"
        if counter is None:
            columns[target] = values
        else:
            metrics[counter] = values
    return Cells(columns, metrics, unread)


def read_texts(texts: pa.Array, kind: pa.DataType) -> tuple[pa.Array, list[tuple[int, str]]]:
    """The texts as `kind` (int64, float64 or bool), null where they cannot be read; and those, by row."""
    if pa.types.is_boolean(kind):
        return _booleans(texts)
    texts = texts if pa.types.is_string(texts.type) else texts.cast(pa.string())
    read = _whole_number if pa.types.is_integer(kind) else _decimal_number
    kernel = loaded()
    if kernel is not None and len(texts):
        return _digits(kernel, texts, kind, read)
    # Nearly every cell is a few digits; only the others pay for patterns.
    easy = pc.and_(pc.ascii_is_decimal(texts), pc.less_equal(pc.binary_length(texts), _DIGITS[kind]))
    if pc.all(easy, min_count=0).as_py():
        return texts.cast(pa.int64()).cast(kind), []
    hard = pc.indices_nonzero(pc.invert(pc.fill_null(easy, True)))
    values = pc.if_else(easy, texts, pa.scalar(None, pa.string())).cast(pa.int64()).cast(kind)
    return _replaced(values, texts, hard, read)


def _digits(
    kernel: Any, texts: pa.Array, kind: pa.DataType, read: Callable[[str], Any]
) -> tuple[pa.Array, list[tuple[int, str]]]:
    """The texts as `kind`: those that are a few digits by the kernel, what `read` makes of each different other."""
    digits, plain = np.empty(len(texts), np.int64), np.empty(len(texts), np.uint8)
    found = kernel.read_digits(*kernel.arrays_of(texts), _DIGITS[kind], digits, plain)
    values = digits.astype(kind.to_pandas_dtype(), copy=False)
    if found == len(texts) and not texts.null_count:
        return pa.array(values), []
    there = texts.is_valid().to_numpy(zero_copy_only=False)
    hard = np.flatnonzero(there & (plain == 0))
    if not len(hard):
        return pa.array(values, mask=~there), []
    others = texts.take(pa.array(hard)).dictionary_encode()
    written, codes = others.dictionary.to_pylist(), others.indices.to_numpy()
    made = [read(text) for text in written]
    there = there.copy()
    there[hard] = np.array([value is not None for value in made])[codes]
    values[hard] = np.array([0 if value is None else value for value in made], values.dtype)[codes]
    return pa.array(values, mask=~there), list(_unread(hard.tolist(), codes.tolist(), written, made))


def _replaced(
    values: pa.Array, texts: pa.Array, hard: pa.Array, read: Callable[[str], Any]
) -> tuple[pa.Array, list[tuple[int, str]]]:
    """`values` with what `read` makes of the texts at `hard`, each different text once."""
    known = texts.take(hard).dictionary_encode()
    written = known.dictionary.to_pylist()
    found = [read(text) for text in written]
    filled = pa.array(found, values.type).take(known.indices)
    mask = pc.is_in(pa.array(range(len(values)), hard.type), value_set=hard)
    unread = list(_unread(hard.to_pylist(), known.indices.to_pylist(), written, found))
    return pc.replace_with_mask(values, mask, filled), unread


def _unread(rows: list[int], codes: list[int], written: list[str], found: list[Any]) -> Iterator[tuple[int, str]]:
    told = [value is None and not _absent.search(text) for text, value in zip(written, found, strict=True)]
    if any(told):
        yield from ((row, written[code]) for row, code in zip(rows, codes, strict=True) if told[code])


def _booleans(texts: pa.Array) -> tuple[pa.Array, list[tuple[int, str]]]:
    known = texts.dictionary_encode()
    written = known.dictionary.to_pylist()
    found = [_truth(text) for text in written]
    values = pa.array(found, pa.bool_()).take(known.indices)
    told = any(value is None and not _absent.search(text) for text, value in zip(written, found, strict=True))
    if not told:
        return values, []
    rows = pc.indices_nonzero(texts.is_valid()).to_pylist()
    codes = pc.drop_null(known.indices).to_pylist()
    return values, list(_unread(rows, codes, written, found))


def _truth(text: str) -> bool | None:
    if text == "true" or _true.search(text):
        return True
    return False if text == "false" or _false.search(text) else None


def _whole_number(text: str) -> int | None:
    if not _whole.search(text):
        return None
    value = int(text.strip(_BLANK).partition(".")[0])
    return value if value <= _LARGEST else None


def _decimal_number(text: str) -> float | None:
    return float(text.strip(_BLANK)) if _decimal.search(text) else None
