"""`groundswell replay`: history written to a topic of Kafka as if it happened now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.watch.producing import Producing


@app.command()
def replay(
    files: Annotated[list[str], typer.Argument(help="Files or folders of history, of any layout.")],
    to: Annotated[str, typer.Option("--to", help="kafka://host:9092/topic; the topic must be there.")],
    speed: Annotated[str, typer.Option("--speed", help="60x is a minute a second; max.")] = "max",
    layout: Annotated[str | None, typer.Option("--layout", help="Layout of the files.")] = None,
    mapping: Annotated[list[str] | None, typer.Option("--map", help="field=column of a table.")] = None,
    tz: Annotated[str | None, typer.Option("--tz", help="Time zone of times that name none.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Write a finished replay once more from its start.")] = False,
    json: Json = False,
) -> None:
    """Write history to a topic of Kafka, in the order of its time, as a stream.

    Each message has its post's id as key, and the time at which it was written as header and field `time_stamp`. Stop
    it with Ctrl C: the same command goes on with the next record, and none is written twice.
    """
    from groundswell.bus.kafka_address import read_address
    from groundswell.cli.watch import chosen_options
    from groundswell.settings import current_settings
    from groundswell.sources.files import find_files
    from groundswell.sources.replay import parse_speed
    from groundswell.watch.producing import Producing

    settings = current_settings()
    address, pace = read_address(to), parse_speed(speed)
    options = chosen_options(settings, layout, mapping or [], tz)
    found = find_files(files, settings.tmp_path)
    try:
        document = _run(Producing(settings, found, options, address, pace, again))
    finally:
        for file in found:
            if not file.kept:
                file.path.unlink(missing_ok=True)
    if json:
        emit(document)
    else:
        _print(document)


def _run(job: Producing) -> dict[str, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _stopping() as stop, Progress(*columns, console=messages, transient=True) as progress:
        task = progress.add_task("getting ready", total=None)

        def begun(at: int, records: int) -> Callable[[int], None]:
            progress.update(task, description=job.address.topic, total=records, completed=at)
            return lambda done: progress.update(task, completed=done)

        return job.run(stop, begun=begun)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that the part under way is finished."""
    stop = threading.Event()

    def end(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print(document: dict[str, Any]) -> None:
    if document["state"] == "done before":
        messages.print("this replay was finished before; `--again` writes it once more")
        return
    if document["state"] == "stopped":
        messages.print("stopped; the same command goes on from here")
    rate = document["sent"] / document["seconds"] if document["seconds"] else 0.0
    span = "" if document["from"] is None else f" from {document['from'][:10]} to {document['until'][:10]}"
    output.print(f"{document['sent']:,} of {document['records']:,} records{span} written, {rate:,.0f} a second")
    if document["too_large"]:
        messages.print(f"{document['too_large']:,} were too large for a message and left out", style="yellow")
