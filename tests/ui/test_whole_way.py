"""The whole way at once: posts are imported and pushed, the watch finds the burst, the page shows it and its posts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
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


def _burst(start: datetime) -> Iterator[str]:
    """One window with sixty posts about the matter, and one post well after it."""
    for second in range(300):
        text = "the agency on side effects #latenight" if second % 5 == 0 else "a quiet day at the lake"
        yield _record(1_000_000 + second, start + timedelta(seconds=second), text)
    yield _record(2_000_000, start + 3 * WINDOW, "a quiet day at the lake")


def test_a_pushed_burst_becomes_an_alert_with_its_posts(
    make_stage: Callable[..., Any], visit: Callable[..., Any], until: Callable[..., None], tmp_path: Path
) -> None:
    stage = make_stage(runner=True, start=False)
    start = datetime.fromtimestamp(stage.newest / 1e6, UTC) - 3 * WINDOW
    history = tmp_path / "history.ndjson"
    history.write_text("\n".join(_history(start)))
    stage.run("import", str(history))
    stage.run("watch", "add", "side effects", '"side effects"')
    stage.start()
    until(stage.ready, seconds=120, what="the server's answer")

    page = visit(stage.address).page
    expect(page.locator(".tracker")).to_contain_text("side effects")
    pushed = httpx.post(f"{stage.address}/api/v1/records?source=test", content="\n".join(_burst(start)), timeout=60)
    assert pushed.status_code == 202
    expect(page.locator(".alert")).to_contain_text("still growing", timeout=120_000)
    page.locator(".alert").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("side effects")
    drives = page.get_by_role("region", name="What drives it")
    expect(drives.get_by_role("link", name="#latenight")).to_be_visible()
    posts = page.get_by_role("region", name="Posts", exact=True)
    expect(posts.get_by_role("button").first).to_contain_text("the agency on side effects")
