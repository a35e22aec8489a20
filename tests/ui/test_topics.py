"""Emerging topics in a real browser: they arrive, lead to their posts, and become a tracker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_a_topic_arrives_on_live_and_becomes_a_tracker(stage: Any, visit: Callable[..., Any]) -> None:
    page: Page = visit(stage.address).page
    emerging = page.get_by_role("region", name="Emerging, without a tracker")
    expect(emerging.get_by_text("Nothing rises")).to_be_visible()
    stage.raise_topic("#novaleak")
    row = emerging.get_by_role("row", name="#novaleak")
    expect(row).to_contain_text("0 → 58")
    expect(row).to_contain_text("1 in 42 days")
    row.get_by_role("link", name="Track it").click()
    expect(page.get_by_label("Query")).to_have_value("#novaleak")
    page.get_by_role("button", name="Add tracker").click()
    expect(page.locator(".tracker")).to_contain_text("#novaleak")


def test_topics_are_listed_by_rank_with_who_sees_them(stage: Any, visit: Callable[..., Any]) -> None:
    tracker = stage.track("yogurt", "yogurt")
    stage.raise_topic("battery", rank=3)
    stage.raise_topic("#frozenyogurt", rank=9, trackers=[{"id": tracker, "share": 0.4}])
    page: Page = visit(stage.address).page
    expect(page.get_by_role("row", name="#frozenyogurt")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Topics", level=1)).to_be_visible()
    rows = page.locator(".topics tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("#frozenyogurt")
    expect(rows.first).to_contain_text("seen by yogurt")
    expect(rows.last.get_by_role("link", name="Track it")).to_be_visible()
    page.get_by_role("button", name="over", exact=True).click()
    expect(page.get_by_text("No topic is over")).to_be_visible()


def test_a_topic_has_a_page_of_its_own(stage: Any, visit: Callable[..., Any]) -> None:
    topic = stage.raise_topic("#novaleak")
    page: Page = visit(f"{stage.address}/topics/{topic}").page
    expect(page.get_by_role("heading", level=1)).to_have_text("#novaleak is new: 58 authors in 5 min")
    expect(page.get_by_role("img", name="Distinct authors per 5 minutes").locator("svg")).to_be_visible()
    expect(page.get_by_role("region", name="What is in it").get_by_role("row", name="#novaleakhack")).to_contain_text(
        "31"
    )
    expect(page.get_by_role("region", name="Who sees it")).to_contain_text("No tracker does")
    page.get_by_role("link", name="Make a tracker of it").click()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("#novaleak")


def test_a_topic_that_is_not_there_says_so(stage: Any, visit: Callable[..., Any]) -> None:
    page: Page = visit(f"{stage.address}/topics/none").page
    expect(page.get_by_role("heading", name="No such topic")).to_be_visible()
