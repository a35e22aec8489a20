"""`groundswell detect`: the watch's kernel over any count series in a file."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.watch.series import Detected
    from groundswell.watch.series_file import SeriesFile


@app.command()
def detect(
    file: Annotated[Path, typer.Argument(help="CSV file with a header, one row a window.")],
    *,
    timestamp: Annotated[str, typer.Option("--timestamp", help="Column with the start of each window.")] = "timestamp",
    value: Annotated[str, typer.Option("--value", help="Column with the count of each window.")] = "value",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write: the rows with what was found.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="PNG file to write: series, band and alerts.")] = None,
    promise: Annotated[
        float, typer.Option("--promise", min=0.01, help="At most about one false alert in so many days.")
    ] = 30.0,
    country: Annotated[
        str | None, typer.Option("--country", help="ISO code; its public holidays are expected to be like Sundays.")
    ] = None,
    tz: Annotated[str, typer.Option("--tz", help="Time zone of times that do not say theirs.")] = "UTC",
    as_json: Json = False,
) -> None:
    """Find what is unusual in a series of counts, as the watch does in a tracker's posts.

    Rows keep their order and get `score`, `alert` (1 where an alert opens), `expected`, `lower`, `upper` (95 % band)
    and `return_period` (days). Nothing has to be set; no row is judged by what comes after it.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from groundswell.errors import UsageError
    from groundswell.watch.series import detect as find
    from groundswell.watch.series_file import read_series, write_scores

    began = time.perf_counter()
    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError) as error:
        what = f"no time zone `{tz}`"
        raise UsageError(what, hint="give a name such as UTC, Europe/Berlin or America/New_York") from error
    series = read_series(file, timestamp, value, zone)
    found = find(series.times_us, series.counts, promise, country=country)
    columns = {
        "score": found.score,
        "expected": found.expected * series.unit,
        "lower": found.lower * series.unit,
        "upper": found.upper * series.unit,
        "return_days": found.return_days,
    }
    if out is not None:
        write_scores(series, columns, [one.row for one in found.alerts], (timestamp, value), out)
    if plot is not None:
        _draw(file, value, series, found, columns, plot)
    document = _document(file, series, found, promise, out, plot, time.perf_counter() - began)
    if as_json:
        emit(document)
    else:
        _show(document)


def _draw(file: Path, value: str, series: SeriesFile, found: Detected, columns: dict[str, Any], plot: Path) -> None:
    from groundswell.watch.picture import Figure, save
    from groundswell.watch.series_file import duration

    under = (
        f"{value} per {duration(found.step_us)}, time in UTC; {len(series.cells):,} rows; {len(found.alerts)} alerts"
    )
    opened = [one.row for one in found.alerts]
    counts = series.counts * series.unit
    save(Figure(file.name, under, series.times_us, counts, columns["lower"], columns["upper"], opened), plot)


def _document(
    file: Path, series: SeriesFile, found: Detected, promise: float, out: Path | None, plot: Path | None, seconds: float
) -> dict[str, Any]:
    import numpy as np

    return {
        "file": file,
        "rows": len(series.cells),
        "scored": int(np.sum(~np.isnan(found.return_days))),
        "step_s": found.step_us / 1e6,
        "windows_s": [size / 1e6 for size in found.sizes],
        "promise_days": promise,
        "notes": series.notes,
        "alerts": [_alert(one.row, one.episode, series) for one in found.alerts],
        "out": out,
        "plot": plot,
        "seconds": round(seconds, 3),
    }


def _alert(row: int, episode: Any, series: SeriesFile) -> dict[str, Any]:
    lead = episode.lead
    return {
        "opened_at": _time(int(series.times_us[row])),
        "started_at": _time(episode.started_us),
        "ended_at": _time(episode.end_us),
        "direction": episode.direction,
        "window_s": lead.window_us / 1e6,
        "observed": lead.observed * series.unit,
        "expected": lead.expected * series.unit,
        "return_days": lead.return_days,
    }


def _time(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC)


def _show(document: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    from groundswell.cli.columns import many, moment, ratio
    from groundswell.watch.series_file import duration

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("alert opens on", no_wrap=True)
    for name in ("window", "count", "expected", "ratio", "about once in"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in document["alerts"]:
        table.add_row(
            moment(one["opened_at"]),
            duration(round(one["window_s"] * 1e6)),
            f"{one['observed']:,.6g}",
            f"{one['expected']:,.3g}",
            f"{ratio(one['observed'] / one['expected'])} \N{MULTIPLICATION SIGN}" if one["expected"] else "",
            "a thousand years" if one["return_days"] >= 365_000 else f"{one['return_days']:,.0f} days",
        )
    if document["alerts"]:
        output.print(table)
    else:
        messages.print("no alert")
    for note in document["notes"]:
        messages.print(note, style="yellow", soft_wrap=True, markup=False)
    sizes = ", ".join(duration(round(size * 1e6)) for size in document["windows_s"])
    if not document["scored"]:
        messages.print("the series is too short to be scored: a day and 20 windows are needed first", style="yellow")
    messages.print(
        f"{many(document['rows'], 'row')}, {document['scored']:,} of them scored, in windows of {sizes or 'no size'}; "
        f"at most about one false alert in {document['promise_days']:g} days",
        style="dim",
        soft_wrap=True,
    )
    for name in ("out", "plot"):
        if document[name]:
            messages.print(f"written: {document[name]}", style="dim", soft_wrap=True, markup=False)
