"""Live in a real browser: what arrives, what is said when nothing does, and what happens when the server goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_a_fresh_home_says_what_to_do_and_has_no_warm_colour(stage: Any, visit: Callable[..., Any]) -> None:
    page = visit(stage.address).page
    expect(page.get_by_text("Nothing is watched yet")).to_be_visible()
    expect(page.get_by_text("Nothing unusual")).to_be_visible()
    expect(page.get_by_text("nothing comes in")).to_be_visible()
    warm = page.evaluate(
        """() => {
          const warm = (colour) => {
            const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
            return a > 0 && r > 150 && r - b > 80;
          };
          return [...document.querySelectorAll('body *')].filter((element) => {
            const style = getComputedStyle(element);
            return warm(style.color) || warm(style.backgroundColor) || warm(style.borderTopColor);
          }).map((element) => element.className);
        }"""
    )
    assert warm == []


def test_a_tracker_is_added_from_the_page_and_a_wrong_query_is_shown_in_place(
    stage: Any, visit: Callable[..., Any]
) -> None:
    page = visit(stage.address).page
    page.get_by_role("link", name="New tracker").first.click()
    page.get_by_label("Query").fill("nike AND (boycott OR")
    expect(page.get_by_text("does not parse at column 21")).to_be_visible()
    caret = page.locator(".query-fault pre").inner_text().split("\n")[1]
    assert caret.index("^") == 20
    expect(page.locator(".query-marks .query-fault")).to_have_text("\u00a0")
    page.get_by_label("Query").fill("nike AND (boycott OR scandal)")
    page.get_by_role("textbox", name="Name").fill("Nike")
    page.get_by_role("button", name="Add tracker").click()
    expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()
    row = page.locator(".tracker")
    expect(row).to_contain_text("Nike")
    expect(row).to_contain_text("waiting")


def test_windows_and_alerts_arrive_while_the_page_is_open(stage: Any, visit: Callable[..., Any]) -> None:
    tracker = stage.track("side effects", '"side effects"')
    stage.close_windows(tracker, [20, 22, None, 18, 21])
    page = visit(stage.address).page
    expect(page.locator(".tracker")).to_contain_text("1.05×")
    expect(page.locator(".tracker")).to_contain_text("usual")
    expect(page.locator(".tracker .hatch-line")).to_have_count(1)

    stage.newest += 300_000_000
    stage.close_windows(tracker, [20, 22, None, 18, 21, 126], unusual=1, tell=True)
    stage.raise_alert(tracker)
    expect(page.locator(".tracker")).to_contain_text("6.3×")
    expect(page.locator(".tracker")).to_contain_text("1 in 140 days")
    expect(page.locator(".alert")).to_contain_text("6.3× expected, still growing")
    expect(page.get_by_text("1 open", exact=True)).to_be_visible()
    expect(page.locator("[aria-live=polite]")).to_contain_text("New alert: “side effects” is mentioned")


def test_a_tracker_that_is_added_elsewhere_appears(stage: Any, visit: Callable[..., Any]) -> None:
    page = visit(stage.address).page
    expect(page.get_by_text("Nothing is watched yet")).to_be_visible()
    stage.track("pfizer", "pfizer")
    expect(page.locator(".tracker")).to_contain_text("pfizer")


def test_the_page_says_that_the_server_is_gone_and_catches_up_when_it_is_back(
    stage: Any, visit: Callable[..., Any], until: Callable[..., None]
) -> None:
    tracker = stage.track("pfizer", "pfizer")
    stage.close_windows(tracker, [20, 20])
    page = visit(stage.address).page
    expect(page.locator(".tracker")).to_contain_text("1.00×")
    stage.stop()
    expect(page.get_by_text("Server gone,")).to_be_visible()
    expect(page.get_by_text("trying again")).to_be_visible()
    expect(page.locator(".tracker")).to_contain_text("1.00×")  # what was known stays

    stage.newest += 300_000_000
    stage.close_windows(tracker, [20, 20, 40], tell=True)
    stage.start()
    until(stage.ready, seconds=60, what="the server's answer")
    page.get_by_role("button", name="Try now").or_(page.get_by_text("The server is back.")).first.click()
    expect(page.get_by_text("The server is back.")).to_be_visible()
    expect(page.locator(".tracker")).to_contain_text("2.0×")
    expect(page.get_by_text("The server is back.")).to_have_count(0)


def test_the_keyboard_reaches_everything(stage: Any, visit: Callable[..., Any]) -> None:
    for name in ("alpha", "beta"):
        stage.close_windows(stage.track(name, name), [20, 20])
    page = visit(stage.address).page
    expect(page.locator(".tracker")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="beta")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="alpha", level=1)).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_role("columnheader", name="expected")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Explore", level=1)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("beta")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="beta", level=1)).to_be_visible()


def test_the_chosen_theme_is_remembered(stage: Any, visit: Callable[..., Any]) -> None:
    page = visit(stage.address).page
    page.get_by_role("button", name="Dark theme").click()
    dark = "rgb(15, 17, 20)"
    expect(page.locator("body")).to_have_css("background-color", dark)
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", dark)
