"""A backtest says what the watch said: a stream is watched live into a home, then the same query is tested over it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.desk import alerts, open_desk
from groundswell.desk.tables import AlertRow
from groundswell.errors import QuerySyntaxError, UsageError
from groundswell.importing import Options
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.simulate import Event, EventKind, Scenario, write
from groundswell.sources.files import find_files
from groundswell.watch.backtest import PROMISES, Asked, backtest, run
from groundswell.watch.jobs import Replay, Watcher
from groundswell.watch.trackers import add_tracker
from groundswell.web.backtest_models import Backtest

HOUR = timedelta(hours=1)
QUERIES = {"Cola": '"aurora cola"', "Wear": "#novawear", "Pay": "kitepay -cola"}


@contextmanager
def running(_runner: Watcher, _total: int) -> Iterator[threading.Event]:
    yield threading.Event()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home into which three days with a burst, a build-up, a surge of everything and a gap were watched."""
    folder = tmp_path_factory.mktemp("watched")
    settings = load_settings(home=folder / "home", threads=2, windows="300,900,3600", window=300)
    scenario = Scenario(
        posts=36_000,
        days=3,
        seed=4,
        events=(
            Event(EventKind.CRISIS, 50 * HOUR, timedelta(minutes=40), 6, "aurora cola"),
            Event(EventKind.BUILDUP, 54 * HOUR, 3 * HOUR, 4, "kitepay"),
            Event(EventKind.SURGE, 60 * HOUR, timedelta(minutes=30), 3),
            Event(EventKind.GAP, 63 * HOUR, timedelta(minutes=50)),
            Event(EventKind.VIRAL, 66 * HOUR, HOUR, 6, "#novawear"),
        ),
        observed_after=timedelta(seconds=20),
    )
    path = folder / "stream.ndjson"
    write(scenario, path)
    with open_desk(settings) as desk, desk.session() as session:
        for name, query in QUERIES.items():
            add_tracker(session, name, query, 7.0)
    files = find_files([str(path)], settings.tmp_path)
    document = Replay(settings, files, Options()).run(running)
    assert document["state"] == "done"
    return settings


def said(alert: Any) -> tuple[Any, ...]:
    """What must agree: when it began, was opened and closed, in which windows, how strong."""
    return (
        alert.started_at,
        alert.opened_at,
        alert.closed_at,
        alert.window_s,
        alert.signal,
        alert.direction,
        alert.observed,
        round(alert.expected, 6),
        round(alert.return_days, 3),
        alert.posts,
        alert.headline.partition("\n")[0],
    )


def live_alerts(settings: Settings, name: str) -> list[AlertRow]:
    with open_desk(settings) as desk, desk.reading() as session:
        by_name = {row.id: row for row in alerts.listed(session, limit=1000)}
        return [row for row in by_name.values() if row.headline.startswith(f"“{name}”")]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_backtest_says_what_the_watch_said(home: Settings, name: str) -> None:
    live = live_alerts(home, name)
    tested = run(home, Asked(QUERIES[name], days=30, promise_days=7.0))
    found = tested.alerts
    assert live
    # The name of the tracker is the only thing that the test cannot know.
    assert sorted(said(one)[:-1] for one in found) == sorted(said(one)[:-1] for one in live)


@pytest.mark.slow
def test_the_events_are_found_and_a_strict_promise_gives_no_more_alerts(home: Settings) -> None:
    document = backtest(home, Asked('"aurora cola"', days=30, promise_days=30.0))
    Backtest.model_validate(document)
    crisis = datetime(2026, 1, 7, 2, tzinfo=UTC)
    (first,) = [a for a in document["alerts"] if abs(datetime.fromisoformat(a["started_at"]) - crisis) < HOUR]
    assert first["evidence"]["posts"]
    counts = [row["alerts"] for row in document["by_promise"]]
    assert [row["promise_days"] for row in document["by_promise"]] == list(PROMISES)
    assert counts == sorted(counts, reverse=True)
    assert len(document["candidates"]) == counts[0]
    assert sum(one["strictest"] >= 30 for one in document["candidates"]) >= len(document["alerts"])
    drawn = document["series"]
    assert len(drawn["start"]) == len(drawn["count"]) == len(drawn["expected"]) <= 2200
    assert document["posts"] <= document["stream_posts"]
    assert not list(home.tmp_path.glob("backtest-*"))


def test_a_lake_without_history_says_so(settings: Settings) -> None:
    document = backtest(settings, Asked("arm"))
    Backtest.model_validate(document)
    assert document["since"] is None
    assert "in the 146 days before" in document["notes"][0]


def test_a_query_that_does_not_parse_is_said_at_once(settings: Settings) -> None:
    with pytest.raises(QuerySyntaxError):
        backtest(settings, Asked("(arm"))


def test_counters_that_were_seen_later_do_not_count_and_that_is_said(
    settings: Settings, make_posts: Callable[..., pa.Table]
) -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    rows = [
        {
            "post_id": str(n),
            "created_at": begin + n * timedelta(minutes=7),
            "observed_at": begin + timedelta(days=20),
            "text": "arm",
            "likes": 500,
            "author_name": f"a{n % 9}",
        }
        for n in range(300)
    ]
    Lake.open(settings).append("posts", make_posts(rows))
    document = backtest(settings, Asked("arm likes:>100", days=1))
    assert document["posts"] == 0
    assert document["blind_posts"] == 299  # the last one lies in a window that is not over
    assert any("observed after their window" in note for note in document["notes"])
    with open_desk(settings) as desk, desk.session() as session:
        add_tracker(session, "Arm", "arm", 7.0, options={"count_by": "observed_at"})
    document = backtest(settings, Asked("arm", days=1))
    assert document["posts"] > 100
    assert any("“Arm” counts them when they were seen" in note for note in document["notes"])


def test_one_post_of_great_reach_is_an_alert_whatever_the_promise(
    settings: Settings, make_posts: Callable[..., pa.Table]
) -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    rows = [
        {
            "post_id": str(n),
            "created_at": begin + n * timedelta(minutes=7),
            "text": "arm" if n % 2 else "leg",
            "followers": 2_000_000 if n in {101, 103, 151, 200} else n,
            "author_name": f"a{n}",
        }
        for n in range(300)
    ]
    Lake.open(settings).append("posts", make_posts(rows))
    document = backtest(settings, Asked("arm", days=30, reach_followers=1_000_000))
    Backtest.model_validate(document)
    assert document["reach_alerts"] == 2  # the first two posts are one alert; the last does not match
    assert [one["headline"] for one in document["alerts"]] == [
        "“arm” is in a post by @a151 with 2,000,000 followers",
        "“arm” is in a post by @a101 with 2,000,000 followers and 1 more of great reach",
    ]
    assert all(one["closed_at"] and one["evidence"]["posts"] for one in document["alerts"])
    assert backtest(settings, Asked("arm", days=30))["reach_alerts"] is None
    with pytest.raises(UsageError, match="top share"):
        backtest(settings, Asked("arm", reach_share=0.9))


class _EnoughError(Exception):
    pass


def test_it_can_be_interrupted(settings: Settings, make_posts: Callable[..., pa.Table]) -> None:
    rows = [{"post_id": str(n), "created_at": datetime(2026, 10, n, tzinfo=UTC), "text": "arm"} for n in range(1, 9)]
    Lake.open(settings).append("posts", make_posts(rows))

    def stop(_doing: str, _done: float) -> None:
        raise _EnoughError

    with pytest.raises(_EnoughError):
        run(settings, Asked("arm"), stop)
    assert list(Path(settings.tmp_path).glob("backtest-*")) == []
