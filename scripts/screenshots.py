"""Take the screenshots of the documentation: run the demo, wait until it has found something, look at it in Chromium.

    python scripts/screenshots.py [ADDRESS [PAGE …]]

With the address of a running server that one is looked at instead; with names of pages only those are taken. Writes
`docs/images/PAGE-THEME[-narrow].png`.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGES: Final = ROOT / "docs" / "images"
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: The language decides how date fields are written.
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--lang=en-GB")
WIDTHS: Final = {"": (1440, 900), "-narrow": (390, 844)}
LARGEST: Final = 200_000
IMPORT: Final = "data-import"
EDITOR: Final = "editor"
#: Open alerts that make a good picture, and how long the demo may take for them, seconds.
ENOUGH: Final = 2
PATIENCE_S: Final = 600


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _demo() -> Iterator[str]:
    """The address of a demo that has raised alerts."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    code = "from groundswell.cli import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-browser", "--port", str(port), "--home", f"{folder}/home"]
        demo = subprocess.Popen([sys.executable, "-c", code, "demo", *options])
        try:
            _wait_for_alerts(address, demo)
            yield address
        finally:
            demo.terminate()
            demo.wait()


def _wait_for_alerts(address: str, demo: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not (_open_alerts(address) >= ENOUGH):
        if demo.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"error: the demo raised no {ENOUGH} alerts within {PATIENCE_S} s")
        pause.wait(1.0)


def _open_alerts(address: str) -> int:
    try:
        return int(httpx.get(f"{address}/api/v1/alerts", timeout=10).json()["open"])
    except (httpx.TransportError, KeyError):
        return 0


def _best_alert(address: str) -> dict[str, Any]:
    """The open alert that stands out most, else the newest."""
    items: list[dict[str, Any]] = httpx.get(f"{address}/api/v1/alerts", timeout=30).json()["items"]
    if not items:
        sys.exit("error: there is no alert to show")
    return max(items, key=lambda item: (item["closed_at"] is None, item["ratio"] or 0))


def _settle(page: Page) -> None:
    """Wait until fonts and charts are drawn."""
    page.wait_for_load_state("networkidle")
    page.locator("main .loading-row").first.wait_for(state="detached")
    page.evaluate("document.fonts.ready")
    if page.locator(".chart").count():
        page.locator(".chart svg").first.wait_for()


#: An invented table that no layout knows, for the picture of its mapping.
SURVEY: Final = """\
no,when,body,handle,hearts,mood
1,2026-11-18 09:12,"The new flavour is better than the old one",mila.eats,412,happy
2,2026-11-18 10:40,"Where can I buy the blue one? #auroracola",tomtries,18,
3,2026-11-19 21:05,"Three cans a day, send help",nightowl_7,96,tired
4,2026-11-20 07:31,"They changed the recipe, did they not",,n/a,angry
"""


def _look_into(page: Page) -> None:
    """Choose a table on the page Data and wait until its columns are there."""
    page.set_input_files("#files", FilePayload(name="survey.csv", mimeType="text/csv", buffer=SURVEY.encode()))
    page.locator(".map-row select").first.wait_for(timeout=120_000)


def _test_on_the_past(page: Page) -> None:
    """Let the editor say what its query would have done."""
    page.get_by_role("button", name="Test on the past").click()
    page.locator(".backtest-sentence, .error-note").first.wait_for(timeout=300_000)


def _put_away(page: Page) -> None:
    """Leave the server as it was."""
    page.get_by_role("button", name="Discard survey.csv").click()
    page.locator(".preview").wait_for(state="detached")


def _shoot(browser: Browser, address: str, name: str, theme: str, ending: str) -> Path:
    width, height = WIDTHS[ending]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    # The line of a live page never rests; what it shows is waited for instead.
    page.goto(address, wait_until="load")
    _settle(page)
    if name == IMPORT:
        _look_into(page)
    if name == EDITOR:
        _test_on_the_past(page)
    path = IMAGES / f"{name}-{theme}{ending}.png"
    page.screenshot(path=path)
    if name == IMPORT:
        _put_away(page)
    context.close()
    return path


def _addresses(address: str, names: Sequence[str]) -> dict[str, str]:
    """Where each page is; those of an alert only if they are wanted."""
    rest = {"topics": "/topics", "channels": "/channels", "data": "/data", IMPORT: "/data"}
    pages: dict[str, str] = {}
    if not names or set(names) - set(rest):
        # First what passes: a demo goes on, and an alert is over after a while.
        alert = _best_alert(address)
        search = httpx.QueryParams({"q": alert["query"]})
        pages = {"live": "/", "alert": f"/alerts/{alert['id']}", "tracker": f"/trackers/{alert['tracker']}"}
        rest |= {"explore": f"/posts?{search}", EDITOR: f"/trackers/new?{search}"}
    pages |= rest
    return {name: path for name, path in pages.items() if not names or name in names}


def take(address: str, names: Sequence[str] = ()) -> list[Path]:
    """Take the screenshots of the server at `address`: of all pages, or of those named."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        sys.exit("error: no Chromium on the PATH; install it (Debian: apt-get install chromium)")
    pages = _addresses(address, names)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        taken = [
            _shoot(browser, address + path, name, theme, ending)
            for name, path in pages.items()
            for theme in ("light", "dark")
            for ending in WIDTHS
        ]
        browser.close()
    return taken


def main(arguments: list[str]) -> int:
    """Run from the command line."""
    if arguments:
        taken = take(arguments[0].rstrip("/"), arguments[1:])
    else:
        with _demo() as address:
            taken = take(address)
    for path in taken:
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT)}  {size / 1000:.0f} kB" + ("  (too large)" if size > LARGEST else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
