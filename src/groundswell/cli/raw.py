"""`groundswell raw`: the raw record behind a post."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from groundswell.cli.app import Json, app, emit, output


@app.command()
def raw(
    post: Annotated[str, typer.Argument(metavar="POST", help="platform:id, or the key of an observation in hex.")],
    *,
    as_json: Json = False,
) -> None:
    """Show the record that a post was read from: for each of its observations file, place, layout and text."""
    from groundswell.importing.rawzone_post import records_behind
    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    settings = load_settings()
    found = records_behind(Lake.open(settings), settings, post)
    if as_json:
        emit({"post": post, "observations": [asdict(each) for each in found]})
        return
    for each in found:
        where = f"{each.origin} at {each.origin_offset:,}"
        read = f"read by {each.layout} version {each.layout_version}, imported {each.imported_at:%Y-%m-%d %H:%M} UTC"
        output.print(f"{where}, {read}", markup=False, soft_wrap=True)
        output.print(each.text if each.text is not None else f"({each.why})", markup=False, soft_wrap=True)
