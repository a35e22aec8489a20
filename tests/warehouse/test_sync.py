"""The warehouse on a real PostgreSQL: incremental, idempotent, taken up after a kill, made anew without a gap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from tests.services.servers import Postgres

from groundswell.desk import Desk, alerts, trackers
from groundswell.errors import ConflictError, UnavailableError, UsageError
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.warehouse import observations, sync

pytestmark = pytest.mark.service

MakePosts = Callable[[list[dict[str, Any]]], pa.Table]
Ask = Callable[[str], list[tuple[Any, ...]]]

START = datetime(2026, 11, 1, tzinfo=UTC)
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "warehouse.md"


def some_posts(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Posts about shoes, three hours apart; every fifth without an id, every third by Ann."""
    return [
        {
            "platform": "tiktok",
            "post_id": f"p{n}" if n % 5 else None,
            "author_id": f"u{n % 3}",
            "author_name": ("ann", "bob", "cat")[n % 3],
            "created_at": START + timedelta(hours=3 * n),
            "observed_at": START + timedelta(hours=3 * n + 1),
            "text": f"post {n} #shoes",
            "hashtags": ["shoes", f"day{n % 4}"],
            "challenges": [{"id": str(n % 2), "name": f"challenge {n % 2}"}],
            "music_id": f"m{n % 4}",
            "music_title": f"song {n % 4}",
            "music_author": f"band {n % 2}",
            "views": 100 * n + 100,
            "likes": 10 * n,
            "followers": 1_000 * (n % 3 + 1),
            **more,
        }
        for n in range(first, first + count)
    ]


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(postgres.new_database())


@pytest.fixture
def ask(url: str) -> Iterator[Ask]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set search_path = groundswell")
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake.open(settings)


@pytest.fixture
def fill(lake: Lake, make_posts: MakePosts) -> Callable[[list[dict[str, Any]]], None]:
    """Append posts, which get their numbers there."""

    def append(rows: list[dict[str, Any]]) -> None:
        lake.append("posts", make_posts(rows).drop_columns("ingest_seq"))

    return append


def everything(ask: Ask) -> dict[str, list[tuple[Any, ...]]]:
    names = [row[0] for row in ask("select tablename from pg_tables where schemaname = 'groundswell'")]
    return {
        name: ask(f"select * from {name} order by 1, 2, 3")  # noqa: S608 - our own names
        for name in sorted(names)
        if name != "sync"
    }


def test_what_is_new_comes_and_what_was_there_stays(
    lake: Lake, desk: Desk, url: str, ask: Ask, fill: Callable[..., None]
) -> None:
    fill(some_posts(20))
    first = sync(lake, desk, url)
    assert first.rows["posts"] == first.read["posts"] == 20
    assert ask("select count(*), count(distinct post) from posts where post like 'content:%'") == [(4, 4)]
    assert ask("select creator, author_name, followers from creators order by 1") == [
        ("u0", "ann", 1000),
        ("u1", "bob", 2000),
        ("u2", "cat", 3000),
    ]
    assert {name: first.rows[name] for name in ("hashtags", "sounds", "musicians", "challenges", "post_hashtags")} == {
        **{"hashtags": 5, "sounds": 4, "musicians": 2, "challenges": 2, "post_hashtags": 40}
    }
    before = everything(ask)
    again = sync(lake, desk, url)
    assert (again.read["posts"], everything(ask)) == (0, before)
    # The same post once more, with other counters and a hashtag less; an older observation changes nothing.
    seen = START + timedelta(days=30)
    fill(some_posts(1, 1, views=9_999, observed_at=seen, hashtags=["shoes"]))
    fill(some_posts(1, 2, views=1, observed_at=START - timedelta(days=1)))
    assert sync(lake, desk, url).read["posts"] == 2
    assert ask("select post, views from posts where post in ('p1', 'p2') order by 1") == [("p1", 9_999), ("p2", 300)]
    assert ask("select hashtag from post_hashtags where post = 'p1'") == [("shoes",)]
    assert ask("select sum(posts) from baselines") == [(20,)]


def test_a_sync_that_was_killed_goes_on_where_it_was(
    lake: Lake, desk: Desk, url: str, ask: Ask, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "STEP", 5)
    fill(some_posts(23))

    def die(table: str, rows: int) -> None:
        if rows >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(lake, desk, url, tell=die)
    assert ask("select count(*) from posts") == [(10,)]
    done = sync(lake, desk, url)
    assert (done.read["posts"], done.rows["posts"], done.reason) == (13, 23, None)


def test_made_anew_it_is_the_same_and_readers_see_the_old_until_then(
    lake: Lake, desk: Desk, url: str, ask: Ask, fill: Callable[..., None]
) -> None:
    fill(some_posts(30))
    sync(lake, desk, url)
    before = everything(ask)
    seen: list[int] = []

    def look(_table: str, _rows: int) -> None:
        seen.append(ask("select count(*) from posts")[0][0])

    done = sync(lake, desk, url, full=True, tell=look)
    assert done.full
    assert set(seen) == {30}
    assert everything(ask) == before
    assert ask("select count(*) from hashtag_days") != [(0,)]


def test_rows_that_were_exchanged_in_the_lake_are_made_anew(
    lake: Lake, desk: Desk, url: str, ask: Ask, fill: Callable[..., None], make_posts: MakePosts
) -> None:
    from groundswell.lake.rewriting import replace

    fill(some_posts(3, 1))
    sync(lake, desk, url)
    changed = make_posts(some_posts(3, 1, lang="fr"))
    replace(lake, "posts", changed, metadata={"remap": "3"})
    done = sync(lake, desk, url)
    assert done.full
    assert "remap" in (done.reason or "")
    assert ask("select distinct lang from posts") == [("fr",)]


def test_alerts_come_with_their_trackers_and_what_people_said(lake: Lake, desk: Desk, url: str, ask: Ask) -> None:
    from tests.desk.test_alert_life import NOW, alert

    from groundswell.desk import alert_life

    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0, now_us=NOW).id
        alerts.write(session, [alert("abcd1", tracker)])
    sync(lake, desk, url)
    assert ask("select tracker, verdict from alert_overview") == [("Shoes", None)]
    with desk.session() as session:
        alert_life.judge(session, "abcd1", "real", now_us=NOW)
    sync(lake, desk, url)
    assert ask("select alert, verdict from alert_overview") == [("abcd1", "real")]


def test_one_sync_at_a_time_and_errors_say_what_to_do(
    lake: Lake, desk: Desk, url: str, fill: Callable[..., None]
) -> None:
    fill(some_posts(2))
    with psycopg.connect(url) as other:
        other.execute("select pg_advisory_lock(7305121905)")
        with pytest.raises(ConflictError, match="another sync"):
            sync(lake, desk, url)
    with pytest.raises(UsageError, match="PostgreSQL"):
        sync(lake, desk, "mongodb://127.0.0.1/x")
    with pytest.raises(UnavailableError):
        sync(lake, desk, "postgresql://x@127.0.0.1:9/x")


def questions() -> list[tuple[str, str]]:
    """The worked questions of the guide: heading and statement."""
    text = GUIDE.read_text("utf-8")
    return re.findall(r"^### (\d+\. [^\n]+)\n(?:(?!^### ).)*?```sql\n(.*?)```", text, re.M | re.S)


def test_the_ten_questions_of_the_guide_are_answered(
    lake: Lake, desk: Desk, url: str, ask: Ask, fill: Callable[..., None]
) -> None:
    from tests.desk.test_alert_life import NOW, alert

    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0, now_us=NOW).id
        alerts.write(session, [alert("abcd1", tracker)])
    fill(some_posts(240))
    sync(lake, desk, url)
    asked = questions()
    assert len(asked) == 10
    for heading, statement in asked:
        assert ask(statement), heading
