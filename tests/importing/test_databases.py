"""Databases imported into the lake, on real servers: all of it, then what is new, and nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest
from tests.services.servers import PASSWORD, Ferret, Postgres, start_ferretdb, start_postgres

from groundswell.desk import runs
from groundswell.importing import Options, import_paths
from groundswell.importing.part import Part
from groundswell.importing.progress import Silent
from groundswell.sources.databases import Question

COUNTS = ("read", "stored", "known", "rejected", "ignored")


def counts(document: dict[str, Any]) -> tuple[int, ...]:
    return tuple(document[name] for name in COUNTS)


def sqlite_posts(path: Path, rows: list[tuple[Any, ...]]) -> str:
    """Rows (id, text, created_at, likes, updated) in a table `posts`; its address."""
    connection = sqlite3.connect(path)
    connection.execute("create table if not exists posts (id, text, created_at, likes, updated)")
    connection.executemany("insert into posts values (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def post(number: int, updated: object = None) -> tuple[Any, ...]:
    return 2**53 + number, f"post {number} #tag", "2026-01-01T00:00:00Z", number, number if updated is None else updated


def test_a_table_becomes_posts_with_exact_ids(workshop: Any, tmp_path: Path) -> None:
    url = sqlite_posts(tmp_path / "a.db", [post(n) for n in range(5)])
    document = workshop.import_(url)
    assert counts(document) == (5, 5, 0, 0, 0)
    assert document["files"][0]["path"] == url
    assert document["files"][0]["bytes"] > 0
    posts = workshop.posts("post_id", "likes", "hashtags", "origin", "origin_offset")
    assert posts[3] == {
        "post_id": str(2**53 + 3),
        "likes": 3,
        "hashtags": ["tag"],
        "origin": url,
        "origin_offset": 4,
    }
    assert counts(workshop.import_(url)) == (5, 0, 5, 0, 0)


def test_columns_may_be_named_and_queries_asked(workshop: Any, tmp_path: Path) -> None:
    url = sqlite_posts(tmp_path / "a.db", [post(n) for n in range(5)])
    asked = Question(sql="select id as a, text as b from posts where likes > 2")
    document = workshop.import_(url, question=asked, mapping={"post_id": "a", "text": "b"}, platform="weibo")
    assert counts(document) == (2, 2, 0, 0, 0)
    assert [row["text"] for row in workshop.posts("text")] == ["post 3 #tag", "post 4 #tag"]
    assert list(workshop.settings.lake_path.glob("posts/platform=weibo"))


def test_by_a_cursor_column_only_what_is_new_is_read(workshop: Any, tmp_path: Path) -> None:
    url = sqlite_posts(tmp_path / "a.db", [post(n, n // 3) for n in range(8)])
    asked = Question(table="posts", cursor="updated")
    first = workshop.import_(url, question=asked)
    assert counts(first) == (8, 8, 0, 0, 0)
    assert first["files"][0]["cursor"] == {"column": "updated", "seen": {"number": "2"}}
    # Two rows stand at the border; a third comes to them, and one of the known ones is updated.
    sqlite_posts(tmp_path / "a.db", [post(8, 2), (2**53, "post 0 #tag", "2026-01-01T00:00:00Z", 99, 7)])
    second = workshop.import_(url, question=asked)
    assert counts(second) == (4, 2, 2, 0, 0)
    assert counts(workshop.import_(url, question=asked)) == (1, 0, 1, 0, 0)
    assert counts(workshop.import_(url, question=Question(table="posts"))) == (10, 0, 10, 0, 0)


def test_a_dry_run_does_not_move_the_cursor(workshop: Any, tmp_path: Path) -> None:
    url = sqlite_posts(tmp_path / "a.db", [post(n) for n in range(5)])
    asked = Question(cursor="updated")
    assert counts(workshop.import_(url, question=asked, dry_run=True)) == (5, 5, 0, 0, 0)
    assert counts(workshop.import_(url, question=asked)) == (5, 5, 0, 0, 0)
    assert counts(workshop.import_(url, question=asked, dry_run=True)) == (1, 0, 1, 0, 0)


def test_a_part_may_leave_nothing_of_an_answer(workshop: Any, tmp_path: Path) -> None:
    url = sqlite_posts(tmp_path / "a.db", [post(n) for n in range(5)])
    assert counts(workshop.import_(url, part=Part.of(where="nobody", sample=None))) == (5, 0, 0, 0, 5)
    assert counts(workshop.import_(url, part=Part.of(where='"post 3"', sample=None))) == (5, 1, 0, 0, 4)


def test_nothing_new_is_no_error(workshop: Any, tmp_path: Path) -> None:
    url = sqlite_posts(tmp_path / "a.db", [])
    document = workshop.import_(url, question=Question(cursor="updated"))
    assert (counts(document), document["exit_code"]) == ((0, 0, 0, 0, 0), 0)


def test_a_cursor_is_kept_only_with_the_end_of_its_run(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the run is recorded as done, the next import reads the same again and doubles nothing."""
    url = sqlite_posts(tmp_path / "a.db", [post(n) for n in range(5)])
    asked = Question(cursor="updated")

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            workshop.import_(url, question=asked)
    sqlite_posts(tmp_path / "a.db", [post(5)])
    workshop.import_(url, question=asked)
    workshop.import_(url, question=asked)
    assert sorted(row["likes"] for row in workshop.posts("likes")) == list(range(6))


def test_a_bad_row_is_held_once_wherever_it_stands(workshop: Any, tmp_path: Path) -> None:
    bad = (7, "late", "not a time", 1, 1)
    url = sqlite_posts(tmp_path / "a.db", [*(post(n) for n in range(5)), bad])
    document = workshop.import_(url)
    assert counts(document) == (6, 5, 0, 1, 0)
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("delete from posts where likes in (0, 2)")
    connection.commit()
    connection.close()
    assert counts(workshop.import_(url)) == (4, 0, 3, 1, 0)
    (held,) = workshop.quarantine()
    assert json.loads(held["raw"])["created_at"] == "not a time"


def test_a_column_of_documents_is_read_by_their_layout(workshop: Any, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "raw.db")
    connection.execute("create table raw (seq integer primary key, doc text)")
    connection.executemany("insert into raw (doc) values (?)", [(json.dumps(video(n)),) for n in range(3)])
    connection.commit()
    connection.close()
    document = workshop.import_(f"sqlite:///{tmp_path}/raw.db", question=Question(cursor="seq"))
    assert counts(document) == (3, 3, 0, 0, 0)
    assert document["files"][0]["layouts"][0]["layout"] == "youtube.videos_list"


def video(number: int) -> dict[str, Any]:
    return {
        "kind": "youtube#video",
        "id": f"video-{number:05}",
        "snippet": {
            "publishedAt": "2026-01-01T00:00:00Z",
            "channelId": "channel",
            "channelTitle": "A channel",
            "title": f"title {number}",
            "description": "#described",
        },
        "statistics": {"viewCount": str(10 * number), "likeCount": str(number)},
    }


@pytest.mark.service
def test_a_collectors_documents_become_videos(workshop: Any, ferretdb: Ferret) -> None:
    database = ferretdb.new_database()
    asked = Question(collection="videos", cursor="_id")
    with ferretdb.client() as client:
        videos = client[database]["videos"]
        videos.insert_many([{"_id": n, **video(n)} for n in range(20)])
        videos.insert_one({"_id": 20, "note": "the collector slept"})
        videos.insert_one({"_id": 21, "items": [video(30), video(31)]})
        first = workshop.import_(ferretdb.url(database), question=asked)
        assert counts(first) == (23, 22, 0, 1, 0)
        assert first["files"][0]["cursor"]["seen"] == {"number": "21"}
        videos.insert_one({"_id": 22, **video(22), "statistics": {"viewCount": bson.Int64(2**40)}})
        second = workshop.import_(ferretdb.url(database), question=asked)
    assert counts(second) == (3, 1, 2, 0, 0)
    assert workshop.posts("views")[-1]["views"] == 2**40
    assert [row["row"] for row in workshop.quarantine()] == [21]


@pytest.mark.service
def test_the_password_is_kept_nowhere(workshop: Any, postgres: Postgres) -> None:
    database = postgres.new_database()
    with postgres.connect(database) as connection:
        connection.execute("create table posts (id int, text text)")
        connection.execute("insert into posts values (1, 'one'), (2, null), (null, null)")
    document = workshop.import_(postgres.url(database), question=Question(table="posts"))
    assert counts(document) == (3, 2, 0, 1, 0)
    secrets = [PASSWORD, PASSWORD.replace(" ", "%20")]
    kept = [json.dumps(document), str(workshop.posts("origin")), str(workshop.quarantine())]
    kept += [path.read_bytes().decode("latin-1") for path in workshop.settings.home.rglob("*") if path.is_file()]
    assert not any(secret in text for secret in secrets for text in kept)


class Killing(Silent):
    """Ends a server once so many records are read."""

    def __init__(self, kill: Callable[[], None], records: int) -> None:
        self._kill: Callable[[], None] | None = kill
        self._records = records

    def at(self, position: int, records: int) -> None:
        if self._kill is not None and records >= self._records:
            self._kill()
            self._kill = None


def import_while(workshop: Any, url: str, question: Question, progress: Silent) -> dict[str, Any]:
    parts = (workshop.lake, workshop.desk, workshop.engine, workshop.settings, progress)
    return import_paths([url], Options(question=question), *parts).document()


@pytest.mark.service
@pytest.mark.slow
def test_an_import_goes_on_after_its_postgresql_went_away(workshop: Any) -> None:
    with start_postgres() as own:
        database = own.new_database()
        with own.connect(database) as connection:
            connection.execute(
                "create table posts as select n as id, 'post ' || n as text from generate_series(1, 60000) n"
            )
        asked = Question(table="posts", cursor="id")
        broken = import_while(workshop, own.url(database), asked, Killing(own.process.kill, 1_000))
        assert "connection to PostgreSQL broke" in broken["files"][0]["error"]
        assert 1_000 <= broken["stored"] < 60_000
        own.process.start()
        rest = workshop.import_(own.url(database), question=asked)
    assert rest["known"] == 1
    assert broken["stored"] + rest["stored"] == 60_000
    assert {int(row["post_id"]) for row in workshop.posts("post_id")} == set(range(1, 60_001))


@pytest.mark.service
@pytest.mark.slow
def test_an_import_goes_on_after_its_mongodb_went_away(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.sources.lines.PIECE", 4 << 20)
    with start_ferretdb() as own:
        database = own.new_database()
        with own.client() as client:
            client[database]["posts"].insert_many(
                [{"_id": n, "text": f"post {n} " + "x" * 4_000} for n in range(6_000)]
            )
        url = own.url(database) + "?serverSelectionTimeoutMS=100"
        asked = Question(collection="posts", cursor="_id")
        broken = import_while(workshop, url, asked, Killing(own.process.kill, 1_000))
        assert "connection to MongoDB was lost" in broken["files"][0]["error"]
        assert 1_000 <= broken["stored"] < 6_000
        own.process.start()
        rest = workshop.import_(url, question=asked)
    assert rest["known"] == 1
    assert broken["stored"] + rest["stored"] == 6_000
