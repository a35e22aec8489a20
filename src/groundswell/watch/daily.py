"""What is done once a day: the new raw files, baselines, indexes, statistics, trends, the warehouse, upkeep.

A day's work is a run in the desk with what each step said. Done again for the same date it does only the steps that
were not done then, so it may be interrupted and called from anywhere, as often as one likes; each step can also be
done by itself, as a scheduler's task. What a step makes of a date takes the place of what it made before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from groundswell.desk import Desk, leases, open_desk, runs
from groundswell.desk.clock import Clock, iso, wall_us
from groundswell.errors import GroundswellError, UnknownChoiceError
from groundswell.lake import Lake
from groundswell.telemetry import stage
from groundswell.watch import daily_steps
from groundswell.watch.daily_steps import Day, Step

if TYPE_CHECKING:
    from groundswell.settings import Settings

__all__ = ["STEPS", "Day", "Step", "daily", "is_done"]

KIND: Final = "daily"
#: Only one process does the day's work.
LEASE: Final = "daily"
#: How long a step that is called by itself waits for another process to do its own, seconds.
_WAIT_S: Final = 3600.0

Progress = Callable[[str, float], None]
"""Told what is done now and the fraction of all steps that is done; what it raises ends the work."""

#: In this order: files are joined before they are counted and indexed.
STEPS: Final = (
    Step("import", "importing what is new", daily_steps.import_new),
    Step("upkeep", "joining files and removing what is old", daily_steps.upkeep),
    Step("indexes", "indexing words", daily_steps.indexes),
    Step("baselines", "counting what is usual", daily_steps.baselines),
    Step("summary", "summing the day up", daily_steps.summary),
    Step("trends", "looking for what rose", daily_steps.trends),
    Step("warehouse", "bringing what has changed into the warehouse", daily_steps.warehouse),
    Step("prune", "removing old windows", daily_steps.prune),
)


def daily(
    settings: Settings,
    on: date | None = None,
    *,
    steps: Sequence[str] = (),
    again: bool = False,
    progress: Progress = lambda _doing, _done: None,
    now: Clock = wall_us,
) -> dict[str, Any]:
    """Do the work of a date (null: yesterday, UTC); what each step did, as `groundswell daily --json` shows it.

    `steps` names those that are to be done (none: all). A step that fails is said and the others are done; it is tried
    again with the next call for that date. With `again` what was done is done once more.

    Raises:
        UnknownChoiceError: there is no step of that name.
        ConflictError: another process does it now.
        UnavailableError: the desk cannot be written.
    """
    chosen = on or (datetime.fromtimestamp(now() / 1e6, UTC) - timedelta(days=1)).date()
    wanted = _wanted(steps)
    wait_s = _WAIT_S if steps else 0.0
    with open_desk(settings) as desk, leases.hold(desk, LEASE, wait_s=wait_s) as held:
        run_id, done = _begin(desk, chosen, anew=again and not steps, now=now)
        lake = Lake.open(settings)
        for number, step in enumerate(wanted):
            if not (again and steps) and step.name in done and done[step.name]["error"] is None:
                continue
            held.renew()

            def at(part: float, number: int = number, step: Step = step) -> None:
                progress(step.doing, (number + part) / len(wanted))

            at(0.0)
            done[step.name] = _do(step, Day(chosen, settings, desk, lake, now, at))
            with desk.session() as session:
                runs.get(session, run_id).summary = {"steps": done}
        state = _state(done)
        with desk.session() as session:
            row = runs.get(session, run_id)
            if state != "running":
                row = runs.finish(session, run_id, {"steps": done}, state=state, now_us=now())
            begun = row.started_at
    names = [step.name for step in wanted] if steps else [step.name for step in STEPS if step.name in done]
    return {
        "date": chosen.isoformat(),
        "run": run_id,
        "state": _state({name: done[name] for name in names}, names) if steps else state,
        "started_at": iso(begun),
        "steps": [{"name": name, **done[name]} for name in names],
    }


def _wanted(names: Sequence[str]) -> list[Step]:
    known = {step.name: step for step in STEPS}
    for name in names:
        if name not in known:
            kind = "step"
            raise UnknownChoiceError(kind, name, tuple(known))
    return [step for step in STEPS if not names or step.name in names]


def _state(
    done: Mapping[str, Mapping[str, Any]], names: Sequence[str] | None = None
) -> Literal["running", "done", "failed"]:
    """Of the steps of that name (all of them): failed where one did, running where one is still to be done."""
    wanted = [step.name for step in STEPS] if names is None else names
    if any(name in done and done[name]["error"] is not None for name in wanted):
        return "failed"
    return "done" if all(name in done for name in wanted) else "running"


def is_done(desk: Desk, on: date) -> bool:
    """Whether the work of a date was done, all of it."""
    with desk.reading() as session:
        row = runs.latest(session, KIND, on.isoformat())
    return row is not None and row.state == "done"


def _begin(desk: Desk, on: date, *, anew: bool, now: Clock) -> tuple[str, dict[str, dict[str, Any]]]:
    """The run to go on with and what it has done, or a new one."""
    with desk.session() as session:
        row = runs.latest(session, KIND, on.isoformat())
        if row is None or anew:
            return runs.start(session, KIND, on.isoformat(), now_us=now()).id, {}
        row.state, row.finished_at = "running", None
        return row.id, dict((row.summary or {}).get("steps", {}))


def _do(step: Step, day: Day) -> dict[str, Any]:
    begun = time.perf_counter()
    said: Mapping[str, Any] = {}
    error = None
    try:
        with stage("daily", step.name, date=day.date.isoformat()):
            said = step.run(day)
    except GroundswellError as failure:
        error = str(failure)
    return {"seconds": round(time.perf_counter() - begun, 3), "error": error, "done": dict(said)}
