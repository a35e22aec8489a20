"""`groundswell codebook`: every field with its meaning, unit, fill rate and examples."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, messages
from groundswell.errors import UsageError

if TYPE_CHECKING:
    from groundswell.marts.codebook import Entry


class BookForm(StrEnum):
    """How the codebook is written."""

    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


@app.command()
def codebook(
    *,
    format_: Annotated[
        BookForm | None,
        typer.Option("--format", help="Default: from the name of --out, else Markdown.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write instead of stdout.", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Print every field of posts, authors and comments: what it means, its unit, how often it is filled, examples."""
    from groundswell.engines import open_engine
    from groundswell.lake import Lake
    from groundswell.marts.codebook import codebook as read
    from groundswell.marts.writers import new_file
    from groundswell.settings import current_settings

    form = _form(format_, out, as_json)
    settings = current_settings()
    engine = open_engine(settings)
    try:
        entries = read(engine, Lake.open(settings))
    finally:
        engine.close()
    content = _written(entries, form)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    with new_file(out) as target:
        target.write(content)
    messages.print(f"wrote {len(entries)} fields to {out}", soft_wrap=True, markup=False)


def _form(given: BookForm | None, out: Path | None, as_json: bool) -> BookForm:
    if as_json:
        if given not in {None, BookForm.JSON}:
            wrong = f"--json and --format {given} ask for two things"
            raise UsageError(wrong, hint="choose one of them")
        return BookForm.JSON
    endings = {".md": BookForm.MARKDOWN, ".csv": BookForm.CSV, ".json": BookForm.JSON}
    return given or endings.get(out.suffix.lower() if out else "", BookForm.MARKDOWN)


def _written(entries: list[Entry], form: BookForm) -> bytes:
    from groundswell.marts.cells import csv_header, csv_lines
    from groundswell.marts.codebook import codebook_table, markdown

    now = datetime.now(UTC)
    if form is BookForm.MARKDOWN:
        return markdown(entries, now).encode()
    if form is BookForm.CSV:
        table = codebook_table(entries)
        return csv_header(table.column_names) + csv_lines(table.combine_chunks())
    document: dict[str, Any] = {
        "made_at": now.isoformat().replace("+00:00", "Z"),
        "fields": [entry.document() for entry in entries],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
