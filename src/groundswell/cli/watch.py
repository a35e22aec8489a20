"""`groundswell watch`: what is watched, and the watch itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, messages, output
from groundswell.cli.measured import measured

if TYPE_CHECKING:
    from groundswell.errors import QuerySyntaxError
    from groundswell.importing import Options
    from groundswell.settings import Settings
    from groundswell.watch.jobs import Watcher

_N = TypeVar("_N", int, float)

#: How often a running watch says on the terminal how far it is, seconds.
_TELL_S: Final = 5.0

#: How often the bar of a replay moves, seconds.
_DRAW_S: Final = 0.2

verbs = typer.Typer(no_args_is_help=True, help="Watch queries: add, edit, list, remove, run.")
app.add_typer(verbs, name="watch")


_QUERY_HELP: Final = 'What to watch: words, "a phrase", pre*, #tag, @name, AND OR NOT ( ).'
_COUNTRY_HELP: Final = "Country whose public holidays shape its days (ISO 3166-1, such as FR)"
_FOLLOWERS_HELP: Final = "Alert at once on one matching post by an author with more followers than this"
_SHARE_HELP: Final = "Alert at once on one matching post in this top share of its platform's reach, such as 0.001"
_COUNT_BY_HELP: Final = "The time that a post counts at: created_at, or observed_at for feeds that are crawled."

Promise = Annotated[
    float | None,
    typer.Option("--promise", min=0.01, max=3650, help="At most about one false alert in this many days."),
]
CountBy = Annotated[str | None, typer.Option("--count-by", help=_COUNT_BY_HELP)]


@verbs.command()
def add(
    name: Annotated[str, typer.Argument(help="A name of your choice.")],
    query: Annotated[str, typer.Argument(help=_QUERY_HELP)],
    promise: Promise = None,
    country: Annotated[str | None, typer.Option("--country", help=_COUNTRY_HELP + ".")] = None,
    reach_followers: Annotated[int | None, typer.Option("--reach-followers", min=0, help=_FOLLOWERS_HELP + ".")] = None,
    reach_share: Annotated[float | None, typer.Option("--reach-share", help=_SHARE_HELP + ".")] = None,
    count_by: CountBy = None,
    json: Json = False,
) -> None:
    """Watch a query; a watch that runs takes it up within a second."""
    from groundswell.desk import documents, open_desk
    from groundswell.desk.trackers import Options
    from groundswell.settings import current_settings
    from groundswell.watch.trackers import add_tracker

    settings = current_settings()
    options = Options(
        country=country,
        reach_followers=reach_followers,
        reach_share=reach_share,
        count_by=count_by or "created_at",
    )
    with open_desk(settings) as desk, _pointing(), desk.session() as session:
        row = add_tracker(session, name, query, promise or settings.promise, options=options)
        document = documents.tracker(row, None, None)
    if json:
        emit(document)
    else:
        messages.print(f"watching [bold]{row.name}[/]: ", Text(row.query), sep="")


@verbs.command()
def edit(  # noqa: PLR0917 - Typer's options
    name: Annotated[str, typer.Argument(help="The tracker's name or id.")],
    query: Annotated[str | None, typer.Option("--query", help=_QUERY_HELP + " Another one learns anew.")] = None,
    rename: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    promise: Promise = None,
    country: Annotated[str | None, typer.Option("--country", help=_COUNTRY_HELP + "; none: without.")] = None,
    reach_followers: Annotated[
        str | None, typer.Option("--reach-followers", help=_FOLLOWERS_HELP + "; none: no such rule.")
    ] = None,
    reach_share: Annotated[
        str | None, typer.Option("--reach-share", help=_SHARE_HELP + "; none: no such rule.")
    ] = None,
    count_by: CountBy = None,
    json: Json = False,
) -> None:
    """Change a tracker; what is not given stays."""
    from groundswell.desk import documents, open_desk
    from groundswell.desk.trackers import Options
    from groundswell.settings import current_settings
    from groundswell.watch.trackers import edit_tracker

    options = Options()
    if country is not None:
        options["country"] = None if country == _NONE else country
    if reach_followers is not None:
        options["reach_followers"] = _number("--reach-followers", reach_followers, int)
    if reach_share is not None:
        options["reach_share"] = _number("--reach-share", reach_share, float)
    if count_by is not None:
        options["count_by"] = count_by
    with open_desk(current_settings()) as desk, _pointing(), desk.session() as session:
        row = edit_tracker(session, name, query=query, promise_days=promise, new_name=rename, options=options)
        document = documents.tracker(row, None, None)
    if json:
        emit(document)
    else:
        messages.print(f"watching [bold]{row.name}[/]: ", Text(row.query), sep="")


#: What takes an option of a tracker away.
_NONE: Final = "none"


def _number(option: str, given: str, kind: Callable[[str], _N]) -> _N | None:
    from groundswell.errors import UsageError

    if given == _NONE:
        return None
    try:
        return kind(given)
    except ValueError as error:
        what = f"{option} {given} is no number"
        raise UsageError(what, hint="give a number, or none to take the rule away") from error


@contextmanager
def _pointing() -> Iterator[None]:
    """Show where a query stops parsing."""
    from groundswell.errors import QuerySyntaxError

    try:
        yield
    except QuerySyntaxError as error:
        _point_at(error)
        raise


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
    table.add_column("promise", justify="right")
    table.add_column("also")
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
            f"{item['promise_days']:g} d",
            Text(_also(item)),
        )
    return table


def _also(item: dict[str, Any]) -> str:
    """What a tracker says besides its query and promise."""
    parts = []
    if item["country"]:
        parts.append(f"holidays {item['country']}")
    if item["reach_followers"] is not None:
        parts.append(f"> {item['reach_followers']:,} followers")
    if item["reach_share"] is not None:
        parts.append(f"top {item['reach_share']:.3g} of reach")
    if item["count_by"] != "created_at":
        parts.append(f"by {item['count_by']}")
    return ", ".join(parts)


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
            help="- (stdin), bluesky (the public stream), kafka://host:9092/topic, a file that grows, "
            "a folder (folder:PATH), push or journal.",
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
    once: Annotated[bool, typer.Option("--once", help="Of a topic on Spark: end at what it holds now.")] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option("--metrics-port", min=0, max=65_535, help="Serve /metrics for Prometheus there; 0: any port."),
    ] = None,
    json: Json = False,
) -> None:
    """Watch a live source until you stop it, or a replay until its end."""
    from groundswell.web.sharing import settle_for_streams

    settle_for_streams()  # before Arrow is loaded, below
    from groundswell.errors import UsageError
    from groundswell.settings import current_settings
    from groundswell.watch.jobs import run_live

    settings = current_settings()
    files = [*(replay or []), *(more or [])]
    if bool(replay) == bool(source):
        what = "a replay and a live source at once" if replay else "nothing to watch"
        raise UsageError(what, hint="give --source SPEC or --replay FILE...")
    with measured(settings, metrics_port):
        if replay:
            document = _replay(settings, files, chosen_options(settings, layout, mapping or [], tz), speed, again=again)
        else:
            document = run_live(settings, source or [], _running, once=once)
    if json:
        emit(document)
    elif replay:
        _print_replay(document)
    else:
        messages.print(f"{document['records']:,} records, {document['open_alerts']:,} open alerts")


def chosen_options(settings: Settings, layout: str | None, mapping: list[str], tz: str | None) -> Options:
    """How files are to be read; raises UsageError where an option is not valid."""
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
            def running(runner: Watcher, total: int) -> Iterator[threading.Event]:
                status.stop()
                with _running(runner, total) as stop:
                    yield stop

            return Replay(settings, files, options, pace, again, progress).run(running)
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
def _running(runner: Watcher, total: int) -> Iterator[threading.Event]:
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


def _draw(runner: Watcher, total: int, ended: threading.Event) -> None:
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


def _tell(runner: Watcher, total: int, ended: threading.Event) -> None:
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
        if status.bus_trouble:
            messages.print(f"[yellow]nothing comes in[/]: {status.bus_trouble}")
