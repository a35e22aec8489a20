"""From a simulated stream to a card, and from the lake the same card again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from groundswell.desk import Desk, alert_cases, alerts, open_desk
from groundswell.engines import Engine, open_engine
from groundswell.importing import Options
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.sources.files import find_files
from groundswell.watch.jobs import Replay, Watcher
from groundswell.watch.recompute import recompute
from groundswell.watch.trackers import add_tracker
from groundswell.web.models import Evidence

pytestmark = pytest.mark.slow

HOUR = 3600
FIRST = 1_767_225_600  # 2026-01-01


def records() -> Iterator[dict[str, Any]]:
    """Two quiet days; then a story that three accounts push with one text and many tell in their own words."""
    number = 0
    for minute in range(48 * 60):
        for n in range(2):
            number += 1
            yield post(number, minute * 60 + n * 20, f"my arm is fine {word(number)}", f"u{number % 61}")
    for n in range(150):
        number += 1
        text = (
            "the arm of dose two hurts https://news.example/a" if n % 3 else f"arm hurts {word(n)} {word(n * 7)} dose"
        )
        yield post(number, 48 * HOUR + n * 4, text, f"new{n % 40}" if n % 4 else "loud", created="2025-12-30")
    for minute in range(90):
        number += 1
        yield post(number, 48 * HOUR + 600 + minute * 60, f"my arm is fine {word(number)}", f"u{number % 61}")


def word(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(3))


def post(number: int, second: int, text: str, author: str, created: str | None = None) -> dict[str, Any]:
    return {
        "id": f"p{number}",
        "text": text,
        "author_name": author,
        "created_at": FIRST + second,
        "likes": number % 7,
        "followers": number % 900,
        "lang": "en" if number % 3 else None,
        "author_created_at": created,
    }


@dataclass
class Home:
    settings: Settings
    desk: Desk
    lake: Lake
    engine: Engine

    def again(self, alert_id: str) -> dict[str, Any]:
        with self.desk.reading() as session:
            row = alerts.get(session, alert_id)
            return recompute(row, alert_cases.get(session, alert_id), self.lake, self.engine)


@contextmanager
def running(_runner: Watcher, _total: int) -> Iterator[threading.Event]:
    yield threading.Event()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("recompute")
    settings = load_settings(home=folder / "home", threads=1)
    path = folder / "posts.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in records()), encoding="utf-8")
    with open_desk(settings) as desk:
        with desk.session() as session:
            add_tracker(session, "Arm", "arm hurts", 30.0)
            add_tracker(session, "Dose", "dose", 30.0)
            add_tracker(session, "Far", "arm", 30.0, options={"reach_followers": 890})
        Replay(settings, find_files([str(path)], settings.tmp_path), Options()).run(running)
        engine = open_engine(settings)
        yield Home(settings, desk, Lake.open(settings), engine)
        engine.close()


@pytest.fixture(scope="module")
def found(home: Home) -> dict[str, Any]:
    with home.desk.reading() as session:
        row = next(row for row in alerts.listed(session) if row.headline.startswith("“Dose”"))
        return {"id": row.id, "group": row.group_id, **row.evidence}


def test_the_card_says_who_pushed_and_what_remains(found: dict[str, Any]) -> None:
    card = Evidence.model_validate({name: value for name, value in found.items() if name not in ("id", "group")})
    assert card.authors[0].key == "loud"
    assert card.domains[0].key == "news.example"
    assert card.copies[0].posts == 100
    remains = {line.name: line for line in card.remains}
    days = [remains[name].return_days or 0.0 for name in ("all", "without_top_author", "copies_once", "both")]
    assert all(days)
    assert days[0] >= days[1] >= days[3]
    assert remains["copies_once"].observed < remains["all"].observed / 2
    assert remains["all"].holds
    assert card.newcomers is not None
    ages = {histogram.name: histogram for histogram in card.accounts}["account_age"]
    assert ages.bars[0].count == ages.known == card.authors_total
    assert [change.phase for change in card.course][:1] == ["growing"]
    assert card.course[-1].phase == "closed"
    assert card.season is not None


def test_the_same_card_comes_out_of_the_lake(home: Home, found: dict[str, Any]) -> None:
    with home.desk.reading() as session:
        ids = [row.id for row in alerts.listed(session)]
    assert len(ids) >= 2
    for alert_id in ids:
        again = home.again(alert_id)
        assert again["differences"] == []
        assert (again["state"], again["posts_found"]) == ("equal", again["posts_frozen"])
        assert again["frozen_lake_version"] is not None
        assert again["lake_version"] >= again["frozen_lake_version"]
        assert len(again["span"]) == 2
        Evidence.model_validate(again["evidence"])


def test_an_alert_that_waited_for_no_window_is_made_again_too(home: Home) -> None:
    with home.desk.reading() as session:
        [far, *_] = [row for row in alerts.listed(session) if row.signal == "reach"]
        card = Evidence.model_validate(far.evidence)
    assert (far.window_s, card.windows, card.season) == (0, [], None)
    assert all(post.followers is not None and post.followers > 890 for post in card.posts)
    assert home.again(far.id)["state"] == "equal"


def test_trackers_of_one_story_are_one_group(home: Home, found: dict[str, Any]) -> None:
    with home.desk.reading() as session:
        groups = {row.group_id for row in alerts.listed(session) if row.headline.startswith(("“Arm”", "“Dose”"))}
    assert groups == {found["group"]}
    assert found["group"] is not None


def test_posts_that_were_taken_out_are_named_and_others_change_nothing(home: Home, found: dict[str, Any]) -> None:
    table = DeltaTable(str(home.lake.path("posts")))
    shown = found["posts"][0]["post_id"]
    table.delete(f"post_id = '{shown}'")
    again = home.again(found["id"])
    assert again["state"] == "posts gone"
    assert again["posts_frozen"] - again["posts_found"] == 1
    assert [gone["post_id"] for gone in again["gone"]] == [shown]
    assert again["differences"]


def test_a_card_of_an_older_version_is_shown_but_not_made_again(home: Home, found: dict[str, Any]) -> None:
    with home.desk.reading() as session:
        row = alerts.get(session, found["id"])
        assert recompute(row, None, home.lake, home.engine)["state"] == "not possible"
        case = alert_cases.get(session, found["id"])
        assert case is not None
        case.data = b"something else"
        assert recompute(row, case, home.lake, home.engine)["state"] == "not possible"
        session.expunge(case)


def test_the_lake_may_not_have_it_yet(home: Home, found: dict[str, Any], tmp_path: Path) -> None:
    with home.desk.reading() as session:
        row, case = alerts.get(session, found["id"]), alert_cases.get(session, found["id"])
        assert case is not None
        session.expunge(case)
    case.lake_version = None
    assert recompute(row, case, Lake(tmp_path / "empty"), home.engine)["state"] == "not in the lake yet"
