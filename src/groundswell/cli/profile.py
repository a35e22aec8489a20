"""`groundswell profile`: what is in the data, what is missing, what is unlikely, and which values are outliers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.marts.profile import Profile
    from groundswell.marts.tally import Tally


#: Columns that the fields' figures take, and fields that say how a post came in.
_FIGURES: Final = 74
_MACHINE: Final = ("layout_version", "origin_offset", "ingest_seq", "imported_at", "source")


class OutlierRule(StrEnum):
    """The rules of `groundswell.marts.outliers.Rule`; repeated here so that `--help` needs no Arrow."""

    ROBUST_Z = "robust_z"
    IQR = "iqr"
    IQR_LOG = "iqr_log"


@app.command()
def profile(
    query: Annotated[str, typer.Argument(help="Only posts that match; all if absent.")] = "",
    *,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Only this platform; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Created at or after.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Created before; a date alone is that whole day.")
    ] = None,
    rule: Annotated[
        OutlierRule, typer.Option("--outliers", help="How outliers are found: see docs/guide/clean-and-export.md.")
    ] = OutlierRule.ROBUST_Z,
    limit: Annotated[
        float | None,
        typer.Option("--outlier-limit", help="Default: 3.5 for robust_z, 1.5 for iqr.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what the data holds: missing values and spread of each field, unlikely values, outliers.

    Outliers are found for each metric on each platform by bounds of its own. Nothing is removed.
    """
    from groundswell.cli.wanted import wanted_posts
    from groundswell.engines import open_engine
    from groundswell.lake import Lake
    from groundswell.marts.outliers import Rule
    from groundswell.marts.profile import profile as read
    from groundswell.settings import current_settings

    settings = current_settings()
    wanted = wanted_posts(query, platform, since, until, settings.tz, datetime.now(UTC))
    engine = open_engine(settings)
    try:
        with counted("reading posts, twice") as tell:
            found = read(engine, Lake.open(settings), wanted, rule=Rule(rule.value), limit=limit, progress=tell)
    finally:
        engine.close()
    if as_json:
        emit({"query": query, **found.document()})
    else:
        _show(found)


@contextmanager
def counted(what: str) -> Iterator[Callable[[int], None]]:
    """Shows how many rows were read so far, on a terminal."""
    if not messages.is_terminal:
        yield lambda _rows: None
        return
    with messages.status(what) as status:
        yield lambda rows: status.update(f"{what}: {rows:,} rows")


def _show(found: Profile) -> None:
    from groundswell.cli.columns import many

    if not found.rows:
        messages.print("no posts match")
        return
    _fields(found)
    _unlikely(found)
    _outliers(found)
    for one in found.definitions:
        messages.print(
            f"{one.platform}: {one.metric} of {one.applies_to} changed their meaning on {one.since}: {one.meaning}",
            style="yellow",
            soft_wrap=True,
            markup=False,
        )
    by = ", ".join(f"{name} {count:,}" for name, count in found.platforms.items())
    messages.print(f"{many(found.rows, 'post')} ({by}), each by its latest observation", style="dim", soft_wrap=True)


def _table(*columns: tuple[str, bool]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for title, right in columns:
        table.add_column(title, justify="right" if right else "left", overflow="ellipsis", no_wrap=True)
    return table


def _fields(found: Profile) -> None:
    table = _table(("field", False), ("missing", True), ("5 %", True), ("median", True), ("95 %", True))
    table.add_column("most frequent", no_wrap=True, max_width=max(output.width - _FIGURES, 20), overflow="ellipsis")
    empty = [one.name for one in found.fields if one.missing == one.rows]
    for one in found.fields:
        if one.missing < one.rows and one.name not in _MACHINE:
            table.add_row(one.name, _share(one), *_spread(one), _most(one))
    output.print(table)
    if empty:
        messages.print(f"never there: {', '.join(empty)}", style="dim", soft_wrap=True)


def _share(one: Tally) -> str:
    share = one.missing / one.rows
    return "" if not one.missing else f"{share * 100:.1f} %" if share >= 0.001 else "< 0.1 %"


def _spread(one: Tally) -> list[str]:
    if one.kind == "number" and one.numbers.count:
        found = one.numbers.quantiles((0.05, 0.5, 0.95)).tolist()
        return [f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}" for value in found]
    if one.kind == "time":
        return [f"{one.least:%Y-%m-%d}", "", f"{one.greatest:%Y-%m-%d}"]
    return ["", "", ""]


def _most(one: Tally) -> Any:
    from groundswell.cli.columns import plain

    if one.kind in {"number", "time"}:
        return ""
    # What hardly ever occurs twice (ids, addresses) has no most frequent value.
    top = [(value, count) for value, count in one.values.top(3) if count > 1]
    return plain(", ".join(f"{value[:24]} ({count:,})" for value, count in top) or "all different", 90)


def _unlikely(found: Profile) -> None:
    from groundswell.cli.columns import plain

    table = _table(("unlikely", False), ("posts", True), ("what", False), ("for example", False))
    any_found = False
    for one in found.unlikely:
        if one.count:
            any_found = True
            example = one.examples[0]
            where = example["post_id"] or f"{example['origin']}:{example['origin_offset']}"
            table.add_row(one.check.name, f"{one.count:,}", one.check.meaning, plain(where, 40))
    if any_found:
        output.print(table)
    else:
        messages.print("no unlikely values")


def _outliers(found: Profile) -> None:
    columns = [("outliers", False), ("metric", False), ("below", True), ("", True), ("above", True), ("", True)]
    table = _table(*columns, ("of", True))
    for one in found.outliers:
        bounds = one.bounds
        table.add_row(
            one.platform,
            one.metric,
            "" if bounds.lower is None else f"{bounds.lower:,.0f}",
            f"{one.low:,}" if one.low else "",
            bounds.why or "" if bounds.upper is None else f"{bounds.upper:,.0f}",
            f"{one.high:,}" if one.high else "",
            f"{bounds.values:,}",
        )
    if found.outliers:
        output.print(table)
        first = found.outliers[0].bounds
        messages.print(
            f"rule {first.rule.value}, limit {first.limit:g}, for each metric on each platform; flagged, not removed",
            style="dim",
            soft_wrap=True,
        )
