"""`groundswell posts`: the latest observation of each post that matches a query."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer
from rich.cells import cell_len
from rich.text import Text

from groundswell.cli.app import Json, app, emit, messages, output
from groundswell.errors import UnavailableError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.table import Table

    from groundswell.platforms.definitions import Definition


class Order(StrEnum):
    """The orders of `groundswell.marts.latest.Sort`; repeated here so that `--help` needs no Arrow."""

    LATEST = "latest"
    LIKES = "likes"
    VIEWS = "views"
    ENGAGEMENT = "engagement"


class Format(StrEnum):
    """How posts are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


@app.command()
def posts(
    query: Annotated[
        str,
        typer.Argument(
            help='Words, "phrases", prefix*, #tag, @handle, AND OR NOT ( ), likes:>N … All posts if absent.'
        ),
    ] = "",
    *,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Only this platform; may be repeated.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Created at or after: a date, a time, or a span before now (2d, 6h).")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Created before; a date alone is that whole day, too.")
    ] = None,
    sort: Annotated[Order, typer.Option("--sort", help="What comes first; unknown values come last.")] = Order.LATEST,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most posts to show.")] = 50,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Default: from the name of --out, else a table.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write instead of stdout.", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show posts that match: each once, by its latest observation.

    Engagement is (likes + comments + shares + saves that are known) per view, or per follower of the author
    where a post has no views.
    """
    began = time.perf_counter()
    chosen = _format(format_, out, as_json)
    table, version = _search(query, tuple(platform or ()), since, until, sort, limit)
    document: dict[str, Any] = {
        "query": query,
        "sort": sort.value,
        "limit": limit,
        "found": table.num_rows,
        "seconds": round(time.perf_counter() - began, 3),
        "lake_version": version,
        "definitions": [one.document() for one in _changes(table, sort)],
        "out": out,
    }
    if out is not None:
        _to_file(out, _writer(chosen, table, document))
        messages.print(f"wrote {table.num_rows:,} posts to {out}", soft_wrap=True, markup=False)
        if as_json:
            emit(document | {"items": None})
    elif chosen is Format.TABLE:
        _show(table, document)
    else:
        _writer(chosen, table, document)(sys.stdout.buffer)


def _format(given: Format | None, out: Path | None, as_json: bool) -> Format:
    named = out.suffix.lower().lstrip(".") if out else ""
    guessed = Format(named) if named in {"json", "csv", "parquet"} else Format.TABLE
    if as_json and out is None:
        if given not in {None, Format.JSON}:
            wrong = f"--json and --format {given} ask for two things on stdout"
            raise UsageError(wrong, hint="write one of them to a file with --out")
        return Format.JSON
    chosen = given or guessed
    if chosen is Format.TABLE and out is not None:
        wrong = "a table is for the terminal"
        raise UsageError(wrong, where=out, hint="choose --format csv, json or parquet, or such an ending")
    if chosen is Format.PARQUET and out is None and sys.stdout.isatty():
        wrong = "Parquet is binary and stdout is a terminal"
        raise UsageError(wrong, hint="add --out FILE.parquet")
    return chosen


def _search(
    query: str, platforms: tuple[str, ...], since: str | None, until: str | None, sort: Order, limit: int
) -> tuple[pa.Table, int | None]:
    from groundswell.engines import open_engine
    from groundswell.lake import Lake
    from groundswell.marts.latest import search_posts
    from groundswell.marts.period import parse_moment
    from groundswell.query import parse
    from groundswell.settings import current_settings

    settings = current_settings()
    now = datetime.now(UTC)
    parsed = parse(query) if query.strip() else None
    after = parse_moment(since, now=now, tz=settings.tz) if since else None
    before = parse_moment(until, now=now, tz=settings.tz, end=True) if until else None
    lake = Lake.open(settings)
    engine = open_engine(settings)
    try:
        return search_posts(engine, lake, parsed, platforms, after, before, sort.value, limit)
    finally:
        engine.close()


def _changes(table: pa.Table, sort: Order) -> tuple[Definition, ...]:
    """Changes of what the sorted metric means that lie between the times at which the posts were seen."""
    import pyarrow.compute as pc

    from groundswell.platforms.definitions import crossed

    metrics: dict[Order, tuple[str, ...]] = {Order.LATEST: (), Order.ENGAGEMENT: ("views", "likes")}
    seen = pc.min_max(pc.coalesce(table["observed_at"], table["created_at"])).as_py()
    return crossed(set(table["platform"].to_pylist()), metrics.get(sort, (sort.value,)), seen["min"], seen["max"])


def _writer(chosen: Format, table: pa.Table, document: dict[str, Any]) -> Callable[[BinaryIO], None]:
    from groundswell.marts.export import documents, write_csv, write_parquet

    def as_document(target: BinaryIO) -> None:
        text = json.dumps(document | {"items": list(documents(table))}, ensure_ascii=False, indent=2, default=str)
        target.write(text.encode() + b"\n")

    if chosen is Format.CSV:
        return lambda target: write_csv(table, target)
    if chosen is Format.PARQUET:
        return lambda target: write_parquet(table, target)
    return as_document


def _to_file(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write beside `path` and rename, so that nobody finds half a file there."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as target:
            write(target)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        wrong = "cannot write the file"
        raise UnavailableError(wrong, where=path, hint=error.strerror) from error


def _show(table: pa.Table, document: dict[str, Any]) -> None:
    if table.num_rows == 0:
        messages.print("no posts match" if document["query"] else "no posts")
        return
    output.print(_table(table))
    from groundswell.cli.columns import many

    for one in document["definitions"]:
        messages.print(
            f"{one['platform']}: {one['metric']} of {one['applies_to']} changed their meaning on {one['since']}: "
            f"{one['meaning']}",
            style="yellow",
            soft_wrap=True,
            markup=False,
        )
    seconds, found = document["seconds"], table.num_rows
    more = f", the first {found:,}; --limit shows more" if found == document["limit"] else ""
    messages.print(f"{many(found, 'post')} in {seconds:.2f} s{more}", style="dim", soft_wrap=True)


#: The text stands after time, platform and author.
_TEXT_AT: Final = 3
_GAP: Final = 2
_LEAST_TEXT: Final = 30
_COUNTS: Final = ("views", "likes", "comments", "shares")


def _table(table: pa.Table) -> Table:
    from rich.table import Table

    from groundswell.cli.columns import clipped, count, moment, percent, plain

    rows = table.to_pylist()
    known = [name for name in _COUNTS if any(row[name] is not None for row in rows)]
    engaged = any(row["engagement"] is not None for row in rows)
    titles = ["time", "platform", "author", *known, *(["engaged"] if engaged else [])]
    cells = [
        [
            moment(row["created_at"]),
            str(plain(row["platform"], 12)),
            str(plain(row["author_name"] or row["author_id"], 18)),
            *(count(row[name]) for name in known),
            *([percent(row["engagement"])] if engaged else []),
        ]
        for row in rows
    ]
    widths = [max(cell_len(line[n]) for line in [titles, *cells]) for n in range(len(titles))]
    while (room := output.width - sum(widths) - _GAP * (len(widths) + 1)) < _LEAST_TEXT and len(widths) > _TEXT_AT:
        widths.pop()  # a narrow terminal shows fewer counters; --json has all
    titles = titles[: len(widths)]
    shown = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold")
    for number, title in enumerate(titles):
        if number == _TEXT_AT:
            shown.add_column("text", no_wrap=True)
        shown.add_column(title, justify="left" if number < _TEXT_AT else "right", no_wrap=True)
    if len(titles) == _TEXT_AT:
        shown.add_column("text", no_wrap=True)
    for line, row in zip(cells, rows, strict=True):
        shown.add_row(
            *map(Text, line[:_TEXT_AT]),
            clipped(row["text"], max(room, _LEAST_TEXT)),
            *map(Text, line[_TEXT_AT : len(titles)]),
        )
    return shown
