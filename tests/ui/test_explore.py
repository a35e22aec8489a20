"""The "latest" search in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.service]

TEXTS = [
    ("1", "ada", "side effects of dose two", 10, "2026-11-20T10:00:00Z"),
    ("2", "bob", "no side, no effects", 900, "2026-11-20T11:00:00Z"),
    ("3", "cleo", "My SIDE EFFECTS are gone #vaccine", 300, "2026-11-20T12:00:00Z"),
]


@pytest.fixture
def library(make_stage: Callable[..., Any], until: Callable[..., None]) -> Any:
    """A server on a home with three imported posts."""
    stage = make_stage(start=False)
    path = stage.home.parent / "posts.ndjson"
    names = ("id", "author", "text", "likes", "created_at")
    path.write_text("\n".join(json.dumps(dict(zip(names, post, strict=True))) for post in TEXTS))
    stage.run("import", str(path))
    stage.start()
    until(stage.ready, seconds=60, what="the server's answer")
    return stage


def test_a_search_finds_shows_and_can_be_sent_as_a_link(library: Any, visit: Callable[..., Any]) -> None:
    page = visit(f"{library.address}/posts").page
    posts = page.get_by_role("list", name="Posts").get_by_role("button")
    expect(posts).to_have_count(3)
    page.get_by_label("Query").fill('"side effects"')
    page.keyboard.press("Enter")
    expect(posts).to_have_count(2)
    expect(posts.first).to_contain_text("@cleo")  # the latest first
    page.get_by_label("sort by").select_option("likes")
    expect(page).to_have_url(f"{library.address}/posts?q=%22side+effects%22&sort=likes")
    page.get_by_label("since").fill("2026-11-21")
    expect(page.get_by_text("No post matches")).to_be_visible()
    page.go_back()
    expect(posts).to_have_count(2)
    page.reload()
    expect(posts).to_have_count(2)
    expect(page.get_by_label("Query")).to_have_value('"side effects"')


def test_a_post_opens_by_keyboard(library: Any, visit: Callable[..., Any]) -> None:
    page = visit(f"{library.address}/posts").page
    expect(page.get_by_text("@cleo")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_text("#vaccine", exact=True)).to_be_visible()
    expect(page.get_by_text("generic.table")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Query")).to_be_focused()


def test_a_wrong_query_is_shown_where_it_is_wrong(library: Any, visit: Callable[..., Any]) -> None:
    page = visit(f"{library.address}/posts").page
    page.get_by_label("Query").fill("side AND (effects")
    page.get_by_role("button", name="Search").click()
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("does not parse at column 18: expected")
    assert fault.locator("pre").inner_text().split("\n")[1].index("^") == 17
    page.get_by_label("Query").fill("side AND (effects)")
    page.keyboard.press("Enter")
    expect(fault).to_have_count(0)
    expect(page.get_by_role("list", name="Posts").get_by_role("button")).to_have_count(3)


def test_an_empty_home_says_how_posts_get_in(stage: Any, visit: Callable[..., Any]) -> None:
    page = visit(f"{stage.address}/posts").page
    expect(page.get_by_text("There are no posts yet")).to_be_visible()
    expect(page.get_by_text("groundswell import FILE")).to_be_visible()
