"""The page Live with many trackers: how long its frames take while windows close, rows scroll, and somebody types.

    python benchmarks/page_frames.py [--trackers 500] [--seconds 10]

A home of its own gets trackers with half a day of windows; `groundswell serve` runs in a process of its own, the page
in the system's Chromium. Meanwhile, once a second, a window of every tracker closes. `over 50 ms` counts what Chromium
calls long animation frames, `longest` is the longest of them in milliseconds (0: there was none); `p99` and `most`
are the times between frames that were drawn. `every row drawn` is the peer: the same page without its trick, all rows
in the document. `blank page` is the limit: what the machine draws of nothing.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.push_servers import serving

from groundswell.desk import Desk, changes, documents, open_desk, series, trackers
from groundswell.desk.tables import SeriesRow
from groundswell.settings import load_settings

WINDOW_S = 300
STEP = WINDOW_S * 1_000_000
SHOWN = 144
LONG_MS = 50
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WATCH = """() => {
  const seen = { long: [], gaps: [], last: performance.now() };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.long.push(entry.duration);
  });
  observer.observe({ type: 'long-animation-frame' });
  const frame = (now) => {
    seen.gaps.push(now - seen.last);
    seen.last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.frames_seen = seen;
}"""
TAKE = """() => {
  const seen = window.frames_seen;
  const taken = { long: seen.long, gaps: seen.gaps };
  seen.long = []; seen.gaps = [];
  return taken;
}"""


class Stream:
    """Closes a window of every tracker once a second, as the runner would."""

    def __init__(self, desk: Desk, identities: list[str]) -> None:
        self._desk = desk
        self._ids = identities
        self._rng = np.random.default_rng(7)
        self.newest = (int(time.time() * 1_000_000) // STEP - 1) * STEP
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def _rows(self, start: int, number: int) -> list[dict[str, object]]:
        expected = 20 * (1 + 0.5 * math.sin(number / 20))
        counts = self._rng.poisson(expected, len(self._ids))
        return [
            {
                "tracker_id": identity,
                "window_s": WINDOW_S,
                "start": start,
                "count": int(count),
                "expected": expected,
                "lower": expected - 9,
                "upper": expected + 11,
                "p_value": 0.4,
                "return_days": 0.01,
                "platform_ratio": 1.0,
                "state": "unusual" if count > expected + 12 else "usual",
                "late": 0,
            }
            for identity, count in zip(self._ids, counts, strict=True)
        ]

    def fill(self) -> None:
        """Half a day of windows."""
        with self._desk.session() as session:
            for number in range(SHOWN):
                series.write(session, self._rows(self.newest - (SHOWN - 1 - number) * STEP, number))

    def _go(self) -> None:
        number = SHOWN
        while not self._stop.wait(1.0):
            number += 1
            self.newest += STEP
            rows = self._rows(self.newest, number)
            with self._desk.session() as session:
                series.write(session, rows)
                closed = {str(row["tracker_id"]): documents.window(SeriesRow(**row)) for row in rows}
                changes.append(session, "window", str(self.newest), closed)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Windows close for the length of the block."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


def rest(page: Page, seconds: float) -> None:
    """Look on."""
    page.wait_for_timeout(seconds * 1000)


def scroll(page: Page, seconds: float) -> None:
    """Turn the wheel over the list of trackers, down and up."""
    page.locator(".virtual").hover(position={"x": 200, "y": 200})
    until = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < until:
        page.mouse.wheel(0, 300 if turn % 80 < 40 else -300)
        page.wait_for_timeout(30)
        turn += 1


def write(page: Page, seconds: float) -> None:
    """Look for a tracker by name."""
    page.get_by_label("Find a tracker").focus()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.keyboard.type("tracker 4", delay=60)
        for _ in range(9):
            page.keyboard.press("Backspace")
            page.wait_for_timeout(30)


def walk(page: Page, seconds: float) -> None:
    """Go from row to row by keyboard."""
    page.locator("h1").click()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.keyboard.press("j")
        page.wait_for_timeout(40)


def measure(page: Page, act: Callable[[Page, float], None], seconds: float) -> tuple[int, float, float, float]:
    """Long frames, the longest of them, the 99th percentile and the longest of the times between frames, ms."""
    page.evaluate(TAKE)
    act(page, seconds)
    taken = page.evaluate(TAKE)
    gaps = np.array(taken["gaps"] or [0.0])
    long = [each for each in taken["long"] if each > LONG_MS]
    return len(long), max(long, default=0.0), float(np.percentile(gaps, 99)), float(gaps.max())


def show(name: str, what: str, found: tuple[int, float, float, float]) -> None:
    """One line of the table."""
    over, longest, p99, most = found
    print(f"{name:<17} {what:<22} {over:>10} {longest:>8.0f} {p99:>6.0f} {most:>6.0f}", flush=True)


def main() -> int:
    """Run from the command line; 1 if the page had a frame over 50 ms."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trackers", type=int, default=500)
    options.add_argument("--seconds", type=float, default=10)
    asked = options.parse_args()
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        sys.exit("error: no Chromium on the PATH; install it (Debian: apt-get install chromium)")
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        desk = open_desk(load_settings(home=home))
        with desk.session() as session:
            ids = [
                trackers.add(session, f"tracker {n}", f"word{n} OR other{n}", 30.0).id for n in range(asked.trackers)
            ]
        stream = Stream(desk, ids)
        stream.fill()
        print(f"{asked.trackers} trackers, a window of each closes every second, {asked.seconds:.0f} s a line\n")
        print(f"{'':<17} {'while':<22} {'over 50 ms':>10} {'longest':>8} {'p99':>6} {'most':>6}")
        with serving(home, "--no-runner") as (_, address), sync_playwright() as playwright, stream.flowing():
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto("about:blank")
            page.evaluate(WATCH)
            show("limit: blank page", "nothing happens", measure(page, rest, asked.seconds))
            for name, height in (("the page", ""), ("every row drawn", "none")):
                page.goto(address)
                page.locator(".tracker .line").first.wait_for()
                page.evaluate("height => { document.querySelector('.virtual').style.maxHeight = height }", height)
                page.wait_for_timeout(3000)
                page.evaluate(WATCH)
                for act, what in (
                    (rest, "windows close"),
                    (scroll, "the list scrolls"),
                    (write, "somebody types"),
                    (walk, "j goes down the rows"),
                ):
                    found = measure(page, act, asked.seconds)
                    worst += found[0] if name == "the page" else 0
                    show(name, what, found)
            browser.close()
        desk.close()
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
