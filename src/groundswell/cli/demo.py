"""`groundswell demo`: the product doing its main job on simulated posts, and what it found of them."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages, output
from groundswell.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from groundswell.demo.score import Score
    from groundswell.demo.staging import Staged


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Without the page; ends by itself.")] = False,
    speed: Annotated[str, typer.Option(help="How fast the stream runs: 60x, or max (with --once).")] = "60x",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port of the page; 0: any free one.", show_default="8765, or a free one"),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address only.")] = False,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of the demo; made anew each time.", show_default="./groundswell-demo"),
    ] = None,
    posts: Annotated[int, typer.Option(min=1000, help="Posts to simulate.")] = 500_000,
    as_json: Json = False,
) -> None:
    """Simulate two weeks of posts, import them, watch a live stream with six events, and say what was found.

    A crisis, a viral post, a wave of bots and a slow build-up are to be noticed; a surge of the whole platform is
    not. After two hours of the stream (two minutes at 60x) a table shows what was found, how fast, and the false
    alarms. With the page it goes on until Ctrl C.
    """
    from groundswell.demo.page import play_with_page
    from groundswell.demo.play import Play
    from groundswell.demo.staging import demo_settings, set_up
    from groundswell.demo.story import STREAM, tell
    from groundswell.sources.replay import parse_speed

    pace = parse_speed(speed)
    if pace is None and not once:
        what = "--speed max is too fast to look at"
        raise UsageError(what, hint="add --once, or give a speed such as 120x")
    settings = demo_settings((home or _usual_home()).absolute(), port=_port(port))
    story = tell(datetime.now(UTC), posts)
    with _Screen() as screen:
        staged = set_up(settings, story, story.ends if once else story.begins + STREAM, screen)
        screen.rest()

        def report(score: Score) -> None:
            _report(score, staged, pace, as_json=as_json)

        screen.say(f"streaming from {story.begins:%a %Y-%m-%d %H:%M} at {speed}; the table comes at {story.ends:%H:%M}")
        if once:
            Play(staged, pace, screen, on_change=lambda: None).run(threading.Event(), report=report)
        else:
            play_with_page(staged, pace, screen, browser=not no_browser, report=report)


def _usual_home() -> Path:
    given = os.environ.get("GROUNDSWELL_HOME")
    return Path(given) / "demo" if given else Path("groundswell-demo")


def _port(port: int | None) -> int:
    """The port that was asked for; else the usual one, or any free one where that is taken."""
    from groundswell.errors import ConflictError
    from groundswell.settings import load_settings
    from groundswell.web.server import listen

    if port is not None:
        return port
    usual = load_settings()
    try:
        listen(usual.host, usual.port).close()
    except ConflictError:
        return 0
    return usual.port


class _Screen:
    """Sentences and a bar on stderr."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Screen:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=messages, disable=not messages.is_terminal, transient=True)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    def rest(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, text: str) -> None:
        """A sentence on a line of its own."""
        messages.print(text, markup=False, soft_wrap=True)

    def at(self, what: str, done: float) -> None:
        """Move the bar of a step."""
        if self._bar is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what, total=1.0)
            self._bar.update(self._tasks[what], completed=done)


def _report(score: Score, staged: Staged, speed: float | None, *, as_json: bool) -> None:
    if as_json:
        emit({"home": staged.settings.home, "speed": speed, "set_up": staged.document} | score.document())
        return
    from rich.table import Table

    table = Table("event", "query", "start", "posts", "usual", "found", "after", "waited", title="What the watch found")
    for finding in score.findings:
        event, alert = finding.event, finding.alert
        yes = "as a topic" if finding.by_topic else "yes"
        found = (yes if alert else "[bold red]no[/]") if finding.wanted else "no, rightly"
        if not finding.wanted and score.surge_alarms:
            found = f"[bold red]{len(score.surge_alarms)} alarms[/]"
        table.add_row(
            event.kind,
            event.query or "everything",
            f"{event.start:%H:%M}",
            f"+{event.posts:,}",
            f"{event.expected:,.0f}",
            found,
            "" if finding.delay_minutes is None else f"{finding.delay_minutes:.0f} min",
            "" if finding.delay_seconds is None else f"{finding.delay_seconds:.1f} s",
        )
    output.print(table)
    output.print(
        f"{score.found} of {score.wanted} found, {score.alerts} alerts, "
        f"{len(score.false_alarms)} false alarms, {len(score.surge_alarms)} of them from the surge"
    )
    for alert in score.false_alarms:
        output.print(f"  false: {alert.query}: {_first_line(alert.headline)}", markup=False)


def _first_line(text: str) -> str:
    return text.split("\n", maxsplit=1)[0]
