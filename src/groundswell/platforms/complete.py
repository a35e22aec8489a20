"""What a layout left out, filled with typed nulls; what it said about a row, taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundswell.platforms.casts import DETAIL, NUMBER
from groundswell.schema import MAPPED_OF, REJECT, UNREAD

if TYPE_CHECKING:
    import ibis.expr.types as ir


def complete(table: ir.Table, kind: str = "posts") -> ir.Table:
    """`table` with all columns that a layout of table `kind` may give, `reject` and `unread`; the rest are nulls."""
    import ibis  # noqa: PLC0415 - the registry is imported by verbs that run no expression

    mapped = MAPPED_OF[kind]
    types = ibis.Schema.from_pyarrow(mapped)
    columns = {
        name: table[name] if name in table.columns else ibis.null(types.get(name, "string"))
        for name in (*mapped.names, REJECT, UNREAD)
    }
    kept = {NUMBER: table[NUMBER]} if NUMBER in table.columns else {}
    return table.select(**columns, **kept)


def split_reject(reject: str) -> tuple[str, str]:
    """The reason that a person is told (without the value) and the detail (with it).

    >>> split_reject("createTime is not a plausible time: abc")
    ('createTime is not a plausible time', 'createTime is not a plausible time: abc')
    """
    return reject.partition(DETAIL)[0], reject
