"""A preview of an import on the terminal: layouts, then columns and fields with how much is filled and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from groundswell.cli.app import messages, output
from groundswell.cli.columns import many, percent, plain

if TYPE_CHECKING:
    from groundswell.importing.preview import Preview

#: Columns without a field that are shown.
_MOST = 40


def show_preview(preview: Preview) -> None:
    """Print what an import would make of a file: to stderr what was found, to stdout the table of fields."""
    packed = [preview.container.form, preview.container.compression, preview.container.encoding]
    told = ", ".join(part for part in packed if part)
    messages.print(
        f"[bold]{escape(preview.path)}[/] ({told}): {many(preview.rows, 'record')} looked at", soft_wrap=True
    )
    for found in preview.layouts:
        counts = f"{found.rows:,} read, {found.rejected:,} rejected, {found.ignored:,} ignored"
        messages.print(f"  {escape(found.layout or 'no known layout')}: {counts}", soft_wrap=True)
        for reason, count in list(found.reasons.items())[:3]:
            messages.print(f"    [yellow]{count:,}[/] {escape(reason)}", soft_wrap=True)
    for line in (*preview.habits, *preview.notes):
        messages.print(f"  {escape(line)}", style="dim", soft_wrap=True)
    if preview.fields:
        output.print(_fields(preview))
    rest = [column for column in preview.columns if column.field is None]
    if preview.mappable and rest:
        output.print(_columns(preview))
        messages.print("  --map FIELD=COLUMN corrects a guess, `groundswell layouts save NAME FILE` keeps the mapping")


def _fields(preview: Preview) -> Table:
    several = len({outcome.table for outcome in preview.fields}) > 1
    shown = Table("field", "column", "filled", "examples", box=box.SIMPLE_HEAD, pad_edge=False)
    for outcome in preview.fields:
        name = f"{outcome.table}.{outcome.field}" if several else outcome.field
        column = plain(outcome.column) if outcome.column else plain("")
        shown.add_row(name, column, percent(outcome.filled), _examples(outcome.examples))
    return shown


def _columns(preview: Preview) -> Table:
    title = "columns that are no field: they are kept in `extra`"
    shown = Table(
        "column", "filled", "examples", title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for column in [column for column in preview.columns if column.field is None][:_MOST]:
        shown.add_row(plain(column.column), percent(column.filled), _examples(column.examples))
    return shown


def _examples(examples: list[str]) -> str:
    return escape(" · ".join(str(plain(example, most=30)) for example in examples))
