"""Trackers in a real browser: hundreds of them, sizes of windows, the editor and its test on the past, latest posts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.ui.samples import SECOND, STEP

from groundswell.desk import series, trackers

pytestmark = [pytest.mark.browser, pytest.mark.service]


def _many(stage: Any, number: int) -> list[str]:
    """Trackers with a few windows each."""
    with stage.desk.session() as session:
        ids = [trackers.add(session, f"tracker {each:03}", f"word{each}", 30.0).id for each in range(number)]
    for identity in ids:
        stage.close_windows(identity, [18, 20, 23])
    return ids


def test_of_500_trackers_only_those_in_view_are_drawn_and_asked_for(stage: Any, visit: Callable[..., Any]) -> None:
    _many(stage, 500)
    seen = visit(stage.address)
    page: Page = seen.page
    expect(page.locator(".tracker .line").first).to_be_visible()
    assert page.locator(".tracker").count() < 60
    asked = [url for url in seen.requests if "/multiples?" in url]
    assert sum(url.count("tracker=") for url in asked) < 120
    page.locator(".virtual").evaluate("box => { box.scrollTop = box.scrollHeight }")
    last = page.get_by_role("listitem").filter(has_text="tracker 499")
    expect(last.locator(".line")).to_have_count(1)
    assert last.get_attribute("aria-posinset") == last.get_attribute("aria-setsize") == "500"
    assert page.locator(".tracker").count() < 60


def test_the_keyboard_walks_beyond_what_is_in_view(stage: Any, visit: Callable[..., Any]) -> None:
    _many(stage, 40)
    page: Page = visit(stage.address).page
    expect(page.locator(".tracker .line").first).to_be_visible()
    for step in range(30):
        page.keyboard.press("j")
        expect(page.get_by_role("link", name=f"tracker {step:03}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="tracker 029", level=1)).to_be_visible()


def test_trackers_are_found_by_name_and_by_what_they_say(stage: Any, visit: Callable[..., Any]) -> None:
    ids = _many(stage, 20)
    stage.close_windows(ids[7], [18, 20, None])
    page: Page = visit(stage.address).page
    page.get_by_label("Find a tracker").fill("WORD1")
    expect(page.locator(".tracker")).to_have_count(11)
    page.get_by_label("Find a tracker").fill("")
    page.get_by_role("button", name="no data 1").click()
    expect(page.locator(".tracker")).to_have_count(1)
    expect(page.locator(".tracker")).to_contain_text("tracker 007")
    page.get_by_label("Find a tracker").fill("nobody")
    expect(page.get_by_text("No tracker is like that")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("listitem").filter(has_text="tracker 000")).to_have_attribute("aria-setsize", "20")


def test_the_size_of_windows_is_chosen_once_for_all_charts(stage: Any, visit: Callable[..., Any]) -> None:
    tracker = stage.track("side effects", '"side effects"')
    stage.close_windows(tracker, [20, 22, 21])
    newest = (stage.newest + STEP) // (900 * SECOND) * (900 * SECOND) - 900 * SECOND
    row = {
        "tracker_id": tracker,
        "window_s": 900,
        "start": newest,
        "count": 66,
        "expected": 33.0,
        "lower": 20.0,
        "upper": 50.0,
        "p_value": 0.01,
        "return_days": 0.3,
        "platform_ratio": 1.0,
        "state": "usual",
        "late": 0,
    }
    with stage.desk.session() as session:
        series.write(session, [row])
    page: Page = visit(stage.address).page
    expect(page.locator(".tracker")).to_contain_text("1.05×")
    page.get_by_role("group", name="Windows of").get_by_role("button", name="15 min").click()
    expect(page.locator(".tracker")).to_contain_text("2.0×")
    expect(page.get_by_text("posts per 15 minutes, last 36 h")).to_be_visible()
    page.get_by_role("link", name="side effects").click()
    expect(page.get_by_role("region", name="Posts per 15 minutes")).to_contain_text("n = 66 posts")
    page.keyboard.press("w")
    expect(page.get_by_role("region", name="Posts per hour")).to_be_visible()


def test_a_query_is_looked_at_while_it_is_written(stage: Any, visit: Callable[..., Any]) -> None:
    page: Page = visit(f"{stage.address}/trackers/new?q=shoe*").page
    box = page.get_by_label("Query")
    expect(page.locator(".tag", has_text="shoe*")).to_be_visible()
    box.fill("shoe* likes:>100")
    expect(page.get_by_role("button", name="Column 7")).to_be_visible()
    expect(page.locator(".query-marks .query-warning")).to_have_text("likes:>100")
    box.fill("")
    box.press_sequentially("shoe* platf")
    expect(page.get_by_role("option", name="platform:")).to_be_visible()
    box.press("Tab")
    expect(box).to_have_value("shoe* platform:")
    box.press_sequentially("tik")
    box.press("Tab")
    expect(box).to_have_value("shoe* platform:tiktok")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()
    expect(page.locator(".tracker")).to_contain_text("shoe* platform:tiktok")


def test_a_tracker_is_changed_in_the_editor(stage: Any, visit: Callable[..., Any]) -> None:
    tracker = stage.track("side effects", '"side effects"')
    stage.close_windows(tracker, [20, 22])
    page: Page = visit(f"{stage.address}/trackers/{tracker}").page
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Promise in days").fill("7")
    page.get_by_label("Public holidays of").select_option("FR")
    page.get_by_label("by an author with more followers than").fill("100000")
    page.get_by_role("button", name="Save changes").click()
    settings = page.get_by_role("region", name="Settings")
    expect(settings).to_contain_text("one false alert in 7 days")
    expect(settings).to_contain_text("France")
    expect(settings).to_contain_text("more than 100 k followers")
    with stage.desk.reading() as session:
        row = trackers.find(session, tracker)
        assert (row.promise_days, row.country, row.reach_followers) == (7, "FR", 100_000)


def _posts(start: datetime, number: int, text: str) -> Iterator[str]:
    for each in range(number):
        at = start + timedelta(seconds=each)
        yield json.dumps(
            {"id": f"{text} {each}", "author": "mila", "text": f"{text} {each}", "created_at": at.isoformat()}
        )


def test_latest_posts_come_while_the_page_is_open(stage: Any, visit: Callable[..., Any], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    first.write_text("\n".join(_posts(now - timedelta(minutes=5), 2, "side effects known")))
    second.write_text("\n".join(_posts(now, 1, "side effects fresh")))
    stage.run("import", str(first))
    tracker = stage.track("side effects", '"side effects"')
    page: Page = visit(f"{stage.address}/trackers/{tracker}").page
    latest = page.get_by_role("list", name="Latest posts").get_by_role("button")
    expect(latest).to_have_count(2)
    stage.run("import", str(second))
    expect(latest).to_have_count(3)
    expect(latest.first).to_contain_text("side effects fresh")
    expect(latest.first).to_contain_text("new")
    expect(latest.last).not_to_contain_text("new")


def _history(until: datetime) -> Iterator[str]:
    """Three weeks of an hour's grain, with one hour that is twenty times as loud."""
    for hour in range(21 * 24):
        start = until - timedelta(days=21) + timedelta(hours=hour)
        loud = hour == 20 * 24
        for each in range(400 if loud else 20):
            at = start + timedelta(seconds=each * (9 if loud else 180))
            post = {
                "id": f"{hour} {each}",
                "author": f"a{each % 37}",
                "text": "side effects",
                "created_at": at.isoformat(),
            }
            yield json.dumps(post)


@pytest.mark.slow
def test_a_query_is_tested_on_the_past_before_it_is_saved(
    stage: Any, visit: Callable[..., Any], tmp_path: Path
) -> None:
    history = tmp_path / "history.ndjson"
    history.write_text("\n".join(_history(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))))
    stage.run("import", str(history))
    page: Page = visit(f"{stage.address}/trackers/new?q=%22side+effects%22").page
    page.get_by_role("button", name="Test on the past").click()
    test = page.get_by_role("region", name="What it would have done")
    expect(test.get_by_text("With this promise it would have alerted")).to_be_visible(timeout=120_000)
    expect(test.locator(".chart svg")).to_be_visible()
    fired = test.get_by_role("list", name="Alerts that would have been raised").get_by_role("listitem")
    expect(fired.first).to_be_visible()
    with_one_promise = fired.count()
    test.get_by_role("button", name="365 d promise").click()
    expect(page.get_by_label("Promise in days")).to_have_value("365")
    assert 0 < fired.count() <= with_one_promise
    page.get_by_label("Query").fill('"side effects" -dose')
    expect(test.get_by_text("This was another query")).to_be_visible()
