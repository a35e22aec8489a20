"""What holds for every page: accessible, no sideways scroll, light to load, and nothing asked of another host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import CDPSession, Page, expect

from groundswell.channels import manage

pytestmark = [pytest.mark.browser, pytest.mark.service]

BUDGET = 300_000
POST: dict[str, Any] = {
    "platform": "youtube",
    "post_id": "v1",
    "url": None,
    "author": None,
    "followers": None,
    "created_at": None,
    "text": "side effects " * 30 + "https://example.org/a-very-long-address-that-does-not-break-" + "x" * 120,
    "likes": None,
    "views": 96_000,
    "copies": 1,
    "share": 0.4,
    "origin": None,
}


@pytest.fixture
def addresses(stage: Any) -> dict[str, str]:
    """Every page of a home that has something to show."""
    long = "nike AND (boycott OR scandal OR " + "supercalifragilisticexpialidocious" * 2 + ")"
    other = stage.track(long, long)
    stage.close_windows(other, [20] * 100)
    tracker = stage.track("side effects", '"side effects"')
    stage.close_windows(tracker, [20] * 90 + [None] * 5 + [22] * 40 + [126], unusual=1)
    alert = stage.raise_alert(tracker, posts=[POST])
    topic = stage.raise_topic("#" + "novaleak" * 12)
    stage.raise_topic("battery recall", rank=2, trackers=[{"id": tracker, "share": 0.4}])
    hook = {"url": "https://hooks.example.org/" + "x" * 80}
    with stage.desk.session() as session:
        manage.add_channel(session, manage.Wish(name="Brand team", kind="webhook", settings=hook))
        manage.add_channel(session, manage.Wish(name="Night desk", kind="slack", settings={"url_secret": "NOBODY"}))
    stage.fill()
    paths = {
        "live": "/",
        "data": "/data",
        "alert": f"/alerts/{alert}",
        "tracker": f"/trackers/{tracker}",
        "editor": "/trackers/new",
        "change": f"/trackers/{tracker}/edit",
        "topics": "/topics",
        "topic": f"/topics/{topic}",
        "channels": "/channels",
        "explore": "/posts",
    }
    return {name: stage.address + path for name, path in {**paths, "design": "/design"}.items()}


def settled(page: Page) -> None:
    """Wait until the page shows what it has."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main .loading-row").filter(visible=True)).to_have_count(0 if "/design" not in page.url else 3)
    if any(part in page.url for part in ("/alerts/", "/topics/", "/design")):
        expect(page.locator(".chart svg").first).to_be_visible()
    page.evaluate("document.fonts.ready")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(
    theme: str,
    addresses: dict[str, str],
    visit: Callable[..., Any],
    violations: Callable[[Page], list[str]],
) -> None:
    page = visit(addresses["live"], theme=theme).page
    found = []
    for name, address in addresses.items():
        page.goto(address)
        settled(page)
        found += [f"{name}: {each}" for each in violations(page)]
        if name == "data":
            for row in page.locator("[data-row]").all():
                row.click()
            found += [f"{name} opened: {each}" for each in violations(page)]
            page.keyboard.press("t")
            expect(page.get_by_role("region", name="What came in, as a table")).to_be_visible()
            found += [f"{name} as a table: {each}" for each in violations(page)]
            page.keyboard.press("t")
        if name == "channels":
            page.get_by_role("button", name="New channel").click()
            expect(page.get_by_role("dialog", name="New channel")).to_be_visible()
            found += [f"{name} form: {each}" for each in violations(page)]
            page.keyboard.press("Escape")
        if name == "editor":
            page.get_by_label("Query").fill("(nike OR")
            expect(page.locator(".query-fault pre")).to_be_visible()
            found += [f"{name} fault: {each}" for each in violations(page)]
        if name == "alert":
            page.keyboard.press("t")
            expect(page.get_by_role("columnheader", name="expected")).to_be_visible()
            found += [f"{name} as a table: {each}" for each in violations(page)]
            page.keyboard.press("t")
    for key, dialog in (("Control+k", "Commands"), ("?", "Keys")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
        found += [f"{dialog}: {each}" for each in violations(page)]
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    assert found == []


def test_nothing_scrolls_sideways_on_a_phone(addresses: dict[str, str], visit: Callable[..., Any]) -> None:
    page = visit(addresses["live"], width=390, height=844).page
    wide = {}
    for name, address in addresses.items():
        page.goto(address)
        settled(page)
        wide[name] = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        navigation = page.get_by_role("navigation", name="Pages").bounding_box()
        assert navigation is not None
        assert navigation["y"] > 760, "the navigation is a bar at the bottom"
    assert wide == dict.fromkeys(addresses, 0)


def test_every_page_loads_in_less_than_300_kb(addresses: dict[str, str], visit: Callable[..., Any]) -> None:
    weights = {}
    for name, address in addresses.items():
        page = visit("about:blank").page
        line = page.context.new_cdp_session(page)
        received = _count(line)
        page.goto(address)
        settled(page)
        weights[name] = sum(received)
    assert {name: weight for name, weight in weights.items() if not 20_000 < weight < BUDGET} == {}


def _count(line: CDPSession) -> list[int]:
    """Bytes of each answer as they came over the wire, headers included."""
    received: list[int] = []
    line.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    line.send("Network.enable")
    return received


def test_no_page_asks_another_host_or_complains(addresses: dict[str, str], visit: Callable[..., Any]) -> None:
    for address in addresses.values():
        seen = visit(address)
        settled(seen.page)
        hosts = {urlsplit(url).netloc for url in seen.requests if not url.startswith(("data:", "blob:"))}
        assert hosts == {urlsplit(address).netloc}
        assert seen.complaints == []
