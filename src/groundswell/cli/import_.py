"""`groundswell import`: files, folders, globs and standard input into the lake."""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from groundswell.cli.app import Json, app, emit, messages

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from groundswell.importing.summary import FileSummary, ImportSummary

#: Seconds before the progress shows.
PATIENCE_S = 2.0
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; store nothing.")] = False,
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
    is new. Exit code 1 if a file could not be read.
    """
    import pyarrow as pa

    from groundswell import kernels
    from groundswell.desk import open_desk
    from groundswell.engines import open_engine
    from groundswell.importing import Options, import_paths
    from groundswell.importing.choice import read_mapping
    from groundswell.lake import Lake
    from groundswell.settings import load_settings
    from groundswell.sources.databases import Question
    from groundswell.text.characters import tables

    settings = load_settings(**({} if tz is None else {"tz": tz}))
    question = Question(table, sql, collection, filter_, cursor)
    options = Options(layout, read_mapping(mapping or ()), platform, settings.tz, dry_run, question=question)
    engine = open_engine(settings)
    # Threads that read, map and write hand the interpreter over often; the default makes each wait 5 ms for it.
    sys.setswitchinterval(0.0005)
    if _bytes_of(paths) > kernels.WORTH_WHILE:
        messages.print("preparing to read much", style="dim") if messages.is_terminal else None
        kernels.load(settings.home / "cache")
    tables()
    pa.scalar("")  # pyarrow looks for pandas now, and not when the first rows come
    # What is loaded by now stays; looking for garbage in it again and again costs a tenth of a large import.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        with open_desk(settings) as desk, TerminalProgress() as progress:
            summary = import_paths(paths, options, Lake.open(settings), desk, engine, settings, progress)
    finally:
        engine.close()
        gc.unfreeze()
    if as_json:
        emit(summary.document())
    else:
        _show(summary, dry_run=dry_run)
    raise SystemExit(summary.exit_code)


def _bytes_of(paths: list[str]) -> int:
    """Bytes of the files that are named one by one; what stands in folders is not looked at yet."""
    return sum(file.stat().st_size for file in map(Path, paths) if file.is_file())


class TerminalProgress:
    """Shows on a terminal, after two seconds, which file is read, how far it is and how long it still takes."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._bar: Bar | None = None
        self._task: object = None
        self._name = ""
        self._size = 0
        self._position = 0

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def file(self, name: str, number: int, total: int, size: int) -> None:
        """A file begins."""
        self._name = name if total == 1 else f"{number} of {total}: {name}"
        self._size, self._position = size, 0
        self._update(0)

    def at(self, position: int, records: int) -> None:
        """So many bytes and records of it are done."""
        # A table tells rows, a packed file the bytes of its content: then only the count is shown.
        self._position = max(self._position, position)
        self._update(records)

    def say(self, message: str) -> None:
        """A sentence for the person."""
        messages.print(escape(message), soft_wrap=True)

    def _update(self, records: int) -> None:
        if not messages.is_terminal or time.monotonic() - self._begun < PATIENCE_S:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[records]:,} records"),
                TimeRemainingColumn(),
                console=messages,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=None, records=0)
        known = 0 < self._position <= self._size
        self._bar.update(
            self._task,  # type: ignore[arg-type]
            description=escape(self._name[-60:]),
            total=self._size if known else None,
            completed=self._position if known else 0,
            records=records,
        )


def _show(summary: ImportSummary, *, dry_run: bool) -> None:
    for file in summary.files:
        _show_file(file)
    seconds = max(summary.seconds, 1e-6)
    stored = "would be stored" if dry_run else "stored"
    messages.print(
        f"[bold]{summary.count('read'):,} read[/]: {summary.count('stored'):,} {stored}, "
        f"{summary.count('known'):,} known, {summary.count('rejected'):,} rejected, "
        f"{summary.count('ignored'):,} ignored; {seconds:.1f} s, {summary.bytes / seconds / 1e6:,.1f} MB/s"
    )
    for reason, count in summary.reasons.most_common(3):
        messages.print(f"  [yellow]{count:,} rejected[/]: {escape(reason)}")
        example = summary.example(reason)
        messages.print(f"    {escape(example[:160])}", style="dim", soft_wrap=True)
    if summary.count("rejected") and not dry_run:
        messages.print("  `groundswell quarantine list` shows them, `quarantine retry` reads them again")


def _show_file(file: FileSummary) -> None:
    layouts = ", ".join(
        f"{counts.layout or 'no known layout'} ({counts.read:,})" for counts in file.layouts.values() if counts.read
    )
    messages.print(f"{escape(file.path)}: {layouts or 'no records'}", soft_wrap=True)
    if file.error:
        messages.print(f"  [bold red]error[/]: {escape(file.error)}", soft_wrap=True)
