"""Data in a real browser: what came in, gaps, uploads with their mapping, what was set aside, drift."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from groundswell.desk import leases

pytestmark = [pytest.mark.browser, pytest.mark.service]

SURVEY = (
    "no,body,when,n_likes,mood\n"
    "1,hello world,2026-11-01 10:00,lots,happy\n"
    "2,second one,2026-11-02 11:00,7,\n"
    "3,third,soon,9,sad\n"
)
RECORDS = b"".join(
    json.dumps({"id": f"7{n}", "text": f"number {n}", "created_at": "2026-11-20T08:11:04Z"}).encode() + b"\n"
    for n in range(30)
)


@pytest.fixture
def page(stage: Any, visit: Callable[..., Any]) -> Page:
    """The page Data of an empty home."""
    page: Page = visit(f"{stage.address}/data").page
    return page


def give(page: Page, *files: tuple[str, bytes]) -> None:
    page.set_input_files("#files", [FilePayload(name=name, mimeType="", buffer=content) for name, content in files])


def test_a_fresh_home_says_how_something_comes_in(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Data")
    expect(page.get_by_text("Nothing has come in yet")).to_be_visible()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    expect(page.get_by_text("groundswell import FILE")).to_be_visible()


def test_a_table_is_uploaded_mapped_imported_and_its_posts_are_found(page: Page, stage: Any) -> None:
    give(page, ("survey.csv", SURVEY.encode()))

    expect(page.get_by_text("A table (comma)")).to_contain_text("read as generic.table")
    columns = page.get_by_role("list", name="Columns").get_by_role("listitem")
    expect(columns).to_have_count(5)
    body = columns.filter(has_text="hello world")
    expect(body.get_by_role("combobox")).to_have_value("text")
    expect(columns.filter(has_text="happy")).to_contain_text("67 %")

    page.get_by_label("Field of when").select_option("created_at")
    expect(page.get_by_text("1 of 3 records looked at would be set aside")).to_contain_text(
        "when is not a plausible time"
    )
    expect(columns.filter(has_text="lots")).to_contain_text("1 cannot be read as likes")
    page.get_by_label("Field of n_likes").select_option("views")
    expect(columns.filter(has_text="lots")).to_contain_text("1 cannot be read as views")
    page.get_by_label("Field of mood").select_option("author_name")
    expect(page.get_by_label("Field of mood")).to_have_value("author_name")
    page.get_by_label("platform, if no column says it").fill("forum")
    page.get_by_label("platform, if no column says it").press("Enter")

    page.get_by_role("button", name="Import", exact=True).click()
    row = page.locator(".import").filter(has_text="survey.csv")
    expect(row.get_by_title("3 read")).to_be_visible()
    expect(row.get_by_title("2 stored")).to_be_visible()
    expect(row.get_by_title("1 set aside")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 posts from 1 file; 33 % could not be read")

    row.get_by_role("button", name="survey.csv", exact=True).click()
    expect(page.get_by_role("cell", name="generic.table")).to_be_visible()
    page.get_by_role("link", name="The posts of this upload").click()
    posts = page.get_by_role("list", name="Posts").get_by_role("listitem")
    expect(posts).to_have_count(2)
    expect(posts.first).to_contain_text("second one")
    expect(posts.last).to_contain_text("@happy")


def test_a_mapping_is_kept_and_the_next_table_is_read_by_it(page: Page) -> None:
    give(page, ("survey.csv", SURVEY.encode()))
    page.get_by_label("Field of n_likes").select_option("views")
    page.get_by_label("Name of the mapping").fill("Agency Export")
    expect(page.get_by_label("Name of the mapping")).to_have_value("agency-export")
    page.get_by_role("button", name="Save mapping").click()
    expect(page.get_by_text("Saved as saved.agency-export")).to_be_visible()

    give(page, ("next.csv", SURVEY.encode()))

    row = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="next.csv", exact=True))
    expect(row.locator(".preview")).to_contain_text("read as saved.agency-export")


def test_several_files_are_dropped_on_the_page_and_imported_together(page: Page) -> None:
    expect(page.get_by_text("Nothing has come in yet")).to_be_visible()
    data = page.evaluate_handle(
        """([records, table]) => {
          const data = new DataTransfer();
          data.items.add(new File([records], 'posts.ndjson'));
          data.items.add(new File([table], 'survey.csv'));
          return data;
        }""",
        [RECORDS.decode(), SURVEY],
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Let go to import")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(page.get_by_text("Let go to import")).to_have_count(0)

    page.get_by_role("button", name="Import all 2").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("33 posts from 2 files")
    expect(page.locator(".import").filter(has_text="posts.ndjson").get_by_title("30 stored")).to_be_visible()


def test_a_file_that_nothing_reads_says_why_and_can_be_tried_in_another_way(page: Page) -> None:
    give(page, ("when.csv", b"a,b\n1,2\n3,4\n"))
    expect(page.locator(".preview")).to_contain_text("no layout reads it")

    page.get_by_label("Field of b").select_option("text")
    page.get_by_role("button", name="Import", exact=True).click()

    expect(page.locator(".import").filter(has_text="when.csv").get_by_title("2 stored")).to_be_visible()


def test_an_empty_file_is_not_sent(page: Page, stage: Any) -> None:
    expect(page.get_by_text("Nothing has come in yet")).to_be_visible()
    give(page, ("empty.csv", b""))

    row = page.locator(".import").filter(has_text="empty.csv")
    expect(row).to_contain_text("It is empty")
    row.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Nothing has come in yet")).to_be_visible()


def test_an_import_survives_a_reload_and_is_given_up(page: Page, stage: Any) -> None:
    give(page, ("posts.ndjson", RECORDS))
    with leases.hold(stage.desk, "lake"):
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text("waiting for process")).to_be_visible()
        page.reload()
        expect(page.get_by_text("waiting for process")).to_be_visible()
        page.get_by_role("button", name="Cancel posts.ndjson").click()
        expect(page.locator(".import").filter(has_text="posts.ndjson")).to_contain_text("given up")
    page.get_by_role("button", name="Remove posts.ndjson").click()
    expect(page.get_by_text("Nothing has come in yet")).to_be_visible()


def test_an_import_that_its_server_did_not_outlive_is_resumed(
    page: Page, stage: Any, until: Callable[..., None]
) -> None:
    give(page, ("posts.ndjson", RECORDS))
    with leases.hold(stage.desk, "lake"):
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text("waiting for process")).to_be_visible()
        stage.stop()
    stage.start()
    until(stage.ready, seconds=60, what="the server's answer")
    row = page.locator(".import").filter(has_text="posts.ndjson")
    expect(row).to_contain_text("interrupted")

    row.get_by_role("button", name="Resume").click()

    expect(row.get_by_title("30 stored")).to_be_visible()


def test_what_came_in_is_drawn_with_its_gap(stage: Any, visit: Callable[..., Any]) -> None:
    stage.fill()
    page = visit(f"{stage.address}/data").page

    expect(page.get_by_role("heading", level=1)).to_contain_text("posts from 1 stream and 1 file; 0.1 % could not")
    row = page.locator(".source").filter(has_text="push")
    expect(row).to_contain_text("0.6 %".replace("0.6", "2"))
    total = page.get_by_role("img", name=re.compile("^All sources"))
    expect(total.locator("rect[fill^=url]")).to_have_count(1)
    expect(row.locator("rect[fill^=url]")).to_have_count(1)
    expect(row.locator(".bar-stored")).to_have_count(5)
    expect(row.locator(".bar-known")).to_have_count(5)
    hole, bars = row.locator("rect[fill^=url]").bounding_box(), row.locator(".bar-stored").all()
    middle = hole["x"] + hole["width"] / 2
    assert not [bar for bar in bars if abs(bar.bounding_box()["x"] - middle) < hole["width"] / 2]

    box = total.bounding_box()
    page.mouse.move(hole["x"] + hole["width"] / 2, box["y"] + 60)
    expect(page.locator(".inflow-readout")).to_contain_text("push not connected")
    page.keyboard.press("t")
    table = page.get_by_role("region", name="What came in, as a table")
    expect(table.get_by_role("row").filter(has_text="gap")).to_have_count(1)
    page.get_by_role("button", name="24 hours").click()
    expect(page.get_by_text("records per quarter hour")).to_be_visible()


def test_what_was_set_aside_is_shown_by_reason_and_read_again(stage: Any, visit: Callable[..., Any]) -> None:
    file = stage.home.parent / "dirty.ndjson"
    file.write_bytes(RECORDS + b'{oops <img src=x onerror="alert(1)">\n[1, 2]\n')
    stage.run("import", str(file))
    page = visit(f"{stage.address}/data").page

    reasons = page.get_by_role("list", name="Reasons")
    expect(reasons.get_by_role("button")).to_have_count(2)
    reasons.get_by_role("button", name=re.compile("not JSON")).click()
    page.locator(".held button").first.click()
    expect(page.get_by_label("Raw record")).to_have_text('{oops <img src=x onerror="alert(1)">')
    assert page.locator(".raw img").count() == 0

    page.get_by_role("button", name="Try again", exact=True).click()
    expect(page.get_by_text("2 read again: 2 still held.")).to_be_visible()


def test_an_empty_quarantine_and_no_drift_are_said_calmly(
    stage: Any, visit: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "clean.ndjson"
    file.write_bytes(RECORDS)
    stage.run("import", str(file))
    page = visit(f"{stage.address}/data").page

    expect(page.get_by_text("all of it could be read")).to_be_visible()
    expect(page.get_by_text("Nothing is set aside")).to_be_visible()
    expect(page.get_by_text("No layout has drifted")).to_be_visible()
    expect(page.locator(".card-caution")).to_have_count(0)


def test_a_drift_says_what_fell_and_what_stands_there_instead(stage: Any, visit: Callable[..., Any]) -> None:
    stage.fill()
    page = visit(f"{stage.address}/data").page

    card = page.get_by_role("region", name="The format has drifted")
    expect(card).to_contain_text("shares was filled in 99.8 % of the records and is now in 0.3 %")
    expect(card).to_contain_text("itemInfos.shareTotal appeared at the same time, in 99.7 %")
    expect(card.get_by_role("cell", name="412")).to_be_visible()


def test_the_fields_are_profiled_when_somebody_asks(stage: Any, visit: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "clean.ndjson"
    file.write_bytes(RECORDS)
    stage.run("import", str(file))
    page = visit(f"{stage.address}/data").page

    page.get_by_role("button", name="Profile the posts").click()

    fields = page.get_by_role("list", name="Fields").get_by_role("listitem")
    expect(fields.filter(has_text="created_at")).to_contain_text("100 %")
    expect(page.get_by_text("Never filled")).to_contain_text("views")


def test_the_page_is_reached_and_walked_by_keys(stage: Any, visit: Callable[..., Any]) -> None:
    stage.fill()
    page = visit(stage.address).page
    expect(page.get_by_role("heading", level=1)).to_have_text("Live")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page).to_have_url(f"{stage.address}/data")
    expect(page.get_by_role("link", name="Data")).to_have_attribute("aria-current", "page")
    expect(page.locator(".source").filter(has_text="push")).to_be_visible()

    page.keyboard.press("j")
    expect(page.get_by_role("button", name="push", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("connected since")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="Files", exact=True)).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="push", exact=True)).to_be_focused()


def test_what_cannot_be_loaded_is_said_and_tried_again(stage: Any, visit: Callable[..., Any]) -> None:
    stage.fill()
    page = visit("about:blank").page
    page.route("**/api/v1/inflow*", lambda route: route.fulfill(status=503, json={"detail": "the lake is away"}))
    page.goto(f"{stage.address}/data")
    expect(page.get_by_role("alert")).to_contain_text("the lake is away")

    page.unroute("**/api/v1/inflow*")
    page.get_by_role("alert").get_by_role("button", name="Try again").click()

    expect(page.locator(".source").filter(has_text="push")).to_be_visible()


def test_a_lake_that_is_behind_is_said(stage: Any, visit: Callable[..., Any]) -> None:
    from groundswell.bus import Journal
    from groundswell.desk.clock import wall_us
    from groundswell.settings import load_settings

    with Journal(load_settings(home=stage.home).journal_path) as journal:
        journal.append("push", [b'{"id": "1"}'] * 70, received_us=wall_us() - 600_000_000)
    page = visit(f"{stage.address}/data").page

    expect(page.get_by_role("status").filter(has_text="Late by")).to_contain_text(
        "70 records of push wait for the lake"
    )
