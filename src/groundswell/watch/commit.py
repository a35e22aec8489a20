"""What the runner leaves behind: the detector's state in a file, and all that it found in one transaction of the desk.

The state file is complete on the disk before the transaction that names it; a file that no checkpoint names
is left from a kill and removed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy.orm import Session

from groundswell.desk import changes, checkpoints, series, topics
from groundswell.desk import trackers as tracker_rows
from groundswell.errors import UnavailableError
from groundswell.watch import flow
from groundswell.watch.alert_rows import write_alerts
from groundswell.watch.contract import AlertRecord, SeriesPoint, StepOutput
from groundswell.watch.emerging.records import TopicRecord
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.evidence import rfc3339, window_document
from groundswell.watch.snapshot import OldStateError
from groundswell.watch.state import Key, WatchState
from groundswell.watch.topic_rows import write_topics

#: The live page is told of at most this many windows at once; a replay at full speed closes thousands.
TOLD_WINDOWS: Final = 50
#: Old windows and changes are looked for at every so many checkpoints.
_PRUNE_EVERY: Final = 50

log = logging.getLogger("groundswell.watch")

_NAME: Final = re.compile(r"watch-(\d+)\.arrow")


@dataclass
class Progress:
    """Where the runner is in memory, and what the desk has not been told yet."""

    state: WatchState
    block: int = 0
    batch: int = 0
    watermark_us: int | None = None
    generation: int = 0
    forgot: bool = False
    """The checkpoint's state was of another version, so the state knows nothing."""
    points: dict[tuple[str, int, int], SeriesPoint] = field(default_factory=dict)
    alerts: dict[str, AlertRecord] = field(default_factory=dict)
    topics: dict[str, TopicRecord] = field(default_factory=dict)

    def take(self, state: WatchState, output: StepOutput, *, block: int, batch: int) -> None:
        """Go on after a step."""
        self.state, self.block, self.batch = state, max(self.block, block), batch
        if output.watermark_us is not None:
            self.watermark_us = output.watermark_us
        for point in output.points:
            self.points[point.tracker_id, point.window_s, point.start] = point
        self.take_rest(output)

    def take_rest(self, output: StepOutput) -> None:
        """Go on after a step is settled: its alerts and topics."""
        self.alerts |= {alert.id: alert for alert in output.alerts}
        self.topics |= {topic.id: topic for topic in output.topics}

    def told(self) -> None:
        """Forget the news: the desk has them."""
        self.points, self.alerts, self.topics = {}, {}, {}

    def take_past(self, trackers: Set[Key]) -> None:
        """Let the desk know the windows from which `trackers` have just learned, so that their lines have a past."""
        for slot, key in enumerate(self.state.keys):
            if key in trackers:
                points = (point for frame in self.state.frames for point in frame.points(slot, key[0]))
                self.points |= {(point.tracker_id, point.window_s, point.start): point for point in points}

    @property
    def has_news(self) -> bool:
        """Whether there is something that people should see."""
        return bool(self.points or self.alerts or self.topics)


def write_snapshot(state: WatchState, folder: Path, generation: int) -> None:
    """Write the state as `watch-<generation>.arrow`, complete and on the disk when this returns.

    Raises:
        UnavailableError: the disk is full or not writable.
    """
    path = folder / f"watch-{generation}.arrow"
    partial = path.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        flow.dump_state(state, partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        what = f"the detector's state cannot be written ({error.strerror or error})"
        hint = "free some space or make the folder writable, and start again: it goes on from the last checkpoint"
        raise UnavailableError(what, where=path, hint=hint) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def new_state() -> WatchState:
    """The state of a home that has none; terms are placed in tables by a secret of its own, so that nobody can aim."""
    state = WatchState.empty()
    state.topics = Emerging.empty(int.from_bytes(os.urandom(8)))
    return state


def load_progress(session: Session, folder: Path) -> Progress:
    """Where the last checkpoint is, with its state.

    Raises:
        UnavailableError: the state file that the checkpoint names is gone or cannot be read.
    """
    row = checkpoints.get(session, "watch")
    if row is None:
        return Progress(new_state())
    state, forgot = new_state(), False
    if row.generation:
        path = folder / f"watch-{row.generation}.arrow"
        try:
            state = flow.load_state(path)
        except OldStateError:
            forgot = True
            log.warning("the state in %s is of an older Groundswell: the detector learns anew from the lake", path)
        except OSError as error:
            what = f"the detector's state cannot be read ({error.strerror or error})"
            hint = "restore the file, or start a replay anew with --again"
            raise UnavailableError(what, where=path, hint=hint) from error
    return Progress(state, row.block, row.batch, row.watermark, row.generation, forgot)


def remove_generations(folder: Path, keep: int) -> None:
    """Remove state files other than that of generation `keep`."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        found = _NAME.fullmatch(path.name)
        if path.suffix == ".partial" or (found and int(found[1]) != keep):
            path.unlink(missing_ok=True)


def write_news(session: Session, progress: Progress, now_us: int) -> None:
    """Put points, alerts, topics and the changes that tell of them into the caller's transaction.

    They may be there before the checkpoint: what is done again after a kill gives the same rows.
    """
    if not progress.has_news:
        return
    series.write(session, [msgspec.structs.asdict(point) for point in progress.points.values()])
    if progress.alerts:
        rows = tracker_rows.by_id(session, {alert.tracker_id for alert in progress.alerts.values()})
        write_alerts(session, progress.alerts.values(), rows, now_us)
    write_topics(session, progress.topics.values(), now_us)
    _tell_windows(session, progress.points.values(), now_us)


def write_outcome(session: Session, progress: Progress, generation: int, now_us: int) -> None:
    """Put points, alerts, changes and the checkpoint into the caller's transaction."""
    write_news(session, progress, now_us)
    checkpoints.put(
        session,
        "watch",
        block=progress.block,
        batch=progress.batch,
        generation=generation,
        watermark_us=progress.watermark_us,
        now_us=now_us,
    )
    checkpoints.drop_plans(session, progress.batch)
    if progress.batch % _PRUNE_EVERY == 0:
        changes.prune(session)
        if progress.watermark_us is not None:
            for frame in progress.state.frames:
                series.prune(session, frame.window_us // 1_000_000, progress.watermark_us)
            topics.prune(session, progress.watermark_us)


def _tell_windows(session: Session, points: Iterable[SeriesPoint], now_us: int) -> None:
    by_window: dict[tuple[int, int], list[SeriesPoint]] = {}
    for point in points:
        by_window.setdefault((point.window_s, point.start), []).append(point)
    for size in sorted({window_s for window_s, _ in by_window}):
        starts = newest((start for window_s, start in by_window if window_s == size), TOLD_WINDOWS)
        told = [(changes.window_subject(size, start), _windows(start, by_window[size, start])) for start in starts]
        changes.append_all(session, "window", told, now_us=now_us)


def _windows(start: int, points: Iterable[SeriesPoint]) -> dict[str, dict[str, Any]]:
    """The windows of all trackers that start at one time, by tracker, with what came late."""
    said = rfc3339(start)
    return {
        point.tracker_id: window_document(point, said) | {"count": point.count, "late": point.late} for point in points
    }


def newest(starts: Iterable[int], count: int) -> Sequence[int]:
    """The greatest `count` of `starts`, ascending.

    >>> newest([3, 1, 2], 2)
    [2, 3]
    """
    return sorted(starts)[-count:]
