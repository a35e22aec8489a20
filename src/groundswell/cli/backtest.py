"""`groundswell backtest`: what a query would have alerted about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.settings import Settings


@app.command()
def backtest(
    query: Annotated[
        str, typer.Argument(help='What would be watched: words, "a phrase", pre*, #tag, @name, AND OR NOT.')
    ],
    *,
    days: Annotated[float, typer.Option("--days", min=0.05, max=3650, help="How far back.")] = 90.0,
    until: Annotated[
        str | None, typer.Option("--until", help="The end of it.", show_default="the newest post in the lake")
    ] = None,
    promise: Annotated[
        float | None,
        typer.Option("--promise", min=0.01, max=3650, help="At most about one false alert in this many days."),
    ] = None,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Only this platform, as if there were no other; repeatable.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Country whose public holidays are no usual days: FR, BR, …")
    ] = None,
    reach_followers: Annotated[
        int | None,
        typer.Option("--reach-followers", min=0, help="Also one post by an author with more followers is an alert."),
    ] = None,
    reach_share: Annotated[
        float | None,
        typer.Option("--reach-share", help="Also one post in this top share of its platform's reach, such as 0.001."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a query would have alerted about over the lake's history, with the reasons.

    The same kernels that watch the stream go over history, so a tracker that had been there would have said the same.
    Counters such as likes: mean what was known when a post's window closed; nothing of the future is used.
    """
    from groundswell.settings import current_settings
    from groundswell.watch.backtest import Asked
    from groundswell.watch.backtest import backtest as work

    settings = current_settings()
    asked = Asked(
        query, days, _moment(until, settings), promise, tuple(platform or ()), country, reach_followers, reach_share
    )
    with messages.status("looking at the lake") as status:

        def progress(doing: str, done: float) -> None:
            status.update(f"{doing}  {100 * done:.0f} %")

        document = work(settings, asked, progress)
    if as_json:
        emit(document)
    else:
        _show(document)


def _moment(given: str | None, settings: Settings) -> datetime | None:
    from groundswell.marts.period import parse_moment

    return None if given is None else parse_moment(given, now=datetime.now(UTC), tz=settings.tz, end=True)


def _show(document: dict[str, Any]) -> None:
    for note in document["notes"]:
        messages.print(note, style="yellow", soft_wrap=True, markup=False)
    if document["since"] is None:
        return
    messages.print(
        f"{document['posts']:,} of {document['stream_posts']:,} posts match, {document['since'][:16].replace('T', ' ')}"
        f" to {document['until'][:16].replace('T', ' ')}; {document['seconds']:.1f} s",
        markup=False,
    )
    output.print(_promise_table(document))
    promise = f"{document['promise_days']:g}"
    if not document["alerts"]:
        output.print(f"\nNo alert with a promise of {promise} days.")
        return
    output.print(f"\nWith a promise of {promise} days:")
    output.print(_alert_table(document["alerts"]))


def _promise_table(document: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("promise", "alerts", "a month"):
        table.add_column(name, justify="right")
    for row in document["by_promise"]:
        here = "bold" if row["promise_days"] == document["promise_days"] else ""
        table.add_row(
            f"{row['promise_days']:g} days",
            f"{row['alerts']:,}",
            "" if row["per_30_days"] is None else f"{row['per_30_days']:.1f}",
            style=here,
        )
    return table


def _alert_table(alerts: list[dict[str, Any]]) -> Table:
    table = Table("from", "to", "what", box=None, pad_edge=False, header_style="bold")
    table.add_column("once in", justify="right")
    for alert in alerts:
        table.add_row(
            alert["started_at"][:16].replace("T", " "),
            "" if alert["closed_at"] is None else alert["closed_at"][:16].replace("T", " "),
            Text(f"{alert['headline']}\n{alert['detail']}"),
            f"{alert['return_days']:,.0f} days" if alert["window_s"] else "",  # the rule of reach waits for no window
        )
    return table
