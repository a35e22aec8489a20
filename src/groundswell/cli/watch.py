"""`groundswell watch`: what is watched, and the watch itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.errors import QuerySyntaxError
    from groundswell.importing import Options
    from groundswell.settings import Settings
    from groundswell.watch.runner import Runner

#: How often a running watch says on the terminal how far it is, seconds.
_TELL_S: Final = 5.0

#: How often the bar of a replay moves, seconds.
_DRAW_S: Final = 0.2

verbs = typer.Typer(no_args_is_help=True, help="Watch queries: add, list, remove, run.")
app.add_typer(verbs, name="watch")


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="A name of your choice.")],
    query: Annotated[str, typer.Argument(help='What to watch: words, "a phrase", pre*, #tag, @name, AND OR NOT ( ).')],
    promise: Annotated[
        float | None,
        typer.Option("--promise", min=0.01, max=3650, help="At most about one false alert in this many days."),
    ] = None,
    json: Json = False,
) -> None:
    """Watch a query; a watch that runs takes it up within a second."""
    from groundswell.desk import documents, open_desk
    from groundswell.errors import QuerySyntaxError
    from groundswell.settings import current_settings
    from groundswell.watch.trackers import add_tracker

    settings = current_settings()
    with open_desk(settings) as desk:
        try:
            with desk.session() as session:
                row = add_tracker(session, name, query, promise or settings.promise)
                document = documents.tracker(row, None, None)
        except QuerySyntaxError as error:
            _point_at(error)
            raise
    if json:
        emit(document)
    else:
        messages.print(f"watching [bold]{row.name}[/]: ", Text(row.query), sep="")


def _point_at(error: QuerySyntaxError) -> None:
    """Show the query with a caret under the column where it stops parsing."""
    if "\n" not in error.query:
        messages.print(Text(f"  {error.query}\n  {' ' * (error.column - 1)}^"))


@verbs.command("list")
def list_(json: Json = False) -> None:
    """What is watched, with the last closed window."""
    from groundswell.desk import alerts, documents, open_desk, series, trackers
    from groundswell.settings import current_settings

    settings = current_settings()
    with open_desk(settings) as desk, desk.reading() as session:
        last, alarmed = series.latest(session, settings.window), alerts.open_by_tracker(session)
        items = [documents.tracker(row, last.get(row.id), alarmed.get(row.id)) for row in trackers.list_active(session)]
    if json:
        emit({"items": items})
    elif not items:
        output.print('Nothing is watched. `groundswell watch add NAME "QUERY"` begins.')
    else:
        output.print(_tracker_table(items))


def _tracker_table(items: list[dict[str, Any]]) -> Table:
    table = Table("name", "query", "state", "last window", box=None, pad_edge=False, header_style="bold")
    table.add_column("posts", justify="right")
    table.add_column("usual", justify="right")
    for item in items:
        last = item["last"]
        usual = "" if last is None or last["expected"] is None else f"{last['expected']:.1f}"
        table.add_row(
            Text(item["name"]),
            Text(item["query"]),
            "not run yet" if last is None else last["state"],
            "" if last is None else last["start"][:16].replace("T", " "),
            "" if last is None else f"{last['count']:,}",
            usual,
        )
    return table


@verbs.command()
def remove(
    name: Annotated[str, typer.Argument(help="The tracker's name or id.")],
    json: Json = False,
) -> None:
    """Stop watching a query; its alerts stay."""
    from groundswell.desk import documents, open_desk
    from groundswell.settings import current_settings
    from groundswell.watch.trackers import remove_tracker

    with open_desk(current_settings()) as desk, desk.session() as session:
        row = remove_tracker(session, name)
        document = documents.tracker(row, None, None)
    if json:
        emit(document)
    else:
        messages.print(f"no longer watching [bold]{row.name}[/]; its alerts stay")


@verbs.command()
def run(  # noqa: PLR0917 - Typer's options
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            help="- (stdin), a file that grows, a folder (folder:PATH), push (what `serve` receives) or journal.",
        ),
    ] = None,
    replay: Annotated[
        list[str] | None, typer.Option("--replay", help="Files of history to run through the same code.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="Further files of the replay.")] = None,
    speed: Annotated[str, typer.Option("--speed", help="Of a replay: 60x is a minute a second; max.")] = "max",
    layout: Annotated[str | None, typer.Option("--layout", help="Layout of the replayed files.")] = None,
    mapping: Annotated[list[str] | None, typer.Option("--map", help="field=column of a table.")] = None,
    tz: Annotated[str | None, typer.Option("--tz", help="Time zone of times that name none.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run a finished replay once more from its start.")] = False,
    json: Json = False,
) -> None:
    """Watch a live source until you stop it, or a replay until its end."""
    from groundswell.errors import UsageError
    from groundswell.settings import current_settings
    from groundswell.watch.jobs import run_live

    settings = current_settings()
    files = [*(replay or []), *(more or [])]
    if bool(replay) == bool(source):
        what = "a replay and a live source at once" if replay else "nothing to watch"
        raise UsageError(what, hint="give --source SPEC or --replay FILE...")
    if replay:
        chosen = _options(settings, layout, mapping or [], tz)
        document = _replay(settings, files, chosen, speed, again=again)
    else:
        document = run_live(settings, source or [], _running)
    if json:
        emit(document)
    elif replay:
        _print_replay(document)
    else:
        messages.print(f"{document['records']:,} records, {document['open_alerts']:,} open alerts")


def _options(settings: Settings, layout: str | None, mapping: list[str], tz: str | None) -> Options:
    from zoneinfo import ZoneInfo

    from groundswell.errors import UsageError
    from groundswell.importing import Options
    from groundswell.importing.choice import read_mapping
    from groundswell.platforms.saved import registry_for

    if layout is not None:
        registry_for(settings).get(layout)
    try:
        ZoneInfo(tz or settings.tz)
    except (KeyError, ValueError, OSError) as error:
        what = f"no time zone `{tz}`"
        raise UsageError(what, hint="use an IANA name such as Europe/Paris") from error
    return Options(layout=layout, mapping=read_mapping(mapping), tz=tz or settings.tz)


def _replay(settings: Settings, paths: list[str], options: Options, speed: str, *, again: bool) -> dict[str, Any]:
    from groundswell.sources.files import find_files
    from groundswell.sources.replay import parse_speed
    from groundswell.watch.jobs import Replay

    pace = parse_speed(speed)
    files = find_files(paths, settings.tmp_path)
    try:
        with messages.status("getting ready") as status:

            def progress(what: str, count: int) -> None:
                status.update(f"{what} {count:,} records" if count else what)

            @contextmanager
            def running(runner: Runner, total: int) -> Iterator[threading.Event]:
                status.stop()
                with _running(runner, total) as stop:
                    yield stop

            job = Replay(settings, files, options, pace, again, progress)
            return job.run(running)
    finally:
        for file in files:
            if not file.kept:
                file.path.unlink(missing_ok=True)


def _print_replay(document: dict[str, Any]) -> None:
    from groundswell.cli.alerts_view import summary_table

    if document["state"] == "done before":
        messages.print("this replay was finished before; `--again` runs it once more")
    elif document["state"] == "stopped":
        messages.print("stopped; the same command goes on from here")
    span = "" if document["from"] is None else f" from {document['from'][:10]} to {document['to'][:10]}"
    messages.print(f"{document['records']:,} records{span}, {len(document['alerts']):,} alerts")
    if document["undated"]:
        messages.print(f"{document['undated']:,} records have no time; they are in the lake and count in no window")
    if document["alerts"]:
        output.print(summary_table(document["alerts"]))


@contextmanager
def _running(runner: Runner, total: int) -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that the watch commits what it has and ends in order."""
    stop, ended = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        messages.print("stopping; once more to end at once")
        stop.set()
        runner.wake()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    tell = _draw if total and messages.is_terminal else _tell
    teller = threading.Thread(target=tell, args=(runner, total, ended), daemon=True)
    if total or messages.is_terminal:
        teller.start()
    try:
        yield stop
    finally:
        ended.set()
        if teller.ident is not None:
            teller.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _draw(runner: Runner, total: int, ended: threading.Event) -> None:
    """A bar of a replay's records with the time that it still takes."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from groundswell.desk.clock import iso

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as progress:
        task = progress.add_task("replaying", total=total)
        while not ended.wait(_DRAW_S):
            status = runner.status()
            if status is not None:
                at = (iso(status.clock_us) or "")[:10] if status.clock_us else "replaying"
                progress.update(task, completed=status.records, description=at)


def _tell(runner: Runner, total: int, ended: threading.Event) -> None:
    """Say how far it is, a line every few seconds."""
    from groundswell.desk.clock import iso

    last = -1
    while not ended.wait(_TELL_S):
        status = runner.status()
        if status is None or status.records == last:
            continue
        last = status.records
        part = f" of {total:,}" if total else ""
        at = f", at {(iso(status.clock_us) or '')[:16].replace('T', ' ')}" if status.clock_us else ""
        messages.print(f"{status.records:,}{part} records{at}")
        if status.trouble:
            messages.print(f"[yellow]the lake is behind[/]: {status.trouble}")
