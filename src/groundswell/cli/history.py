"""`groundswell history`: every observation of one post, and how it grew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.marts.history import History


@app.command()
def history(
    post: Annotated[str, typer.Argument(help="Its id, `platform/id`, or its address.")],
    *,
    platform: Annotated[
        str | None, typer.Option("--platform", help="Where it was posted, if several platforms have the id.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show every observation of a post: its counters, their growth per hour, and where it was at 24 hours.

    What lies between two observations is interpolated; nothing is said about times outside of them.
    """
    from groundswell.lake import Lake
    from groundswell.marts.history import history as read
    from groundswell.settings import current_settings

    found = read(Lake.open(current_settings()), post, platform)
    if as_json:
        emit(found.document())
    else:
        _show(found)


def _show(found: History) -> None:
    from rich import box
    from rich.table import Table

    from groundswell.cli.columns import NONE, count, many, moment, plain, ratio
    from groundswell.schema import COUNTERS

    rows = found.observations.to_pylist()
    known = [name for name in COUNTERS if any(row[name] is not None for row in rows)]
    head = found.post
    output.print(plain(f"{head['platform']} {head['post_id'] or ''} by {head['author_name'] or NONE}"))
    output.print(plain(head["text"], 400), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("seen", no_wrap=True)
    for name in known:
        table.add_column(name, justify="right", no_wrap=True)
    for number, row in enumerate(rows):
        cells = [moment(row["observed_at"])]
        for name in known:
            speed = found.velocity[name][number]
            cells.append(count(row[name]) + ("" if speed is None else f"  {_signed(speed, ratio(abs(speed)))}/h"))
        table.add_row(*cells)
    output.print(table)
    for name in known:
        _summary(name, found, ratio)
    for one in found.definitions:
        messages.print(
            f"{one.metric} of {one.applies_to} changed their meaning on {one.since}: {one.meaning} "
            f"(before: {one.before})",
            style="yellow",
            soft_wrap=True,
            markup=False,
        )
    messages.print(f"{many(len(rows), 'observation')}", style="dim")


def _signed(value: float, shown: str) -> str:
    return f"+{shown}" if value > 0 else f"-{shown}" if value < 0 else "0"


def _summary(name: str, found: History, ratio: Any) -> None:
    at, half = found.at_24h[name], found.half_life_h[name]
    said = f"{at:,.0f}" if at is not None else f"not known ({found.why_not[name]})"
    later = f"; half of the last value at {ratio(half)} h" if half is not None else ""
    messages.print(f"{name} at 24 h: {said}{later}", soft_wrap=True, markup=False)
