"""The steps of a day's work: each a function of a `Day` that may be done again, and then leaves the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from groundswell.desk import Desk, changes, checkpoints, day_marts, series
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import NotFoundError, UnreadableFileError
from groundswell.lake import Lake
from groundswell.watch.plan import params_of

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: Rows of each kind of trend that are kept of a day.
_TRENDS: Final = 50
#: Files of the inbox that one import takes.
_AT_ONCE: Final = 1_000

#: Name of the mart of the statistics, and what those of trends begin with.
SUMMARY: Final = "summary"
TRENDS: Final = "trends."


@dataclass(frozen=True)
class Day:
    """What a step works with."""

    date: date
    settings: Settings
    desk: Desk
    lake: Lake
    now: Clock = wall_us
    progress: Callable[[float], None] = field(default=lambda _done: None)
    """Told the fraction of the step that is done."""

    @property
    def end(self) -> datetime:
        """The end of the date, UTC."""
        return datetime.combine(self.date, datetime.min.time(), UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in the document, what people read while it runs, and what does it."""

    name: str
    doing: str
    run: Callable[[Day], dict[str, Any]]


def inbox_paths(inbox: str, on: date) -> list[str]:
    """The paths that the setting `inbox` names for a date.

    >>> inbox_paths("/raw/{date}/*.ndjson, s3://raw/{year}/{month}/{day}/", date(2026, 11, 1))
    ['/raw/2026-11-01/*.ndjson', 's3://raw/2026/11/01/']
    """
    named = {"{date}": f"{on:%Y-%m-%d}", "{year}": f"{on:%Y}", "{month}": f"{on:%m}", "{day}": f"{on:%d}"}
    for name, value in named.items():
        inbox = inbox.replace(name, value)
    return [path.strip() for path in inbox.split(",") if path.strip()]


def import_new(day: Day) -> dict[str, Any]:
    """Import what is new in the inbox; a file that could not be read is tried again the next time.

    Raises:
        UnreadableFileError: some files could not be read; the others are in.
    """
    paths = inbox_paths(day.settings.inbox, day.date)
    if not paths:
        return {"skipped": "no inbox is set (GROUNDSWELL_INBOX)"}
    from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
    from groundswell.importing import Options, import_paths  # noqa: PLC0415 - loads what an import needs
    from groundswell.sources.files import find_files  # noqa: PLC0415 - loads what an import needs

    found = []
    for path in paths:
        try:
            found += find_files([path], day.settings.tmp_path, s3_endpoint=day.settings.s3_endpoint)
        except NotFoundError:
            continue  # nothing has come for that date yet
    with day.desk.reading() as session:
        fresh = day_marts.not_imported(session, (file.identity for file in found))
    new = [file for file in found if file.identity in fresh]
    sums = {"files_found": len(found), "files_imported": 0, "stored": 0, "known": 0, "rejected": 0, "ignored": 0}
    failed: list[str] = []
    engine = open_engine(day.settings) if new else None
    try:
        for start in range(0, len(new), _AT_ONCE):
            part = new[start : start + _AT_ONCE]
            if engine is not None:
                names = [file.name for file in part]
                done = import_paths(names, Options(), day.lake, day.desk, engine, day.settings, now=day.now)
                for name in ("stored", "known", "rejected", "ignored"):
                    sums[name] += done.count(name)
                broken = {file.path: file.error for file in done.files if file.error is not None}
                failed += [f"{path}: {error}" for path, error in broken.items()]
                with day.desk.session() as session:
                    for file in part:
                        if file.name not in broken:
                            day_marts.note_imported(session, file.identity, file.name, day.now())
                            sums["files_imported"] += 1
            day.progress((start + len(part)) / len(new))
    finally:
        if engine is not None:
            engine.close()
    if failed:
        what = f"{len(failed)} of {len(new)} new files could not be read, the others are in"
        raise UnreadableFileError(what, where=failed[0], hint="repair or remove them; they are tried again each time")
    return sums


def upkeep(day: Day) -> dict[str, Any]:
    """Join small files, sum counts up, remove old versions and raw content that is older than it shall be kept."""
    from groundswell.importing.upkeep import keep_up  # noqa: PLC0415 - loads what an import needs

    return asdict(keep_up(day.lake, day.desk, day.settings, now=day.now))


def baselines(day: Day) -> dict[str, Any]:
    """Count the posts of each platform per window of the watch, for the months that have changed."""
    from groundswell.marts.volumes import refresh  # noqa: PLC0415 - loads Arrow and the lake

    rows = max(day.lake.count(), 1)
    read = 0

    def check(more: int) -> None:
        nonlocal read
        read += more
        day.progress(min(read / rows, 1.0))

    counted, removed = refresh(day.lake, params_of(day.settings).base_us, check=check)
    return {"months_counted": counted, "months_removed": removed}


def indexes(day: Day) -> dict[str, Any]:
    """Index the words of files that have no index yet, so that searches and backtests read less."""
    from groundswell.lake.terms import index_texts  # noqa: PLC0415 - loads what an import needs

    made = index_texts(day.lake, threads=day.settings.cores, progress=lambda done, all_: day.progress(done / all_))
    return {"files_indexed": made}


def summary(day: Day) -> dict[str, Any]:
    """Posts, people and what was done with posts on that day, platform by platform; kept in the desk."""
    from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
    from groundswell.marts.summary import summary as summed  # noqa: PLC0415 - loads Ibis

    engine = open_engine(day.settings)
    try:
        found = summed(engine, day.lake, day.date)
    finally:
        engine.close()
    version = found.pop("lake_version")
    with day.desk.session() as session:
        day_marts.put(session, day.date, SUMMARY, found, lake_version=version, now_us=day.now())
    return {name: found[name] for name in ("posts", "authors", "observations")} | {"platforms": len(found["platforms"])}


def trends(day: Day) -> dict[str, Any]:
    """What rose on that day, of each kind; kept in the desk, because the lake will know it otherwise later."""
    from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
    from groundswell.marts.trends import By  # noqa: PLC0415 - loads Ibis
    from groundswell.marts.trends import trends as rising  # noqa: PLC0415 - loads Ibis
    from groundswell.marts.trends_document import document  # noqa: PLC0415 - loads Ibis

    width = timedelta(days=1)
    rose: dict[str, int] = {}
    if day.lake.count() == 0:
        return rose
    engine = open_engine(day.settings)
    try:
        for number, by in enumerate(By):
            day.progress(number / len(By))
            found = rising(engine, day.lake, by, width, until=day.end, limit=_TRENDS)
            body = document(found, by, width)
            with day.desk.session() as session:
                name = f"{TRENDS}{by.value}"
                day_marts.put(session, day.date, name, body, lake_version=found.lake_version, now_us=day.now())
            rose[f"{by.value}s"] = found.rows.num_rows
    finally:
        engine.close()
    return rose


def warehouse(day: Day) -> dict[str, Any]:
    """Bring what has changed into the warehouse, where one is configured."""
    if not day.settings.warehouse:
        return {"skipped": "no warehouse is set (GROUNDSWELL_WAREHOUSE)"}
    from groundswell.warehouse import sync  # noqa: PLC0415 - an extra

    return sync(day.lake, day.desk, day.settings.warehouse).document()


def prune(day: Day) -> dict[str, Any]:
    """Remove windows and changes that nobody can ask for any more."""
    removed = 0
    with day.desk.session() as session:
        mark = checkpoints.get(session, "watch")
        if mark is not None and mark.watermark is not None:
            for window_us in params_of(day.settings).sizes:
                removed += series.prune(session, window_us // 1_000_000, mark.watermark)
        return {"windows_removed": removed, "changes_removed": changes.prune(session)}
