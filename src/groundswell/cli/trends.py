"""`groundswell trends`: what rises, by how much, and how sure that is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.marts.trends import Trends
    from groundswell.platforms.definitions import Definition


class Kind(StrEnum):
    """The kinds of `groundswell.marts.trends.By`; repeated here so that `--help` needs no Arrow."""

    HASHTAG = "hashtag"
    SOUND = "sound"
    MUSICIAN = "musician"
    CHALLENGE = "challenge"
    CREATOR = "creator"


@app.command()
def trends(
    by: Annotated[Kind, typer.Option("--by", help="What may rise.")] = Kind.HASHTAG,
    window: Annotated[str, typer.Option("--window", help="Length of the last window: 6h, 1d, 1w.")] = "1d",
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Only this platform; may be repeated.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", help="End of the last window; default: the newest post in the lake.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what rises in the last window against up to seven comparable windows before it.

    An author counts once per window. The change is the ratio of shares of all voices, with a 95 % interval;
    what rose most surely comes first.
    """
    from groundswell.engines import open_engine
    from groundswell.lake import Lake
    from groundswell.marts.period import parse_moment, parse_span
    from groundswell.marts.trends import By
    from groundswell.marts.trends import trends as rising
    from groundswell.settings import current_settings

    began = time.perf_counter()
    settings = current_settings()
    now = datetime.now(UTC)
    width = parse_span(window)
    end = parse_moment(until, now=now, tz=settings.tz, end=True) if until else None
    lake = Lake.open(settings)
    engine = open_engine(settings)
    try:
        found = rising(engine, lake, By(by.value), width, platforms=platform or (), until=end, now=now, limit=limit)
    finally:
        engine.close()
    if as_json:
        emit(_document(found, by, width.total_seconds(), time.perf_counter() - began))
    else:
        _show(found, by)


def _document(found: Trends, by: Kind, window_s: float, seconds: float) -> dict[str, object]:
    from groundswell.marts.export import documents

    return {
        "by": by.value,
        "window_s": window_s,
        "windows": [{"after": w.start, "to": w.end} for w in found.windows],
        "posts": found.posts,
        "voices": found.voices,
        "posts_before": found.posts_before,
        "voices_before": found.voices_before,
        "definitions": [one.document() for one in _changes(found)],
        "seconds": round(seconds, 3),
        "lake_version": found.lake_version,
        "items": list(documents(found.rows)),
    }


def _changes(found: Trends) -> tuple[Definition, ...]:
    """Changes of what a counter means on the platforms that were looked at, within the windows that are compared."""
    from groundswell.platforms.definitions import DEFINITIONS, crossed

    if not found.windows:
        return ()
    first, last = min(w.start for w in found.windows), max(w.end for w in found.windows)
    return crossed(found.platforms, {one.metric for one in DEFINITIONS}, first, last)


def _show(found: Trends, by: Kind) -> None:
    from rich import box
    from rich.table import Table

    from groundswell.cli.columns import NONE, count, many, moment, plain, ratio

    if not found.windows:
        messages.print("no posts with a time in the lake; `groundswell import FILE` brings some in")
        return
    last, before = found.windows[0], len(found.windows) - 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column(by.value, max_width=48, overflow="ellipsis", no_wrap=True)
    for name in ("posts", "voices", "before", "change", "95 % interval", "rose"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.rows.to_pylist():
        measured = row["change"] is not None
        table.add_row(
            plain(row["label"], 80),
            count(row["posts"]),
            count(row["voices"]),
            count(row["voices_before"]),
            f"{ratio(row['change'])} \N{MULTIPLICATION SIGN}" if measured else NONE,
            f"{ratio(row['lower'])} to {ratio(row['upper'])}" if measured else NONE,
            f"{row['sure'] * 100:.1f} %" if measured else NONE,
        )
    if found.rows.num_rows:
        output.print(table)
    else:
        messages.print(f"no {by.value} has three posts in the last window")
    messages.print(
        f"{moment(last.start)} to {moment(last.end)}: {many(found.posts, 'post')} by {many(found.voices, 'voice')}; "
        f"before: {found.posts_before:,} by {found.voices_before:,} in {many(before, 'window')} of the same length",
        style="dim",
        soft_wrap=True,
    )
    for one in _changes(found):
        messages.print(
            f"{one.platform}: {one.metric} of {one.applies_to} changed their meaning on {one.since}: {one.meaning}",
            style="yellow",
            soft_wrap=True,
            markup=False,
        )
    if not before:
        messages.print("nothing lies before this window, so no change can be measured", style="yellow")
