"""`groundswell remap`: read raw content again through the layouts of today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.importing.remap import Remapped


@app.command()
def remap(
    *,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Only rows of this layout, also those of its present version.")
    ] = None,
    since: Annotated[
        int | None, typer.Option("--since", metavar="VERSION", help="Only rows read by this version or a later one.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Exchange the rows; without it they are only compared.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read again what older versions of the layouts read, from the raw content that was kept.

    Shows what changes, field by field, and writes nothing unless you say `--write`. Records in quarantine that fit
    now are stored too. Rows keep their number and the time of their import.
    """
    from groundswell.cli.import_view import TerminalProgress
    from groundswell.desk import open_desk
    from groundswell.engines import open_engine
    from groundswell.importing.remap import remap as read_again
    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    settings = load_settings()
    engine = open_engine(settings)
    try:
        with open_desk(settings) as desk, TerminalProgress() as progress:
            done = read_again(
                Lake.open(settings), desk, engine, settings, layout=layout, since=since, write=write, progress=progress
            )
    finally:
        engine.close()
    if as_json:
        emit(done.document())
    else:
        _show(done)


def _show(done: Remapped) -> None:
    for origin, rows in sorted(done.without.items()):
        messages.print(f"{rows:,} rows of {origin}: their raw content is not kept", markup=False, soft_wrap=True)
    for origin, error in sorted(done.failed.items()):
        messages.print(f"{origin}: {error}", markup=False, soft_wrap=True)
    document = done.document()
    if not document["tables"]:
        messages.print("every row was read by the layouts of today")
        return
    for table in document["tables"]:
        _show_table(table, written=done.written)
    if done.resolved:
        output.print(f"{done.resolved:,} records of the quarantine fit now")
    if not done.written:
        messages.print("nothing was written; `--write` exchanges the rows")


def _show_table(table: dict[str, Any], *, written: bool) -> None:
    said = [
        f"{table['replaced']:,} rows {'are' if written else 'would be'} read again, {table['changed']:,} of them change"
    ]
    words = {
        "added": "come in",
        "known": "become the same as another and go",
        "rejected": "go to the quarantine",
        "dropped": "are in their record no more and go",
        "left": "were not met again and stay",
    }
    said += [f"{table[name]:,} {what}" for name, what in words.items() if table[name]]
    output.print(f"{table['table']}: {'; '.join(said)}", markup=False, soft_wrap=True)
    if not table["fields"]:
        return
    from rich.table import Table

    shown = Table("field", "changed", "null → value", "value → null", "for example", box=None)
    for column in shown.columns[1:4]:
        column.justify = "right"
    for entry in table["fields"]:
        counts = (f"{entry[name]:,}" for name in ("changed", "from_null", "to_null"))
        shown.add_row(entry["field"], *counts, _example(entry["examples"]))
    output.print(shown)


def _example(examples: list[dict[str, Any]]) -> str:
    if not examples:
        return ""
    first = examples[0]
    before, after = ("null" if first[name] is None else first[name] for name in ("before", "after"))
    return f"{first['id'] or '–'}: {before} → {after}".replace("[", "\\[")
