"""An alert in a real browser: the sentence, whether it holds, what drives it, the posts, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.service]

POST = {
    "platform": "tiktok",
    "post_id": "7001",
    "url": "https://www.tiktok.com/@dr.mila/video/7001",
    "author": "dr.mila",
    "followers": 412_000,
    "created_at": "2026-11-20T17:58:00Z",
    "text": "What the agency really said about side effects",
    "likes": 12_400,
    "views": None,
    "copies": 3,
    "share": 0.18,
    "origin": "push:12",
}


@pytest.fixture
def alert(stage: Any) -> tuple[Any, str]:
    """A server with one alert that has everything."""
    tracker = stage.track("side effects", '"side effects"')
    stage.close_windows(tracker, [20] * 30 + [None] * 4 + [22] * 30 + [126], unusual=1)
    return stage, stage.raise_alert(tracker, posts=[POST])


def test_an_alert_opens_from_live_to_its_evidence(alert: tuple[Any, str], visit: Callable[..., Any]) -> None:
    stage, _ = alert
    page = visit(stage.address).page
    page.locator(".alert").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("“side effects” is mentioned 6.3 times as often as usual")
    expect(
        page.get_by_text("126 posts in the window against 20 expected (11–31) · about once in 140 days")
    ).to_be_visible()
    chart = page.get_by_role("img", name="Posts per 5 minutes")
    expect(chart.locator("svg")).to_be_visible()
    expect(chart).to_contain_text("no data 20")
    expect(chart).to_contain_text("alert opened")
    holds = page.get_by_role("region", name="Does it hold?")
    expect(holds.get_by_role("row", name="Without the top author")).to_contain_text("5.1×")
    expect(holds.get_by_role("row", name="Data complete")).to_contain_text("complete")
    drives = page.get_by_role("region", name="What drives it")
    expect(drives.get_by_role("link", name="@dr.mila")).to_contain_text("18")
    expect(drives).to_contain_text("103 others")
    expect(drives.get_by_role("link", name="agency")).to_be_visible()
    posts = page.get_by_role("region", name="Posts", exact=True)
    posts.get_by_role("button", name="@dr.mila").click()
    opened = posts.get_by_role("link", name="Open on TikTok")
    expect(opened).to_have_attribute("href", POST["url"])
    expect(posts).to_contain_text("push:12")


def test_every_figure_leads_to_its_posts(alert: tuple[Any, str], visit: Callable[..., Any]) -> None:
    stage, identity = alert
    page = visit(f"{stage.address}/alerts/{identity}").page
    page.get_by_role("link", name="#sideeffects").click()
    expect(page.get_by_label("Query")).to_have_value('"side effects" #sideeffects')
    page.go_back()
    expect(page.locator(".chart svg")).to_be_visible()
    page.keyboard.press("t")
    page.locator("table button").first.click()
    expect(page.get_by_label("Query")).to_have_value('"side effects"')
    expect(page.get_by_role("button", name="since")).to_have_count(0)
    assert "since=" in page.url
    assert "until=" in page.url


def test_a_verdict_is_stored_and_can_be_taken_back(
    alert: tuple[Any, str], visit: Callable[..., Any], until: Callable[..., None]
) -> None:
    stage, identity = alert
    page = visit(f"{stage.address}/alerts/{identity}").page
    real = page.get_by_role("button", name="Real", exact=True)
    real.click()
    expect(real).to_have_attribute("aria-pressed", "true")
    until(lambda: stage.verdict_of(identity) == "real", what="the verdict in the desk")
    page.reload()
    expect(real).to_have_attribute("aria-pressed", "true")
    real.click()
    until(lambda: stage.verdict_of(identity) is None, what="the verdict taken back")


def test_an_alert_that_is_not_there_says_so(stage: Any, visit: Callable[..., Any]) -> None:
    page = visit(f"{stage.address}/alerts/none").page
    expect(page.get_by_role("heading", name="No such alert")).to_be_visible()
    page.goto(f"{stage.address}/nowhere")
    expect(page.get_by_role("heading", name="No such page")).to_be_visible()


def test_a_tracker_shows_its_series_and_can_be_removed(alert: tuple[Any, str], visit: Callable[..., Any]) -> None:
    stage, _ = alert
    page = visit(stage.address).page
    page.locator(".tracker").get_by_role("link", name="side effects", exact=True).click()
    expect(page.get_by_role("region", name="Posts per 5 minutes")).to_contain_text("posts in 24")
    expect(page.get_by_role("region", name="Alerts")).to_contain_text("6.3× expected")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nothing is watched yet")).to_be_visible()
