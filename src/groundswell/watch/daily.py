"""What is done once a day: baselines, indexes, trends, upkeep. Each step is a function of a `Day`, one line in `STEPS`.

A day's work is a run in the desk with what each step said. Done again for the same date it does only the steps that
were not done then, so it may be interrupted and called from anywhere, as often as one likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from groundswell.desk import Desk, changes, checkpoints, leases, open_desk, runs, series
from groundswell.desk.clock import Clock, iso, wall_us
from groundswell.errors import GroundswellError
from groundswell.lake import Lake
from groundswell.watch.plan import params_of

if TYPE_CHECKING:
    from groundswell.settings import Settings

KIND: Final = "daily"
#: Only one process does the day's work.
LEASE: Final = "daily"
#: Rows of each kind of trend that are kept of a day.
_TRENDS: Final = 50

Progress = Callable[[str, float], None]
"""Told what is done now and the fraction of all steps that is done; what it raises ends the work."""


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
    from groundswell.lake.terms import index_texts  # noqa: PLC0415

    made = index_texts(day.lake, threads=day.settings.cores, progress=lambda done, all_: day.progress(done / all_))
    return {"files_indexed": made}


def trends(day: Day) -> dict[str, Any]:
    """What rose on that day, of each kind: kept with the run, because the lake will know it otherwise later."""
    from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
    from groundswell.marts.export import documents  # noqa: PLC0415
    from groundswell.marts.trends import By  # noqa: PLC0415
    from groundswell.marts.trends import trends as rising  # noqa: PLC0415

    found: dict[str, list[dict[str, Any]]] = {}
    if day.lake.count() == 0:
        return {"trends": found}
    engine = open_engine(day.settings)
    try:
        for number, by in enumerate(By):
            day.progress(number / len(By))
            rose = rising(engine, day.lake, by, until=day.end, limit=_TRENDS)
            found[by.value] = [_shown(row) for row in documents(rose.rows)]
    finally:
        engine.close()
    return {"trends": found}


def upkeep(day: Day) -> dict[str, Any]:
    """Join small files, sum counts up, remove old versions and raw content that is older than it shall be kept."""
    from dataclasses import asdict  # noqa: PLC0415

    from groundswell.importing.upkeep import keep_up  # noqa: PLC0415

    return asdict(keep_up(day.lake, day.desk, day.settings, now=day.now))


def prune(day: Day) -> dict[str, Any]:
    """Remove windows and changes that nobody can ask for any more."""
    removed = 0
    with day.desk.session() as session:
        mark = checkpoints.get(session, "watch")
        if mark is not None and mark.watermark is not None:
            for window_us in params_of(day.settings).sizes:
                removed += series.prune(session, window_us // 1_000_000, mark.watermark)
        return {"windows_removed": removed, "changes_removed": changes.prune(session)}


#: In this order: files are joined before they are counted and indexed.
STEPS: Final = (
    Step("upkeep", "joining files and removing what is old", upkeep),
    Step("baselines", "counting what is usual", baselines),
    Step("indexes", "indexing words", indexes),
    Step("trends", "looking for what rose", trends),
    Step("prune", "removing old windows", prune),
)


def daily(
    settings: Settings,
    on: date | None = None,
    *,
    again: bool = False,
    progress: Progress = lambda _doing, _done: None,
    now: Clock = wall_us,
) -> dict[str, Any]:
    """Do the work of a date (null: yesterday, UTC); what each step did, as `groundswell daily --json` shows it.

    A step that fails is said and the others are done; it is tried again with the next call for that date.

    Raises:
        ConflictError: another process does it now.
        UnavailableError: the desk cannot be written.
    """
    chosen = on or (datetime.fromtimestamp(now() / 1e6, UTC) - timedelta(days=1)).date()
    with open_desk(settings) as desk, leases.hold(desk, LEASE) as held:
        run_id, done = _begin(desk, chosen, again=again, now=now)
        lake = Lake.open(settings)
        for number, step in enumerate(STEPS):
            if step.name in done and done[step.name]["error"] is None:
                continue
            held.renew()

            def at(part: float, number: int = number, step: Step = step) -> None:
                progress(step.doing, (number + part) / len(STEPS))

            at(0.0)
            done[step.name] = _do(step, Day(chosen, settings, desk, lake, now, at))
            with desk.session() as session:
                runs.get(session, run_id).summary = {"steps": done}
        failed = [name for name, said in done.items() if said["error"] is not None]
        with desk.session() as session:
            row = runs.finish(session, run_id, {"steps": done}, state="failed" if failed else "done", now_us=now())
            begun = row.started_at
    return {
        "date": chosen.isoformat(),
        "run": run_id,
        "state": "failed" if failed else "done",
        "started_at": iso(begun),
        "steps": [{"name": name, **said} for name, said in done.items()],
    }


def is_done(desk: Desk, on: date) -> bool:
    """Whether the work of a date was done, all of it."""
    with desk.reading() as session:
        row = runs.latest(session, KIND, on.isoformat())
    return row is not None and row.state == "done"


def _begin(desk: Desk, on: date, *, again: bool, now: Clock) -> tuple[str, dict[str, dict[str, Any]]]:
    """The run to go on with and what it has done, or a new one."""
    with desk.session() as session:
        row = runs.latest(session, KIND, on.isoformat())
        if row is None or again:
            return runs.start(session, KIND, on.isoformat(), now_us=now()).id, {}
        row.state, row.finished_at = "running", None
        return row.id, dict((row.summary or {}).get("steps", {}))


def _do(step: Step, day: Day) -> dict[str, Any]:
    begun = time.perf_counter()
    said: Mapping[str, Any] = {}
    error = None
    try:
        said = step.run(day)
    except GroundswellError as failure:
        error = str(failure)
    return {"seconds": round(time.perf_counter() - begun, 3), "error": error, "done": dict(said)}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of trends as JSON holds it."""
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in row.items()
    }
