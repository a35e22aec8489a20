"""Channels in a real browser: added, tested, changed, paused, removed; and the outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.ui.samples import SECOND

from groundswell.desk import channels, outbox
from groundswell.desk.tables import AlertRow, TrackerRow

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_a_channel_is_added_tested_changed_and_removed(stage: Any, visit: Callable[..., Any]) -> None:
    page: Page = visit(f"{stage.address}/channels").page
    expect(page.get_by_text("Nobody is told yet")).to_be_visible()
    page.get_by_role("button", name="New channel").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Brand team")
    page.get_by_label("Kind").select_option("slack")
    page.get_by_label("Secret with the address").fill("TEAM")
    page.get_by_label("Only what comes at most once in").fill("7")
    page.get_by_label("Quiet hours").check()
    page.get_by_text("Words", exact=True).click()
    page.get_by_role("textbox", name="Text", exact=True).fill("Look: $tracker")
    page.get_by_role("button", name="Show what would be sent").click()
    expect(page.locator(".preview-text")).to_contain_text("Look: ")
    page.get_by_role("button", name="Add channel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.locator(".channel")
    expect(row).to_contain_text("not used yet")
    expect(row).to_contain_text("at most once in 7 days, quiet 22:00–07:00")
    expect(row).to_contain_text("set GROUNDSWELL_SECRET_TEAM in its environment")
    row.get_by_role("button", name="Test").click()
    expect(row.get_by_role("status")).to_contain_text("TEAM")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Only what comes at most once in")).to_have_value("7")
    page.get_by_label("Only what comes at most once in").fill("")
    page.get_by_role("button", name="Save changes").click()
    expect(row).not_to_contain_text("at most once")
    with stage.desk.reading() as session:
        assert channels.find(session, "Brand team").templates == {"text": "Look: $tracker"}
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is told yet")).to_be_visible()


def test_the_outbox_says_what_was_given_up_and_sends_it_again(stage: Any, visit: Callable[..., Any]) -> None:
    tracker = stage.track("side effects", '"side effects"')
    stage.close_windows(tracker, [20, 126], unusual=1)
    page: Page = visit(f"{stage.address}/channels").page
    page.get_by_role("button", name="New channel").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Hook")
    page.get_by_label("Address").first.fill("https://hooks.example.org/x")
    page.get_by_role("button", name="Add channel").click()
    expect(page.locator(".channel")).to_contain_text("Hook")
    alert = stage.raise_alert(tracker)
    with stage.desk.session() as session:
        row, of = session.get_one(AlertRow, alert), session.get_one(TrackerRow, tracker)
        assert outbox.enqueue(session, None, row, of, row.opened_at) == 1
        message = outbox.claim(session, channels.find(session, "Hook").id, row.opened_at, SECOND)
        assert message is not None
        assert outbox.settle(session, message.seq, "dead", row.opened_at, "the server answered 410")
    told = page.get_by_role("list", name="Messages").get_by_role("listitem")
    expect(told).to_contain_text("given up")
    expect(told).to_contain_text("the server answered 410")
    told.get_by_role("button", name="Send again").click()
    expect(told).to_contain_text("waits")
    told.get_by_role("link").click()
    expect(page.get_by_role("region", name="What happened to it")).to_contain_text("Hook is told that it opened: waits")
