"""What the frame of every page says of the bus: calm while all is well, in words when it cannot be reached."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from groundswell.bus import Journal
from groundswell.desk import bus_index, leases
from groundswell.desk.clock import wall_us

pytestmark = [pytest.mark.browser, pytest.mark.service]

SECOND = 1_000_000


def line(page: Page) -> Any:
    return page.get_by_role("region", name="What comes in, and how far it is done").filter(visible=True)


def shown(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look."""
    folder = os.environ.get("GROUNDSWELL_TEST_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def note(stage: Any, consumer: str, partition: int, behind: int, at_us: int) -> None:
    """What a watch on Spark notes of a partition."""
    row = {"consumer": consumer, "topic": "posts", "partition": partition, "next_offset": 100}
    with stage.desk.session() as session:
        late = at_us - (20 * SECOND if behind else 0)
        more = {"end_offset": 100 + behind, "complete_until": late, "looked_at": at_us}
        bus_index.put_partition(session, {**row, **more})


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_the_frame_says_which_bus_it_is_and_how_far_watch_and_lake_are(
    theme: str, width: int, stage: Any, visit: Callable[..., Any], violations: Callable[[Page], list[str]]
) -> None:
    page = visit(stage.address, theme=theme, width=width).page
    found = line(page)
    expect(found).to_contain_text("Journal")
    expect(found).to_contain_text("watchup to date")
    shown(page, f"journal-{theme}")
    with Journal(stage.home / "journal.sqlite") as journal:
        journal.append("push", [b"{}"] * 1_200, received_us=wall_us() - 90 * SECOND)
    page.reload()
    expect(found).to_contain_text("1,200 · 2 min")
    expect(page.locator(".banner")).to_have_count(0)
    page.keyboard.press("Tab")
    found.focus()
    expect(found).to_be_focused()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown(page, f"behind-{theme}")


def test_of_a_topic_on_spark_the_lag_is_shown_and_brokers_that_do_not_answer_are_told_in_words(
    stage: Any, visit: Callable[..., Any], violations: Callable[[Page], list[str]]
) -> None:
    with leases.hold(stage.desk, "watch"):
        now = wall_us()
        for consumer, behind in (("watch", 0), ("lake", 700)):
            for partition in range(2):
                note(stage, consumer, partition, behind, now)
        page = visit(stage.address).page
        expect(line(page)).to_contain_text("Kafka on Spark, posts")
        expect(line(page)).to_contain_text("watchup to date")
        expect(line(page)).to_contain_text("1,400 ·")
        expect(page.locator(".banner")).to_have_count(0)
        shown(page, "spark")
        for consumer in ("watch", "lake"):
            for partition in range(2):
                note(stage, consumer, partition, 700, now - 60 * SECOND)
        page.reload()
        banner = page.get_by_role("status").filter(has_text="Nothing comes in:")
        expect(banner).to_contain_text("have not answered")
        expect(line(page)).to_contain_text("not reached")
        assert violations(page) == []
        shown(page, "away")
