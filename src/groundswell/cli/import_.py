"""`groundswell import`: files, folders, globs and standard input into the lake."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages

if TYPE_CHECKING:
    from groundswell.engines import Engine
    from groundswell.importing import Options
    from groundswell.lake import Lake
    from groundswell.settings import Settings

#: Heading of the options that say which of the records are wanted.
PART = "A part of the records"
#: Files whose columns and fields a dry run shows.
PREVIEWED = 5
#: Heading of the options that are for databases.
DATABASES = "Databases"


@app.command("import")
def import_(
    paths: Annotated[
        list[str],
        typer.Argument(help="Files, folders, globs (quoted), URLs, addresses of databases, or - for standard input."),
    ],
    *,
    platform: Annotated[
        str | None, typer.Option("--platform", help="Only layouts of this platform; for a generic table, its platform.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Read everything by this layout, as platform.layout.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; may be repeated."),
    ] = None,
    tz: Annotated[str | None, typer.Option("--tz", help="Time zone of times that name none (IANA name).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and count; show which column becomes which field; store nothing.")
    ] = False,
    raw: Annotated[
        bool | None, typer.Option("--raw/--no-raw", help="Keep the raw records, for `remap` (GROUNDSWELL_KEEP_RAW).")
    ] = None,
    index: Annotated[
        bool, typer.Option("--index/--no-index", help="Index the words afterwards, so that `posts` finds rare ones.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Go on where the disk seems to have too little room.")] = False,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="QUERY", help="Only what a query matches.", rich_help_panel=PART),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option("--sample", metavar="1%", help="Only this share, the same every time.", rich_help_panel=PART),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only what was posted then or later.", rich_help_panel=PART)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Only what was posted before.", rich_help_panel=PART)
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", help="Table or view of an SQL database.", rich_help_panel=DATABASES)
    ] = None,
    sql: Annotated[
        str | None,
        typer.Option("--sql", help="Query to an SQL database, instead of a table.", rich_help_panel=DATABASES),
    ] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", help="Collection of a MongoDB database.", rich_help_panel=DATABASES)
    ] = None,
    filter_: Annotated[
        str | None,
        typer.Option(
            "--filter", metavar="JSON", help="Which of its documents, in MongoDB's JSON.", rich_help_panel=DATABASES
        ),
    ] = None,
    cursor: Annotated[
        str | None,
        typer.Option(
            "--cursor",
            metavar="COLUMN",
            help="Read only what is new by this column: an id or a time that grows.",
            rich_help_panel=DATABASES,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import posts: every record is stored, known already, or in quarantine with its reason.

    The layout is recognised from the content. The same file again stores nothing new; a file that grew stores what
    is new; an import that was interrupted goes on where it was. Exit code 1 if a file could not be read.
    """
    import pyarrow as pa

    from groundswell import kernels
    from groundswell.cli.import_view import TerminalProgress, show_summary
    from groundswell.desk import open_desk
    from groundswell.engines import open_engine
    from groundswell.importing import Options, import_paths
    from groundswell.importing.choice import read_mapping
    from groundswell.importing.part import Part
    from groundswell.lake import Lake
    from groundswell.platforms.saved import registry_for
    from groundswell.settings import load_settings
    from groundswell.sources.databases import Question
    from groundswell.text.characters import tables
    from groundswell.web.sharing import limit_allocator

    given = {"tz": tz, "keep_raw": raw}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    question = Question(table, sql, collection, filter_, cursor)
    options = Options(
        layout,
        read_mapping(mapping or ()),
        platform,
        settings.tz,
        dry_run,
        raw=settings.keep_raw,
        force=force,
        part=Part.of(where, sample, since, until, tz=settings.tz),
        question=question,
    )
    lake = Lake.open(settings)
    engine = open_engine(settings)
    # Threads that read, map and write hand the interpreter over often; the default makes each wait 5 ms for it.
    sys.setswitchinterval(0.0005)
    if _bytes_of(paths) > kernels.WORTH_WHILE:
        messages.print("preparing to read much", style="dim") if messages.is_terminal else None
        kernels.load(settings.home / "cache")
        limit_allocator()
    tables()
    registry_for(settings)
    pa.scalar("")  # pyarrow looks for pandas now, and not when the first rows come
    # What is loaded by now stays; looking for garbage in it again and again costs a tenth of a large import.
    gc.freeze()
    try:
        if dry_run and not as_json:
            _preview(paths, options, settings, engine)
        with open_desk(settings) as desk, TerminalProgress() as progress:
            summary = import_paths(paths, options, lake, desk, engine, settings, progress)
    finally:
        engine.close()
        gc.unfreeze()
    if as_json:
        emit(summary.document())
    else:
        show_summary(summary, dry_run=dry_run)
    if index and summary.count("stored") and not dry_run:
        _index(lake)
    raise SystemExit(summary.exit_code)


def _preview(paths: list[str], options: Options, settings: Settings, engine: Engine) -> None:
    """Show what the first files would become."""
    from groundswell.cli.preview_view import show_preview
    from groundswell.importing.preview import preview
    from groundswell.sources.files import STDIN, find_files

    named = [path for path in paths if path != STDIN and "://" not in path]
    for file in find_files(named, settings.tmp_path)[:PREVIEWED]:
        show_preview(preview(file, options, settings, engine))


def _index(lake: Lake) -> None:
    """Index the words of what is new; an index that is missing costs time in a search, and nothing else."""
    from groundswell.errors import GroundswellError
    from groundswell.lake.terms import index_texts

    try:
        index_texts(lake)
    except GroundswellError as error:
        messages.print(f"the words are not indexed: {error}", soft_wrap=True, markup=False)


def _bytes_of(paths: list[str]) -> int:
    """Bytes of the files that are named, or stand in named folders."""
    return sum(_sizes(map(Path, paths)))


def _sizes(paths: Iterator[Path]) -> Iterator[int]:
    for path in paths:
        if path.is_file():
            yield path.stat().st_size
        for folder, _, names in os.walk(path):
            yield from (os.stat(file).st_size for name in names if os.path.isfile(file := os.path.join(folder, name)))
