"""A real server with a home of its own, a desk to write to, and the system's Chromium."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from tests.ui.samples import SECOND, STEP, WINDOW_S, alert_row, topic_row

from groundswell.bus import Journal
from groundswell.desk import Desk, alerts, changes, documents, drift_notices, open_desk, series, topics, trackers
from groundswell.desk.clock import moment
from groundswell.desk.tables import AlertRow, SeriesRow, TrackerRow
from groundswell.lake import Lake
from groundswell.schema import LEDGER, QUARANTINE
from groundswell.settings import load_settings

ROOT: Final = Path(__file__).resolve().parents[2]
STATIC: Final = ROOT / "src" / "groundswell" / "web" / "static"
PROGRAM: Final = (sys.executable, "-c", "from groundswell.cli import main; main()")
AXE: Final = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: A busy machine may take this long for what usually takes a moment.
PATIENCE_MS: Final = 30_000
HOUR: Final = 3600 * SECOND


@dataclass
class Stage:
    """A server on a home of its own. What a test writes to the desk, the page is told as it happens."""

    home: Path
    port: int
    runner: bool = False
    process: subprocess.Popen[bytes] | None = None
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = open_desk(load_settings(home=self.home))
        #: Start of the newest window: the last full one before now.
        self.newest = (int(time.time() * SECOND) // STEP - 1) * STEP

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of the command line on this home."""
        done = subprocess.run(
            [*PROGRAM, "--home", str(self.home), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done

    def start(self) -> None:
        command = [*PROGRAM, "--home", str(self.home), "serve", "--port", str(self.port)]
        log = (self.home.parent / "serve.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [*command, *([] if self.runner else ["--no-runner"])], stdout=log, stderr=log, cwd=self.home.parent
            )

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home.parent / "serve.log").read_text()
        try:
            return httpx.get(f"{self.address}/api/v1/status", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Kill it, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    # ---- what the runner would write --------------------------------------------------------------------------------

    def track(self, name: str, query: str) -> str:
        """Add a tracker and tell the page."""
        with self.desk.session() as session:
            row = trackers.add(session, name, query, 30.0)
            changes.append(session, "tracker", row.id, documents.tracker(row, None, None))
            return row.id

    def close_windows(
        self, tracker: str, counts: Sequence[int | None], *, unusual: int = 0, tell: bool = False
    ) -> None:
        """Close windows up to the newest one, `None` is a hole; the last `unusual` ones are so."""
        first = self.newest - (len(counts) - 1) * STEP
        rows = [
            {
                "tracker_id": tracker,
                "window_s": WINDOW_S,
                "start": first + index * STEP,
                "count": count or 0,
                "expected": 20.0,
                "lower": 11.0,
                "upper": 31.0,
                "p_value": 0.4,
                "return_days": 140.0 if index >= len(counts) - unusual else 0.01,
                "platform_ratio": 1.02,
                "state": _state(count, index >= len(counts) - unusual),
                "late": 0,
            }
            for index, count in enumerate(counts)
        ]
        with self.desk.session() as session:
            series.write(session, rows)
            if tell:
                last = documents.window(SeriesRow(**rows[-1]))
                changes.append(session, "window", last["start"], {tracker: last})

    def raise_alert(self, tracker: str, *, posts: Sequence[dict[str, Any]] = ()) -> str:
        """Open an alert in the newest window and tell the page."""
        with self.desk.session() as session:
            of = session.get_one(TrackerRow, tracker)
            windows = [documents.window(row) for row in series.of_tracker(session, tracker, WINDOW_S)]
            row = alert_row(of, self.newest, windows, posts)
            alerts.write(session, [row])
            changes.append(session, "alert", row["id"], documents.alert_summary(AlertRow(**row), of))
            return str(row["id"])

    def raise_topic(self, label: str, *, rank: float = 5.0, trackers: Sequence[dict[str, Any]] = ()) -> str:
        """Let a topic rise and tell the page."""
        with self.desk.session() as session:
            row = topic_row(label, self.newest, rank=rank, trackers=trackers)
            topics.write(session, [row])
            shown = topics.summary(topics.get(session, row["id"]), topics.tracker_names(session))
            changes.append(session, "topic", row["id"], shown)
            return str(row["id"])

    # ---- what came in -----------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """A stream of six hours with a hole of one, records that could not be read, and a field that has drifted."""
        now = int(time.time() * SECOND)
        hour = now // HOUR * HOUR
        rows = []
        for back in range(6):
            if back != 3:
                rows += [("push", "journal:push", hour - back * HOUR, 900, 30, 20), ("import", "a.csv", hour, 40, 5, 3)]
        lake, journal = Lake.open(load_settings(home=self.home)), Journal(load_settings(home=self.home).journal_path)
        lake.append("ledger", _ledger(rows))
        lake.append("quarantine", _quarantine(now))
        for began, ended in ((hour - 5 * HOUR, hour - 3 * HOUR), (hour - 2 * HOUR, now)):
            journal._writer.execute("INSERT INTO connections VALUES ('push', ?, ?)", (began, ended))
        journal.close()
        with self.desk.session() as session:
            drift_notices.open_notice(session, "tiktok.nested", "shares", now - HOUR, _drift(now))

    def verdict_of(self, alert: str) -> str | None:
        with self.desk.session() as session:
            return alerts.get(session, alert).verdict


def _ledger(rows: Sequence[tuple[str, str, int, int, int, int]]) -> pa.Table:
    """Rows of (source, origin, quarter, stored, known, rejected)."""
    full = [
        ("batch", source, origin, quarter, stored + known + rejected, stored, known, rejected, 0)
        for source, origin, quarter, stored, known, rejected in rows
    ]
    columns = zip(*full, strict=True)
    return pa.table([pa.array(each, of.type) for each, of in zip(columns, LEDGER, strict=True)], schema=LEDGER)


def _quarantine(now: int) -> pa.Table:
    held = [("not JSON", b"{oops <b>\xff"), ("not JSON", b"[1"), ("created_at is not a plausible time", b'{"id": "7"}')]
    rows = [
        {
            "id": f"{number:064d}",
            "at": moment(now - number * SECOND),
            "source": "import",
            "origin": "/data/a.csv" if number else "/data/b.csv",
            "origin_offset": number,
            "row": number + 1,
            "layout": None,
            "reason": reason,
            "detail": f"{reason}: x",
            "raw": raw,
            "raw_bytes": len(raw),
            "raw_sha256": "0" * 64,
            "state": "held",
        }
        for number, (reason, raw) in enumerate(held)
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE)


def _drift(now: int) -> dict[str, Any]:
    key = {"key": "itemInfos.shareTotal", "share": 0.997, "before": 0.0, "examples": ["412", "18"]}
    return {
        "layout_version": 2,
        "opened_at": now - HOUR // 2,
        "share_before": 0.998,
        "records_before": 412_000,
        "share_now": 0.003,
        "records_now": 9120,
        "p_value": 0.0,
        "evidence": {"instead": [key], "unread": []},
    }


def _state(count: int | None, unusual: bool) -> str:
    if count is None:
        return "gap"
    return "unusual" if unusual else "usual"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def make_stage(tmp_path: Path, until: Callable[..., None]) -> Iterator[Callable[..., Stage]]:
    """Start servers; each is stopped at the end."""
    stages: list[Stage] = []

    def make(*, runner: bool = False, start: bool = True) -> Stage:
        home = tmp_path / f"stage{len(stages)}" / "home"
        home.mkdir(parents=True)
        stage = Stage(home, _free_port(), runner)
        stages.append(stage)
        if start:
            stage.start()
            until(stage.ready, seconds=60, what="the server's answer")
        return stage

    yield make
    for stage in stages:
        stage.stop()
        stage.desk.close()


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A running server on an empty home."""
    return make_stage()


def _unavailable(reason: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium. Tests are skipped without it, and fail in CI."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        _unavailable(f"no Chromium on the PATH (looked for {', '.join(CHROMIUM)})")
    if not (STATIC / "index.html").exists():
        _unavailable("the page is not built: python scripts/build_frontend.py")
    with playwright.chromium.launch(executable_path=program, args=list(FLAGS)) as running:
        yield running


@dataclass
class Visit:
    """A page, and everything that it asked for and complained about."""

    page: Page
    requests: list[str]
    complaints: list[str]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open pages in fresh profiles: `visit(address, width=…, theme=…)`."""
    contexts: list[BrowserContext] = []

    def open_page(address: str, *, width: int = 1440, height: int = 900, theme: str = "light") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        seen = Visit(page, [], [])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("websocket", lambda line: seen.requests.append(line.url))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(address)
        return seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def violations() -> Callable[[Page], list[str]]:
    """What axe finds on a page, one line each; empty if nothing."""

    def look(page: Page) -> list[str]:
        if not AXE.exists():
            _unavailable("axe-core is not installed: npm ci in frontend/")
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {json.dumps(node['target'])} {node.get('failureSummary', '')}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    return look
