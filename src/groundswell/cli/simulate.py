"""`groundswell simulate`: posts that never were, with a known truth."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages

if TYPE_CHECKING:
    from groundswell.simulate import Scenario, Truth


@app.command("simulate")
def simulate(
    *,
    posts: Annotated[int, typer.Option(help="How many records.")] = 100_000,
    days: Annotated[float, typer.Option(help="Over how many days.")] = 14.0,
    out: Annotated[Path, typer.Option(help="File to write (.gz and .zst compress); - is stdout.")] = Path("-"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same posts.")] = 1,
    start: Annotated[
        datetime | None, typer.Option(help="First moment (UTC). Default: 2026-01-05.", show_default=False)
    ] = None,
    events: Annotated[
        str,
        typer.Option(
            help="`all`, `none`, or a list of KIND or KIND:START:LENGTH[:SIZE[:TOPIC]], for example "
            "`surge,crisis:9d14h:45m:5:aurora cola`. Kinds: crisis, viral, bots, buildup, surge, gap."
        ),
    ] = "all",
    rate: Annotated[
        float | None,
        typer.Option(help="Mean posts per five minutes of the largest topic. Default: 12 % of all, at most 60."),
    ] = None,
    dirt: Annotated[float, typer.Option(help="Fraction of the records to spoil, for example 0.005.")] = 0.0,
    observed_after: Annotated[
        str | None,
        typer.Option(help="Age at which the counters were seen, for example 1m. Default: at the end of the span."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write simulated posts in TikTok's nested layout, and what was injected to OUT.truth.json.

    Days and weeks have their rhythm, creators their audience, communities their hashtags; events of known kind,
    size and time are injected.
    """
    from groundswell.simulate import Scenario
    from groundswell.simulate.scenario import DEFAULT_START
    from groundswell.simulate.spec import parse_duration, with_events

    scenario = Scenario(
        posts=posts,
        days=days,
        seed=seed,
        start=start or DEFAULT_START,
        rate=rate,
        dirt=dirt,
        observed_after=None if observed_after is None else parse_duration(observed_after),
    )
    truth, seconds = _write(with_events(scenario, events), out)
    if as_json and str(out) != "-":
        emit(
            {
                "out": out,
                "truth": f"{out}.truth.json",
                "posts": truth.posts,
                "bytes": truth.total_bytes,
                "seconds": round(seconds, 3),
                "dirt": truth.dirt,
                "events": [
                    {"kind": e.kind, "query": e.query, "start": e.start, "end": e.end, "posts": e.posts}
                    for e in truth.events
                ],
            }
        )
        return
    messages.print(
        f"{truth.posts:,} posts, {truth.total_bytes / 1e6:,.0f} MB in {seconds:.1f} s "
        f"({truth.posts / seconds:,.0f} posts/s, {truth.total_bytes / seconds / 1e6:,.0f} MB/s)"
    )
    for event in truth.events:
        what = event.query or "the whole stream"
        messages.print(f"  {event.kind:8} {event.start:%Y-%m-%d %H:%M} to {event.end:%H:%M}  {what}")


def _write(scenario: Scenario, out: Path) -> tuple[Truth, float]:
    import time

    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from groundswell.simulate import write

    columns = (TextColumn("simulating"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    began = time.perf_counter()
    with Progress(*columns, console=messages, disable=not messages.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=scenario.posts)
        truth = write(scenario, out, progress=lambda posts, _: bar.update(task, completed=posts))
    return truth, max(time.perf_counter() - began, 1e-9)
