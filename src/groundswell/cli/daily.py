"""`groundswell daily`: what is done once a day."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages

if TYPE_CHECKING:
    from groundswell.watch.daily import Progress


@app.command()
def daily(
    *,
    date: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The date, UTC.", show_default="yesterday"),
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            "--step",
            help="Only import, upkeep, indexes, baselines, summary, trends, warehouse or prune; repeatable.",
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Do what was done for that date once more.")] = False,
    as_json: Json = False,
) -> None:
    """Import what is new, keep the day's statistics and trends, count what is usual, and keep the home small and quick.

    New trackers and backtests start from these counts at once. Done twice for a date, the second time does nothing
    but what failed. `serve` does it by itself at GROUNDSWELL_DAILY_AT; otherwise call it from a scheduler.
    """
    from groundswell.settings import load_settings
    from groundswell.watch.daily import daily as work

    settings = load_settings()
    with messages.status("getting ready") as status:

        def progress(doing: str, done: float) -> None:
            status.update(f"{doing}  {done:.0%}".replace("%", " %"))

        told: Progress = progress
        document = work(settings, None if date is None else date.date(), steps=step or (), again=again, progress=told)
    if as_json:
        emit(document)
    else:
        _show(document)
    if document["state"] == "failed":
        raise typer.Exit(1)


def _show(document: dict[str, Any]) -> None:
    messages.print(f"{document['date']}: {document['state']}")
    for step in document["steps"]:
        if step["error"] is not None:
            messages.print(f"  [bold red]{step['name']}[/]: {step['error']}")
            continue
        if "skipped" in step["done"]:
            messages.print(f"  {step['name']}: {step['done']['skipped']}")
            continue
        counts = [f"{name.replace('_', ' ')} {value:,}" for name, value in step["done"].items() if value and _is(value)]
        messages.print(f"  {step['name']}: {', '.join(counts) or 'nothing to do'} ({step['seconds']:.1f} s)")


def _is(value: object) -> bool:
    return isinstance(value, int | float)
