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


def test_a_card_says_who_is_behind_it_and_how_earlier_weeks_were(
    alert: tuple[Any, str], visit: Callable[..., Any]
) -> None:
    stage, identity = alert
    page = visit(f"{stage.address}/alerts/{identity}").page
    people = page.get_by_role("region", name="Who is behind it")
    expect(people).to_contain_text("64 of 104 authors had been seen by this tracker before; 40 are new")
    expect(people).to_contain_text("not known of 12")
    season = page.get_by_role("region", name="The same hours of earlier weeks")
    expect(season.locator("path")).to_have_count(5)
    expect(season).to_contain_text("3 days ago –")
    holds = page.get_by_role("region", name="Does it hold?")
    expect(holds.get_by_role("row", name="Both")).to_contain_text("would not alert by itself")
    drives = page.get_by_role("region", name="What drives it")
    for said in ("agency.example", "English", "my arm after dose two", "Hashtags (in 80 of 126 posts)"):
        expect(drives).to_contain_text(said)


def test_an_alert_is_acknowledged_snoozed_and_commented(alert: tuple[Any, str], visit: Callable[..., Any]) -> None:
    stage, identity = alert
    page = visit(f"{stage.address}/alerts/{identity}").page
    happened = page.get_by_role("region", name="What happened to it")
    expect(happened).to_contain_text("opened, growing")
    page.get_by_label("Your name").fill("Maya")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledged")).to_have_attribute("aria-pressed", "true")
    expect(happened).to_contain_text("Maya has seen it")
    page.get_by_role("button", name="Snooze").click()
    page.get_by_role("button", name="for 8 hours").click()
    expect(page.get_by_role("button", name="Snoozed until")).to_be_visible()
    page.get_by_label("Comment").fill("The ministry's site is down.")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(happened).to_contain_text("The ministry's site is down.")
    expect(page.get_by_label("Comment")).to_have_value("")
    page.get_by_role("link", name="Live", exact=True).first.click()
    line = page.locator(".alert")
    for said in ("seen by Maya", "snoozed until", "1 comment"):
        expect(line).to_contain_text(said)


def test_a_card_is_made_again_where_that_is_possible(alert: tuple[Any, str], visit: Callable[..., Any]) -> None:
    stage, identity = alert
    page = visit(f"{stage.address}/alerts/{identity}").page
    page.get_by_role("button", name="recompute").click()
    # This card was written by hand: nobody kept what it was made of.
    expect(page.get_by_role("dialog", name="The card, made again")).to_contain_text("It cannot be made again.")


def test_a_tracker_says_how_often_it_was_right(alert: tuple[Any, str], visit: Callable[..., Any]) -> None:
    stage, identity = alert
    page = visit(f"{stage.address}/alerts/{identity}").page
    page.get_by_role("button", name="Known event").click()
    expect(page.get_by_role("button", name="Known event")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="side effects", exact=True).click()
    right = page.get_by_role("region", name="Was it right?")
    expect(right).to_contain_text("100 % of 1 judged alert were worth it")
    expect(right).to_contain_text("0 real, 1 known, 0 false, 0 open")
