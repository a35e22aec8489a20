"""`groundswell warehouse`: tables of PostgreSQL for questions in SQL."""

from __future__ import annotations

from typing import Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages

warehouse = typer.Typer(help="Tables in PostgreSQL for questions in SQL.", no_args_is_help=True)
app.add_typer(warehouse, name="warehouse")


@warehouse.command()
def sync(
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", help="postgresql://USER@HOST/DB.", show_default="GROUNDSWELL_WAREHOUSE"),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Make everything anew; until it is there the old stays.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring posts, creators, hashtags, sounds, musicians, challenges, alerts and baselines there up to date.

    Only what is new in the lake is read. Killed and run again, it goes on where it was.
    """
    from groundswell.desk import open_desk
    from groundswell.errors import UsageError
    from groundswell.lake import Lake
    from groundswell.settings import load_settings
    from groundswell.warehouse import sync as work

    settings = load_settings()
    url = to or settings.warehouse
    if not url:
        what = "which database?"
        raise UsageError(what, hint="give --to postgresql://USER@HOST/DB, or set GROUNDSWELL_WAREHOUSE")
    with messages.status("getting ready") as status, open_desk(settings) as desk:
        done = work(
            Lake.open(settings),
            desk,
            url,
            full=full,
            tell=lambda table, rows: status.update(f"{table}  {rows:,} rows"),
        )
    if as_json:
        emit(done.document())
        return
    if done.reason is not None:
        messages.print(f"everything was made anew: {done.reason}")
    read = ", ".join(f"{rows:,} {name}" for name, rows in done.read.items() if rows)
    messages.print(f"read {read or 'nothing new'}; {done.seconds:,.1f} s")
    for name, rows in done.rows.items():
        messages.print(f"  {name:<16} {rows:>14,}")
