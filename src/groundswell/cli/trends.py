"""`groundswell trends`: what rises, by how much, and how sure that is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.settings import Settings


_DAY: Final = "1d"


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
    window: Annotated[str, typer.Option("--window", help="Length of the last window: 6h, 1d, 1w.")] = _DAY,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Only this platform; may be repeated.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", help="End of the last window; default: the newest post in the lake.", show_default=False
        ),
    ] = None,
    date: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="As `groundswell daily` kept it of that date, UTC."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what rises in the last window against up to seven comparable windows before it.

    An author counts once per window. The change is the ratio of shares of all voices, with a 95 % interval;
    what rose most surely comes first.
    """
    from groundswell.engines import open_engine
    from groundswell.errors import UsageError
    from groundswell.lake import Lake
    from groundswell.marts.period import parse_moment, parse_span
    from groundswell.marts.trends import By
    from groundswell.marts.trends import trends as rising
    from groundswell.marts.trends_document import document
    from groundswell.settings import current_settings

    began = time.perf_counter()
    settings = current_settings()
    if date is not None:
        if window != _DAY or platform or until:
            what = "--window, --platform or --until beside --date"
            raise UsageError(what, hint="what was kept of a date is of that whole day and of all platforms")
        kept = _kept(settings, date, by, limit)
        if as_json:
            emit(kept | {"seconds": round(time.perf_counter() - began, 3)})
        else:
            _show(kept, by)
        return
    now = datetime.now(UTC)
    width = parse_span(window)
    end = parse_moment(until, now=now, tz=settings.tz, end=True) if until else None
    lake = Lake.open(settings)
    engine = open_engine(settings)
    try:
        found = rising(engine, lake, By(by.value), width, platforms=platform or (), until=end, now=now, limit=limit)
    finally:
        engine.close()
    shown = document(found, By(by.value), width)
    if as_json:
        emit(shown | {"seconds": round(time.perf_counter() - began, 3)})
    else:
        _show(shown, by)


def _kept(settings: Settings, on: datetime, by: Kind, limit: int) -> dict[str, Any]:
    """What the daily work kept of a date."""
    from groundswell.desk import day_marts, open_desk
    from groundswell.errors import NotFoundError

    with open_desk(settings) as desk, desk.reading() as session:
        row = day_marts.get(session, on.date(), f"trends.{by.value}")
    if row is None:
        what = f"nothing was kept of {on:%Y-%m-%d}"
        raise NotFoundError(what, hint=f"`groundswell daily --date {on:%Y-%m-%d}` works it out now")
    return row.body | {"items": row.body["items"][:limit]}


def _show(found: dict[str, Any], by: Kind) -> None:
    from rich import box
    from rich.table import Table

    from groundswell.cli.columns import NONE, count, many, plain, ratio

    if not found["windows"]:
        messages.print("no posts with a time in the lake; `groundswell import FILE` brings some in")
        return
    last, before = found["windows"][0], len(found["windows"]) - 1
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column(by.value, max_width=48, overflow="ellipsis", no_wrap=True)
    for name in ("posts", "voices", "before", "change", "95 % interval", "rose"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found["items"]:
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
    if found["items"]:
        output.print(table)
    else:
        messages.print(f"no {by.value} has three posts in the last window")
    messages.print(
        f"{_at(last['after'])} to {_at(last['to'])}: "
        f"{many(found['posts'], 'post')} by {many(found['voices'], 'voice')}; before: "
        f"{found['posts_before']:,} by {found['voices_before']:,} in {many(before, 'window')} of the same length",
        style="dim",
        soft_wrap=True,
    )
    for one in found["definitions"]:
        messages.print(
            f"{one['platform']}: {one['metric']} of {one['applies_to']} changed their meaning on {one['since']}: "
            f"{one['meaning']}",
            style="yellow",
            soft_wrap=True,
            markup=False,
        )
    if not before:
        messages.print("nothing lies before this window, so no change can be measured", style="yellow")


def _at(text: str) -> str:
    from groundswell.cli.columns import moment

    return moment(datetime.fromisoformat(text))
