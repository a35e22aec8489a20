"""`groundswell ledger`: what was received and what became of it, per source and quarter hour."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.settings import Settings

_COUNTS = ("received", "stored", "known", "rejected", "ignored")


@app.command()
def ledger(
    *,
    source: Annotated[str | None, typer.Option("--source", help="Only this source.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many quarter hours.")] = 50,
    as_json: Json = False,
) -> None:
    """Show what each source delivered, and when it was connected.

    For every source and quarter hour: received = stored + known + rejected + ignored.
    """
    from groundswell.lake import Lake
    from groundswell.lake.ledger import quarters
    from groundswell.settings import load_settings

    settings = load_settings()
    rows = quarters(Lake.open(settings), source=source)[:limit]
    connected = [row for row in _connections(settings) if source in (None, row["source"])]
    if as_json:
        emit({"quarters": rows, "connections": connected})
    elif not rows and not connected:
        messages.print("nothing was received yet; `groundswell import` or `groundswell watch run` bring the first")
    else:
        _show(rows, connected)


def _connections(settings: Settings) -> list[dict[str, Any]]:
    from groundswell.bus import open_bus
    from groundswell.desk.clock import moment

    if settings.bus == "journal" and not settings.journal_path.exists():
        return []
    with open_bus(settings) as journal:
        found = journal.connections()
    return [{"source": c.source, "connected_from": moment(c.from_us), "connected_to": moment(c.to_us)} for c in found]


def _show(rows: list[dict[str, Any]], connected: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("quarter hour (UTC)", "source", "origin", *_COUNTS, box=None)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in rows:
        counts = (f"{row[name]:,}" for name in _COUNTS)
        table.add_row(_minute(row["quarter"]), row["source"], row["origin"], *counts)
    output.print(table)
    if connected:
        intervals = Table("connected", "from (UTC)", "to (UTC)", box=None)
        for row in connected:
            intervals.add_row(row["source"], _minute(row["connected_from"]), _minute(row["connected_to"]))
        output.print(intervals)


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
