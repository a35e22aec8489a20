"""Setting the demo up: a home of its own, simulated files, an import, trackers."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from groundswell.demo.story import TRACKERS, Story
from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.errors import ConflictError, GroundswellError, UnavailableError
from groundswell.importing import ImportSummary, Options, import_paths
from groundswell.importing.progress import Silent
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.simulate import Truth, write
from groundswell.watch.trackers import add_tracker

MARK: Final = "this-is-a-demo.json"
#: The lake gets the stream's posts more often than usual, because its time runs faster.
_COMMIT_S: Final = 5.0


class Show(Protocol):
    """Where the demo tells what it does."""

    def say(self, text: str) -> None:
        """A sentence."""

    def at(self, what: str, done: float) -> None:
        """The fraction of a step that is done, from 0 to 1."""


@dataclass(frozen=True)
class Staged:
    """A demo that is ready to run: its home, the file of the stream, and the truth about it."""

    settings: Settings
    story: Story
    stream: Path
    truth: Truth
    document: dict[str, Any]
    """Seconds, posts and megabytes of the set-up."""


def demo_settings(home: Path, **more: object) -> Settings:
    """Settings with everything in `home`, whatever the environment says: a demo never touches another lake."""
    return load_settings(home=home, lake="", desk="", commit_every=_COMMIT_S, window=300, **more)


def fresh_home(home: Path) -> None:
    """Remove an earlier demo and make the folder anew.

    Raises:
        ConflictError: the folder holds something else.
        UnavailableError: it cannot be written.
    """
    try:
        if home.exists():
            if any(home.iterdir()) and not (home / MARK).is_file():
                what = "this folder holds something that is not a demo"
                raise ConflictError(what, where=home, hint="name another one with --home")
            shutil.rmtree(home)
        home.mkdir(parents=True)
        (home / MARK).write_text(
            '{"note": "made by `groundswell demo`, which removes this folder when it runs again"}\n'
        )
    except OSError as error:
        what = f"cannot make the demo's folder ({error.strerror or error})"
        raise UnavailableError(what, where=home, hint="name another one with --home") from error


def set_up(settings: Settings, story: Story, until: datetime, show: Show) -> Staged:
    """Simulate, import and add the trackers; the stream's file goes to `until`.

    Raises:
        GroundswellError: a step fails; says which file or folder and what to do.
    """
    fresh_home(settings.home)
    began = time.perf_counter()
    history, stream = settings.home / "history.ndjson.zst", settings.home / "stream.ndjson"
    past = write(story.history, history, until=story.begins, progress=_progress(show, "simulating", story))
    coming = write(story.live, stream, since=story.begins, until=until)
    simulated = time.perf_counter()
    show.say(
        f"simulated {past.posts:,} posts of two weeks ({past.total_bytes / 1e6:,.0f} MB) and "
        f"{coming.posts:,} to be streamed, in {simulated - began:.1f} s"
    )
    summary = _import(settings, history, past, show)
    _check(summary, past)
    _say_import(summary, past, show)
    with open_desk(settings) as desk, desk.session() as session:
        for name, query in TRACKERS:
            add_tracker(session, name, query, settings.promise)
    show.say(f"added {len(TRACKERS)} trackers: " + ", ".join(query for _, query in TRACKERS))
    document = {
        "seconds": round(time.perf_counter() - began, 2),
        "simulate_seconds": round(simulated - began, 2),
        "import_seconds": round(summary.seconds, 2),
        "posts": past.posts,
        "bytes": past.total_bytes,
        "stored": summary.count("stored"),
    }
    return Staged(settings, story, stream, coming, document)


def _progress(show: Show, what: str, story: Story) -> Callable[[int, int], None]:
    return lambda posts, _: show.at(what, min(1.0, posts / story.history.posts))


def _import(settings: Settings, path: Path, truth: Truth, show: Show) -> ImportSummary:
    class Shown(Silent):
        def at(self, position: int, records: int) -> None:
            show.at("importing", min(1.0, records / truth.posts))

    with open_desk(settings) as desk, closing(open_engine(settings)) as engine:
        return import_paths([str(path)], Options(), Lake.open(settings), desk, engine, settings, Shown())


def _say_import(summary: ImportSummary, truth: Truth, show: Show) -> None:
    layouts = {str(layout) for file in summary.files for layout in file.layouts}
    show.say(
        f"imported {summary.count('stored'):,} posts by layout {', '.join(sorted(layouts))} "
        f"in {summary.seconds:.1f} s ({truth.total_bytes / 1e6 / max(summary.seconds, 1e-9):,.0f} MB/s), "
        f"{summary.count('rejected'):,} rejected"
    )


def _check(summary: ImportSummary, truth: Truth) -> None:
    errors = [f"{file.path}: {file.error}" for file in summary.files if file.error]
    if errors or summary.count("stored") != truth.posts:
        counts = json.dumps({name: summary.count(name) for name in ("read", "stored", "known", "rejected")})
        what = f"the import of the simulated history is not complete ({'; '.join(errors) or counts})"
        raise GroundswellError(what, hint="please report this")
