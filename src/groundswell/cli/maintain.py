"""`groundswell maintain`: keep the home small and quick."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages


@app.command()
def maintain(
    *,
    keep_hours: Annotated[
        int, typer.Option("--keep-hours", min=0, help="Versions of the last so many hours stay readable.")
    ] = 168,
    as_json: Json = False,
) -> None:
    """Join small files, and remove what nobody needs any more.

    Old versions of the tables go after a week, raw content after GROUNDSWELL_RAW_DAYS (by default never). Posts,
    what is in quarantine and the ledger are never removed.
    """
    from groundswell.desk import open_desk
    from groundswell.importing.upkeep import keep_up
    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    settings = load_settings()
    with open_desk(settings) as desk:
        done = keep_up(Lake.open(settings), desk, settings, keep_hours=keep_hours)
    if as_json:
        emit(asdict(done))
        return
    messages.print(
        f"{done.files_before:,} files joined to {done.files_after:,}; {done.removed:,} old ones removed; "
        f"raw content of {done.raw_forgotten:,} imports forgotten, {done.raw_objects:,} files of it removed "
        f"({done.raw_bytes / 1e6:,.1f} MB)"
    )
