"""What `groundswell watch run` does: a live source until it is stopped, or a replay until its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy.orm import Session

from groundswell.bus import Bus, open_bus
from groundswell.bus.kafka_address import KafkaAddress, is_kafka, read_address
from groundswell.desk import Desk, alerts, documents, open_desk, runs, trackers
from groundswell.desk.clock import iso
from groundswell.desk.tables import RunRow
from groundswell.errors import UsageError
from groundswell.sources import jetstream_options
from groundswell.sources.feed import LiveSource
from groundswell.sources.folder import FolderSource
from groundswell.sources.push import PushSource
from groundswell.sources.reading import file_records
from groundswell.sources.records import Line
from groundswell.sources.replay import Prepared, ReplaySource, name_of, position_in
from groundswell.sources.stdin import StdinSource
from groundswell.sources.tail import TailSource
from groundswell.watch.parts import Hook
from groundswell.watch.replay import Progress, Reading, prepare, replay_key
from groundswell.watch.runner import Runner, RunnerStatus

if TYPE_CHECKING:
    from groundswell.importing import Options
    from groundswell.settings import Settings
    from groundswell.sources.files import SourceFile
    from groundswell.watch.cluster.run import SparkWatch

KIND: Final = "replay"

Running = Callable[["Watcher", int], AbstractContextManager[threading.Event]]
"""Surrounds a run: gives the event that stops it. Told how many records there are (0: not known)."""


def sources_of(
    specs: Sequence[str], settings: Settings, may_append: Callable[[], bool] = lambda: True
) -> list[LiveSource]:
    """The sources that specifications name: `-`, `stdin`, `bluesky`, `kafka:…`, `push`, `journal`, folders, files.

    `may_append` says whether the watch keeps up, to those that can wait.

    Raises:
        UsageError: a specification is none of these.
    """
    return [_source_of(spec, settings, may_append) for spec in dict.fromkeys(specs)]


def _source_of(spec: str, settings: Settings, may_append: Callable[[], bool]) -> LiveSource:
    if spec in ("-", "stdin"):
        return StdinSource(settings.max_record, may_append=may_append)
    if spec in ("push", "journal"):
        return PushSource()
    if spec.partition("?")[0] == jetstream_options.NAME:
        from groundswell.sources.jetstream import JetstreamSource  # noqa: PLC0415 - loads a WebSocket's client

        return JetstreamSource(jetstream_options.read_options(spec), settings.max_record, may_append=may_append)
    if is_kafka(spec):
        return _kafka(spec, settings)
    kind, _, rest = spec.partition(":")
    path = Path(rest if kind in ("folder", "file") and rest else spec).expanduser()
    if kind == "folder" or path.is_dir():

        def read(file: Path) -> Iterator[Line]:
            return file_records(file, settings.max_record)

        return FolderSource(path, read)
    if path.suffix in (".gz", ".zst"):
        what = f"a compressed file cannot be followed: `{spec}`"
        raise UsageError(what, hint="watch its folder with --source folder:PATH, or run it with --replay")
    if path.exists() or (kind == "file" and path.parent.is_dir()):
        return TailSource(path, settings.max_record, may_append=may_append)
    what = f"no such source: `{spec}`"
    hint = (
        "valid: - (stdin), bluesky, kafka://host:9092/topic, push, journal, a file, a folder, folder:PATH, "
        "file:PATH (a file that is to come)"
    )
    raise UsageError(what, hint=hint)


def _kafka(spec: str, settings: Settings) -> LiveSource:
    from groundswell.sources.kafka import KafkaSource  # noqa: PLC0415 - loads an extra

    address = read_address(spec)
    if is_kafka(settings.bus) and read_address(settings.bus).where == address.where:
        return PushSource()  # the bus itself
    return KafkaSource(address, settings)


class Watcher(Protocol):
    """What watches: here, or on a cluster."""

    def wake(self) -> None:
        """Say that there may be something to do."""

    def status(self) -> RunnerStatus | None:
        """How it does; null while it does not run."""


def topic_on_spark(settings: Settings, specs: Sequence[str]) -> KafkaAddress | None:
    """The topic that Spark is to read: the engine is Spark, and what is watched is in Kafka. Null: watch here.

    Raises:
        UsageError: the address is not valid, or other sources are watched beside it.
    """
    if settings.engine == "duckdb":
        return None
    named = [spec for spec in dict.fromkeys(specs) if is_kafka(spec)]
    rest = [spec for spec in dict.fromkeys(specs) if not is_kafka(spec)]
    if not named and is_kafka(settings.bus) and set(rest) <= {"push", "journal"}:
        named, rest = [settings.bus], []
    if not named:
        return None
    if rest or len(named) > 1:
        what = "on Spark one topic of Kafka is watched at a time"
        raise UsageError(what, hint="give one --source kafka://…, or set GROUNDSWELL_ENGINE=duckdb for several sources")
    return read_address(named[0])


def run_live(settings: Settings, specs: Sequence[str], running: Running, *, once: bool = False) -> dict[str, Any]:
    """Watch live sources until stopped, or until they have ended; what was done, as a document.

    A topic of Kafka is read by Spark where that is the engine; `once`: what it holds now, and no more.

    Raises:
        UsageError: a specification is not valid.
        ConflictError: another process watches on this home.
    """
    topic = topic_on_spark(settings, specs)
    runner: Runner | SparkWatch
    if topic is not None:
        from groundswell.watch.cluster.run import Pace, SparkWatch  # noqa: PLC0415 - loads what executors need

        runner = SparkWatch(settings, topic, Pace(live=not once))
    elif once:
        what = "--once reads a topic of Kafka on Spark"
        raise UsageError(what, hint="set GROUNDSWELL_ENGINE to local[N] or spark://…, or use --replay for files")
    else:
        runner = Runner(settings)
        for source in sources_of(specs, settings, runner.may_append):
            runner.add(source)
    with running(runner, 0) as stop:
        runner.run(stop)
    with open_desk(settings) as desk, desk.reading() as session:
        return {"sources": list(specs), "records": runner.records, "open_alerts": alerts.open_count(session)}


@dataclass(frozen=True)
class Replay:
    """A replay of `files` at `speed` (seconds of history in a second; null: as fast as possible)."""

    settings: Settings
    files: Sequence[SourceFile]
    options: Options
    speed: float | None = None
    again: bool = False
    progress: Progress = field(default=lambda _what, _count: None)
    hook: Hook = field(default=lambda _border: None)

    def run(self, running: Running) -> dict[str, Any]:
        """Run it to its end, or go on where it was interrupted; a finished one is only reported.

        The detector starts with what the lake knows of the time before the first record. `state` of the
        document is `done`, `done before` or `stopped`.

        Raises:
            UnreadableFileError: a file cannot be read to its end.
            UnknownChoiceError: the layout, a field or a column does not exist.
            ConflictError: another process watches on this home.
        """
        key = replay_key(self.files, self.options, self.settings)
        with open_desk(self.settings) as desk, desk.reading() as session:
            before = runs.latest(session, KIND, key)
            if before is not None and before.state == "done" and not self.again:
                return {**(before.summary or {}), "state": "done before"}
        prepared = self._prepare()
        runner = self._runner(prepared)
        with running(runner, self._left(prepared)) as stop:
            runner.run(stop)
        with open_desk(self.settings) as desk, desk.session() as session:
            document = self._document(session, prepared)
            if stop.is_set() and not self._is_done(prepared):
                return {**document, "state": "stopped"}
            run = runs.latest(session, KIND, key)
            if run is not None:
                runs.finish(session, run.id, document)
        return {**document, "state": "done"}

    def _prepare(self) -> Prepared:
        from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
        from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

        engine = open_engine(self.settings)
        try:
            reading = Reading(self.settings, engine, registry_for(self.settings), self.options)
            return prepare(self.files, reading, progress=self.progress)
        finally:
            engine.close()

    def _runner(self, prepared: Prepared) -> Runner:
        def fresh(desk: Desk, _journal: Bus) -> bool:
            with desk.session() as session:
                run = runs.latest(session, KIND, prepared.key)
                if run is None or run.state != "running" or self.again:
                    run = runs.start(session, KIND, prepared.key, summary={"stage": "reset"})
                return _is_resetting(run)

        def started(desk: Desk, journal: Bus) -> None:
            with desk.reading() as session:
                run = runs.latest(session, KIND, prepared.key)
            if run is None or not _is_resetting(run):
                return
            # In this order: a kill in between resets once more, and nothing has been fed yet.
            journal.forget(name_of(prepared.key))
            with desk.session() as session:
                runs.get(session, run.id).summary = {"stage": "feeding"}

        runner = Runner(self.settings, live=False, fresh=fresh, started=started, hook=self.hook)
        runner.add(ReplaySource(prepared, self.speed, may_append=runner.may_append))
        return runner

    def _left(self, prepared: Prepared) -> int:
        """How many records are still to be fed."""
        with open_bus(self.settings) as journal:
            position = position_in(journal, prepared.key)
        return prepared.records if position.done or self.again else prepared.records - position.next

    def _is_done(self, prepared: Prepared) -> bool:
        with open_bus(self.settings) as journal:
            return position_in(journal, prepared.key).done

    def _document(self, session: Session, prepared: Prepared) -> dict[str, Any]:
        known = trackers.by_id(session)
        # An episode may begin in the window that holds the first record, which starts before it.
        since = None if prepared.first_us is None else prepared.first_us - self.settings.window * 1_000_000
        found = alerts.between(session, since, prepared.last_us)
        return {
            "files": [file.name for file in self.files],
            "records": prepared.records,
            "undated": prepared.records - prepared.dated,
            "from": iso(prepared.first_us),
            "to": iso(prepared.last_us),
            "alerts": [documents.alert_summary(row, known[row.tracker_id]) for row in found],
        }


def _is_resetting(run: RunRow) -> bool:
    return (run.summary or {}).get("stage") == "reset"
