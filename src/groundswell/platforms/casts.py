"""Guarded casts: text cells become values, and what cannot be read is told from what is not there.

A layout builds `Cell`s from the text leaves of its raw record and hands them to `mapped`, which gives the
columns, `reject` and `unread`. Nothing here aborts a run: a cell that is no number is null *and* listed in
`unread`; a cell that is absent or blank is only null. Expressions give times as whole microseconds since
1970 UTC (int64), `metrics` as a struct of counters and `extra` as a struct of texts, because the engines
agree on those; the engine turns them into the types of `groundswell.schema.MAPPED` in Arrow.

Plain counts, numbers and booleans stay text in the expression, in one struct `cells`: a kernel reads them
afterwards (`groundswell.engines.cells`), which is quicker than any engine's guarded cast and alike on all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import ibis

from groundswell.platforms.udfs import times_reader
from groundswell.schema import REJECT, UNREAD

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Years 1990 to 2100: what lies outside is no time of a post.
EARLIEST_S: Final = 631_152_000
LATEST_S: Final = 4_133_980_800
MILLION: Final = 1_000_000

#: The number of a record, which an engine that does not keep the order adds as a column; no platform has such a key.
NUMBER: Final = "groundswell record number"
#: The struct of the texts that a kernel reads: its fields are named `column=name in the record`.
CELLS: Final = "cells"
#: What stands before the name of a counter without a column of its own, in the names of that struct.
METRIC: Final = "metrics."

#: Between the reason and the value that it is about, in `reject`.
DETAIL: Final = ": "

_BLANK: Final = "[ \t\r\n]*"
#: Digits, and what a spreadsheet or pandas makes of a whole number beside a missing one (`343296.0`).
WHOLE: Final = f"^{_BLANK}[0-9]+([.]0*)?{_BLANK}$"
DECIMAL: Final = f"^{_BLANK}[0-9]+([.][0-9]*)?{_BLANK}$"
#: What spreadsheets, databases and Python write where nothing is. Patterns, because DuckDB joins a long `IN` list.
ABSENT: Final = f"^{_BLANK}(#?N/A|n/a|NA|null|NULL|None|-)?{_BLANK}$"
_NO_TEXT: Final = f"^{_BLANK}(#N/A)?{_BLANK}$"
TRUE: Final = "^(True|TRUE|1|1[.]0|t|yes|Yes|YES)$"
FALSE: Final = "^(False|FALSE|0|0[.]0|f|no|No|NO)$"


@dataclass(frozen=True)
class Cell:
    """One field of a record: its text, and its value (null where the text cannot be read)."""

    field: str
    raw: ir.StringValue
    value: ir.Value
    is_plain: bool = False
    """Whether the type of its column alone says how the text is read, so that a kernel can do it later."""

    def is_unread(self, value: ir.Value | None = None) -> ir.BooleanValue:
        """Whether something stands there that could not be read."""
        known = self.value if value is None else value
        return self.raw.notnull() & known.isnull() & ~self.raw.re_search(ABSENT)


def text(raw: ir.StringValue) -> ir.StringValue:
    """The text as written; null where it is blank or a spreadsheet's `#N/A`."""
    return ibis.cases((~raw.re_search(_NO_TEXT), raw))


def integer(field: str, raw: ir.StringValue) -> Cell:
    """A count: digits only, or with a fraction of zeros; never through a float.

    `12.5`, `1e3`, `1_000`, `0x10`, `NaN`, a sign, or more than an int64 holds are unread.
    """
    quick = raw.try_cast("int64")
    # Nearly every cell is written as the number writes itself; only the others pay for the pattern.
    value = ibis.cases(
        ((quick.cast("string") == raw) & (quick >= 0), quick),
        (raw.re_search(WHOLE), raw.re_extract("[0-9]+", 0).try_cast("int64")),
    )
    return Cell(field, raw, value, is_plain=True)


def number(field: str, raw: ir.StringValue) -> Cell:
    """A non-negative decimal number without exponent (a duration in seconds), as float64."""
    quick = raw.try_cast("int64")
    value = ibis.cases(
        ((quick.cast("string") == raw) & (quick >= 0), quick.cast("float64")),
        (raw.re_search(DECIMAL), raw.try_cast("float64")),
    )
    return Cell(field, raw, value, is_plain=True)


def boolean(field: str, raw: ir.StringValue) -> Cell:
    """True or false, as JSON, Python, pandas or a spreadsheet write them."""
    value = ibis.cases(
        (raw == "true", True),
        (raw == "false", False),
        (raw.re_search(TRUE), True),
        (raw.re_search(FALSE), False),
    )
    return Cell(field, raw, value, is_plain=True)


def epoch(field: str, raw: ir.StringValue) -> Cell:
    """Seconds (or milliseconds) since 1970 UTC as microseconds; unread outside 1990 to 2100."""
    return Cell(field, raw, _micros(integer(field, raw).value))


def moment(field: str, raw: ir.StringValue, tz: str = "UTC") -> Cell:
    """A written time (see `groundswell.text.times`) or an epoch as microseconds; naive ones are of zone `tz`."""
    return Cell(field, raw, times_reader(tz)(raw))


def _micros(whole: ir.IntegerValue) -> ir.IntegerValue:
    # The multiplication must only see what cannot overflow.
    return ibis.cases(
        (whole.between(EARLIEST_S, LATEST_S - 1), whole * MILLION),
        (whole.between(EARLIEST_S * 1000, LATEST_S * 1000 - 1), whole * 1000),
    )


def mapped(
    raw: ir.Table,
    columns: Mapping[str, Cell | ir.Value],
    *,
    metrics: Sequence[Cell] = (),
    extra: Mapping[str, ir.Value] | None = None,
    rejects: Iterable[tuple[ir.BooleanValue, str | ir.StringValue]] = (),
    required: Sequence[str] = (),
    reject_unread: Mapping[str, str] | None = None,
) -> ir.Table:
    """The expression of a layout: `columns` of `MAPPED`, `metrics`, `extra`, `reject` and `unread`.

    Args:
        raw: the table that `Layout.posts` was given; its column `NUMBER` (if it has one) is kept.
        columns: fields of `MAPPED`, as cells or as plain expressions over `raw`.
        metrics: counters without a column of their own, by `Cell.field`.
        extra: further texts that are worth keeping.
        rejects: conditions over `raw` under which a row is unusable, and the reason; the first that holds counts.
        required: columns of which at least one must be there, else the row is rejected as `no a, b or c`.
        reject_unread: for a column whose unread cell makes the row unusable, the reason.
    """
    unusable = dict(reject_unread or {})
    judged = {*unusable, *required}
    later = {
        f"{name}={cell.field}": cell.raw
        for name, cell in columns.items()
        if isinstance(cell, Cell) and cell.is_plain and name not in judged
    }
    columns = {
        name: column for name, column in columns.items() if f"{name}={getattr(column, 'field', '')}" not in later
    }
    if metrics and all(cell.is_plain for cell in metrics):
        later |= {f"{METRIC}{cell.field}={cell.field}": cell.raw for cell in metrics}
        metrics = ()
    cells = {name: cell for name, cell in columns.items() if isinstance(cell, Cell)}
    counted = {f"_metric_{cell.field}": cell for cell in metrics}
    # Two selections, so that every cell is cast once however often its value is asked for.
    first: dict[str, ir.Value] = {name: _value(column) for name, column in columns.items()}
    first |= {name: cell.value for name, cell in counted.items()}
    first |= {f"_raw_{name}": cell.raw for name, cell in (cells | counted).items()}
    conditions = list(rejects)
    first |= {f"_reject_{n}": condition for n, (condition, _) in enumerate(conditions)}
    first |= {f"_why_{n}": why for n, (_, why) in enumerate(conditions) if not isinstance(why, str)}
    first |= {f"_extra_{name}": value for name, value in (extra or {}).items()}
    if later:
        first[CELLS] = ibis.struct(later)
    first |= {name: raw[name] for name in (NUMBER,) if name in raw.columns}
    read = raw.select(**first)

    def unread(name: str, cell: Cell) -> ir.BooleanValue:
        return Cell(cell.field, read[f"_raw_{name}"], read[name]).is_unread()

    branches = [
        (read[f"_reject_{n}"], ibis.literal(why) if isinstance(why, str) else read[f"_why_{n}"])
        for n, (_, why) in enumerate(conditions)
    ]
    if required:
        nothing = ibis.and_(*(read[name].isnull() for name in required))
        branches.append((nothing, ibis.literal("no " + _listed(required))))
    branches += [(unread(name, cells[name]), why + DETAIL + read[f"_raw_{name}"]) for name, why in unusable.items()]
    out: dict[str, ir.Value] = {name: read[name] for name in columns}
    if metrics:
        out["metrics"] = ibis.struct({cell.field: read[name] for name, cell in counted.items()})
    if extra:
        out["extra"] = ibis.struct({name: read[f"_extra_{name}"] for name in extra})
    if later:
        out[CELLS] = read[CELLS]
    out[REJECT] = ibis.cases(*branches) if branches else ibis.null("string")
    told = {name: cell for name, cell in (cells | counted).items() if name not in unusable}
    out[UNREAD] = _unread_text(read, told, [unread(name, cell) for name, cell in told.items()])
    if NUMBER in raw.columns:
        out[NUMBER] = read[NUMBER]
    return read.select(**out)


def filled_columns(expression: ir.Table) -> set[str]:
    """The columns of the table that an expression made by `mapped` fills."""
    names = {*expression.columns} - {CELLS, REJECT, UNREAD, NUMBER}
    if CELLS in expression.columns:
        names |= {name.partition("=")[0].partition(".")[0] for name in expression[CELLS].type().names}
    return names


def _value(column: Cell | ir.Value) -> ir.Value:
    return column.value if isinstance(column, Cell) else column


def _listed(names: Sequence[str]) -> str:
    spoken = [name.replace("_", " ") for name in names]
    return spoken[0] if len(spoken) == 1 else f"{', '.join(spoken[:-1])} or {spoken[-1]}"


def _unread_text(read: ir.Table, cells: Mapping[str, Cell], unread: Sequence[ir.BooleanValue]) -> ir.StringValue:
    """`field=raw; field=raw` of the unread cells; built only in rows that have one."""
    if not cells:
        return ibis.null("string")
    parts = [
        ibis.cases((bad, ibis.literal(f"; {cell.field}=") + read[f"_raw_{name}"]), else_="")
        for (name, cell), bad in zip(cells.items(), unread, strict=True)
    ]
    text = parts[0]
    for part in parts[1:]:
        text = text + part
    return ibis.cases((ibis.or_(*unread), text.substr(2)))
