"""The day's work is done once for a date, taken up where it was stopped, and a step that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from groundswell.desk import Desk, runs
from groundswell.desk.clock import wall_us
from groundswell.errors import UnavailableError
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
    assert [row["key"] for row in done["trends"]["trends"]["hashtag"]] == ["sale"]
    assert heard == sorted(heard)
    assert heard[-1] <= 1
    with desk.reading() as session:
        row = runs.latest(session, "daily", "2026-11-19")
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
