"""The day's work is done once for a date, taken up where it was stopped, and a step that fails stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.services.servers import Postgres

from groundswell.desk import Desk, day_marts, runs
from groundswell.desk.clock import wall_us
from groundswell.errors import UnavailableError, UnknownChoiceError
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.watch import daily as module
from groundswell.watch.daily import Day, Step, daily, is_done

DAY = date(2026, 11, 19)


@pytest.fixture
def lake(settings: Settings, make_posts: Callable[..., pa.Table]) -> Lake:
    lake = Lake.open(settings)
    rows = [
        {
            "post_id": str(n),
            "author_name": f"a{n}",
            "created_at": datetime(2026, 11, 1 + n % 19, 10, n % 60, tzinfo=UTC),
            "text": "arm #sale",
            "hashtags": ["sale"],
        }
        for n in range(300)
    ]
    for start in range(0, 300, 100):
        lake.append("posts", make_posts(rows[start : start + 100]))
    return lake


def steps_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["name"]: step["done"] for step in document["steps"]}


@pytest.mark.usefixtures("lake")
def test_every_step_says_what_it_did_and_the_desk_remembers(settings: Settings, desk: Desk) -> None:
    heard: list[float] = []
    document = daily(settings, DAY, progress=lambda _doing, done: heard.append(done))
    done = steps_of(document)
    assert (document["date"], document["state"]) == ("2026-11-19", "done")
    assert list(done) == [step.name for step in module.STEPS]
    assert done["upkeep"]["files_before"] == 3
    assert done["baselines"] == {"months_counted": 1, "months_removed": 0}
    assert done["summary"] == {"posts": 15, "authors": 15, "observations": 15, "platforms": 1}
    assert done["trends"]["hashtags"] == 1
    assert "skipped" in done["import"]
    assert heard == sorted(heard)
    assert heard[-1] <= 1
    with desk.reading() as session:
        row = runs.latest(session, "daily", "2026-11-19")
        marts = day_marts.of_date(session, DAY)
    assert [item["key"] for item in marts["trends.hashtag"].body["items"]] == ["sale"]
    assert marts["summary"].body["platforms"][0]["counters"]["views"] == {"sum": None, "median": None, "known": 0}
    assert row is not None
    assert row.summary is not None
    assert list(row.summary["steps"]) == list(done)
    assert is_done(desk, DAY)
    assert not is_done(desk, date(2026, 11, 18))


@pytest.mark.usefixtures("lake")
def test_done_again_for_a_date_nothing_is_done(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = daily(settings, DAY)
    calls: list[str] = []

    def told(day: Day) -> dict[str, Any]:
        calls.append(day.date.isoformat())
        return {}

    monkeypatch.setattr(module, "STEPS", tuple(Step(s.name, s.doing, told) for s in module.STEPS))
    assert daily(settings, DAY) == first
    assert calls == []
    assert daily(settings, DAY, again=True)["run"] != first["run"]
    assert calls == ["2026-11-19"] * len(module.STEPS)


def test_a_step_that_fails_is_said_and_tried_again_and_no_other_is(
    settings: Settings, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    broken = True

    def fails(_day: Day) -> dict[str, Any]:
        calls.append("fails")
        if broken:
            what = "the disk is full"
            raise UnavailableError(what)
        return {}

    def works(_day: Day) -> dict[str, Any]:
        calls.append("works")
        return {"n": 1}

    monkeypatch.setattr(module, "STEPS", (Step("a", "trying", fails), Step("b", "working", works)))
    document = daily(settings, DAY)
    assert document["state"] == "failed"
    assert [step["error"] for step in document["steps"]] == ["the disk is full", None]
    assert not is_done(desk, DAY)
    broken = False
    assert daily(settings, DAY)["state"] == "done"
    assert calls == ["fails", "works", "fails"]


def test_without_a_date_it_is_yesterday_and_an_empty_lake_is_no_error(settings: Settings) -> None:
    at = round(datetime(2026, 11, 20, 4, tzinfo=UTC).timestamp() * 1e6)
    document = daily(settings, now=lambda: at)
    assert (document["date"], document["state"]) == ("2026-11-19", "done")
    assert daily(settings, DAY, now=wall_us)["run"] == document["run"]


@pytest.mark.usefixtures("lake")
def test_a_step_is_done_by_itself_and_the_day_is_done_when_all_are(settings: Settings, desk: Desk) -> None:
    first = daily(settings, DAY, steps=["summary"])
    assert [step["name"] for step in first["steps"]] == ["summary"]
    assert first["state"] == "done"
    assert not is_done(desk, DAY)
    others = daily(settings, DAY, steps=[step.name for step in module.STEPS if step.name != "summary"])
    assert others["run"] == first["run"]
    assert is_done(desk, DAY)
    with pytest.raises(UnknownChoiceError, match="Valid: baselines"):
        daily(settings, DAY, steps=["sumary"])


@pytest.mark.usefixtures("lake")
def test_a_step_that_is_done_again_replaces_what_it_made(
    settings: Settings, desk: Desk, lake: Lake, make_posts: Callable[..., pa.Table]
) -> None:
    daily(settings, DAY, steps=["summary", "trends"])
    late = {"post_id": "late", "author_name": "z", "created_at": datetime(2026, 11, 19, 23, tzinfo=UTC), "views": 7}
    lake.append("posts", make_posts([late]))
    assert daily(settings, DAY, steps=["summary"])["steps"][0]["done"]["posts"] == 15
    assert daily(settings, DAY, steps=["summary"], again=True)["steps"][0]["done"]["posts"] == 16
    with desk.reading() as session:
        found = day_marts.of_date(session, DAY)
        assert day_marts.dates(session) == [DAY]
    assert len(found) == 6
    assert found["summary"].body["platforms"][0]["counters"]["views"] == {"sum": 7, "median": 7.0, "known": 1}


def test_the_inbox_of_a_date_is_imported_once_and_a_changed_file_again(
    tmp_path: Path, settings: Settings, desk: Desk
) -> None:
    folder = tmp_path / "raw" / DAY.isoformat()
    folder.mkdir(parents=True)
    (tmp_path / "raw" / "2026-11-18").mkdir()
    post = {"id": "1", "text": "shoe", "created_at": "2026-11-19T10:00:00Z", "user_name": "u"}
    (folder / "a.ndjson").write_text(json.dumps(post) + "\n")
    (tmp_path / "raw" / "2026-11-18" / "b.ndjson").write_text(json.dumps({**post, "id": "9"}) + "\n")
    settings = settings.model_copy(update={"inbox": f"{tmp_path}/raw/{{date}}/*.ndjson, {tmp_path}/none/{{date}}/"})

    def done(again: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = daily(settings, DAY, steps=["import"], again=again)["steps"][0]["done"]
        return found

    assert (done()["files_imported"], done(again=True)["files_imported"]) == (1, 0)
    (folder / "a.ndjson").write_text("".join(json.dumps({**post, "id": str(n)}) + "\n" for n in range(3)))
    third = done(again=True)
    assert (third["files_imported"], third["stored"], third["known"]) == (1, 2, 1)
    assert Lake.open(settings).count() == 3


def test_a_file_of_the_inbox_that_cannot_be_read_is_tried_again(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "broken.ndjson.gz").write_bytes(b"\x1f\x8b\x08 this is not gzip")
    settings = settings.model_copy(update={"inbox": str(tmp_path / "broken.ndjson.gz")})
    for _ in range(2):
        document = daily(settings, DAY, steps=["import"])
        assert document["state"] == "failed"
        assert "1 of 1 new files could not be read" in document["steps"][0]["error"]


@pytest.mark.service
def test_the_warehouse_is_brought_up_to_date_where_one_is_set(
    tmp_path: Path, settings: Settings, postgres: Postgres
) -> None:
    post = {"text": "shoe", "created_at": "2026-11-19T10:00:00Z", "user_name": "u"}
    (tmp_path / "a.ndjson").write_text("".join(json.dumps({**post, "id": str(n)}) + "\n" for n in range(3)))
    assert daily(settings, DAY, steps=["warehouse"])["steps"][0]["done"].keys() == {"skipped"}
    database = postgres.new_database()
    given = {"warehouse": postgres.url(database), "inbox": str(tmp_path / "a.ndjson")}
    settings = settings.model_copy(update=given)
    for _ in range(2):
        assert daily(settings, DAY, steps=["import", "warehouse"], again=True)["state"] == "done"
        with postgres.connect(database) as connection:
            assert connection.execute("select count(*) from groundswell.posts").fetchone() == (3,)
