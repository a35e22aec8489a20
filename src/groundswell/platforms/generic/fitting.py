"""A generic layout, or a saved one, made to fit the columns of what is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from groundswell.errors import ConflictError
from groundswell.platforms.generic import accounts, fourcat
from groundswell.platforms.generic.renamed import renamed
from groundswell.platforms.generic.table import Samples, table
from groundswell.platforms.layout import Layout

#: Platform of mappings that a person saved.
SAVED: Final = "saved"


def fit(
    layout: Layout | None,
    columns: Sequence[str],
    samples: Samples = (),
    *,
    mapping: Mapping[str, str] | None = None,
    tz: str = "UTC",
    platform: str | None = None,
) -> Layout:
    """`layout` for a table with `columns`; one that is not fitted to columns comes back as it is.

    Args:
        layout: what was recognised or named; null: the generic table.
        columns: the columns, or the keys of JSON objects.
        samples: rows of it, in which is seen how days and numbers are written.
        mapping: columns by field that a person named; they go before those that a saved mapping names.
        tz: IANA zone of times that name none.
        platform: what a person calls the platform.

    Raises:
        UnknownChoiceError: a field or a column that was named does not exist.
        ConflictError: neither a text nor an id is among the columns.
    """
    if layout is None or layout.id == "generic.table":
        return table(columns, mapping, tz, platform, samples)
    if layout.id == f"generic.{fourcat.NAME}":
        return fourcat.fitted(columns, mapping, tz, platform, samples)
    if layout.id == accounts.ACCOUNTS.id:
        return accounts.fitted(columns, samples, tz, platform)
    if layout.platform == SAVED:
        from groundswell.platforms.saved import fitted  # noqa: PLC0415 - it makes its layouts by `table`

        return fitted(layout, columns, samples, mapping, tz, platform)
    return layout


def joined(layout: Layout, columns: Sequence[str]) -> Layout:
    """A fitted layout with the same choices over more columns; any other as it is."""
    said = layout.parameters
    if layout.id == accounts.ACCOUNTS.id:
        return accounts.joined(layout, columns)
    if "map" not in said:
        return layout
    fields = {field: column for field, column in said["map"].items() if column in columns}
    try:
        again = table(columns, fields, said["tz"], said["platform"], (), layout.name, said["habits"])
    except ConflictError:
        return layout  # the column of the text or the id is not among these
    if layout.id == again.id and layout.name == "table":
        return again
    return renamed(again, layout.platform, layout.name, layout.description, layout.matches)
