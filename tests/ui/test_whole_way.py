"""The whole way at once: history is imported, a stream is watched, the page shows the burst and its posts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.service]

WINDOW = timedelta(minutes=5)


def _record(number: int, at: datetime, text: str) -> str:
    post = {"id": str(number), "author": f"author{number % 397}", "text": text, "created_at": at.isoformat()}
    return json.dumps(post)


def _history(until: datetime) -> Iterator[str]:
    """A week in which every window has twenty posts, two of them about the matter."""
    number, at = 0, until - timedelta(days=7)
    while at < until:
        for second in range(0, 300, 15):
            number += 1
            matter = "side effects again" if second % 150 == 0 else "a quiet day at the lake"
            yield _record(number, at + timedelta(seconds=second), matter)
        at += WINDOW


def _stream(start: datetime) -> Iterator[str]:
    """Four windows as usual, one with sixty posts about the matter, and two more as usual."""
    number = 1_000_000
    for window in range(7):
        for second in range(0, 300, 5 if window == 4 else 15):
            number += 1
            burst = "the agency on side effects #latenight" if window == 4 else "side effects again"
            text = burst if window == 4 or second % 150 == 0 else "a quiet day at the lake"
            yield _record(number, start + window * WINDOW + timedelta(seconds=second), text)


def test_a_burst_in_a_stream_becomes_an_alert_with_its_posts(
    make_stage: Callable[..., Any], visit: Callable[..., Any], until: Callable[..., None], tmp_path: Path
) -> None:
    stage = make_stage(start=False)
    start = datetime.fromtimestamp(stage.newest / 1e6, UTC) - 8 * WINDOW
    history, stream = tmp_path / "history.ndjson", tmp_path / "stream.ndjson"
    history.write_text("\n".join(_history(start)))
    stream.write_text("\n".join(_stream(start)))
    stage.run("import", str(history))
    stage.run("watch", "add", "side effects", '"side effects"')
    stage.start()
    until(stage.ready, seconds=120, what="the server's answer")

    page = visit(stage.address).page
    expect(page.locator(".tracker")).to_contain_text("waiting")
    # Another process watches; the page hears of it through the desk.
    stage.run("watch", "run", "--replay", str(stream))
    expect(page.locator(".alert")).to_contain_text("expected")
    expect(page.locator(".tracker .line-hot")).to_have_count(1)
    page.locator(".alert").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("side effects")
    drives = page.get_by_role("region", name="What drives it")
    expect(drives.get_by_role("link", name="#latenight")).to_be_visible()
    posts = page.get_by_role("region", name="Posts", exact=True)
    expect(posts.get_by_role("button").first).to_contain_text("the agency on side effects")
    page.get_by_role("link", name="all in Explore").click()
    found = page.get_by_role("list", name="Posts").get_by_role("button")
    expect(found.filter(has_text="the agency on side effects").first).to_be_visible()
