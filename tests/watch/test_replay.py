"""Replays: any file, sorted by event time, fed once; undated records are kept and count nowhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from groundswell.bus import Journal
from groundswell.desk import alerts, open_desk
from groundswell.importing import Options
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.sources.files import find_files
from groundswell.watch.jobs import Replay, Watcher
from groundswell.watch.trackers import add_tracker


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", threads=1, windows="300,3600", topics=0)


@contextmanager
def running(_runner: Watcher, _total: int) -> Iterator[threading.Event]:
    yield threading.Event()


def replay(settings: Settings, *files: Path, **more: Any) -> dict[str, Any]:
    found = find_files([str(file) for file in files], settings.tmp_path)
    return Replay(settings, found, Options(), **more).run(running)


def fed(settings: Settings) -> list[str]:
    with Journal(settings.journal_path) as journal:
        blocks = journal.read(0, 1 << 30, 1 << 40)
    return [json.loads(record)["id"] for block in blocks for record in block.records]


def test_files_are_merged_by_event_time_and_undated_records_come_last(own: Settings, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(
        "id,text,created_at\n3,three,2026-01-01 00:03:00\n0,undated,\n1,one,2026-01-01 00:01:00\n", encoding="utf-8"
    )
    lines = tmp_path / "b.ndjson"
    lines.write_text('{"id": "2", "text": "two", "created_at": "2026-01-01T00:02:00Z"}\n', encoding="utf-8")
    document = replay(own, table, lines)
    assert fed(own) == ["1", "2", "3", "0"]
    assert (document["records"], document["undated"], document["state"]) == (4, 1, "done")
    assert (document["from"], document["to"]) == ("2026-01-01T00:01:00Z", "2026-01-01T00:03:00Z")
    assert Lake.open(own).count() == 4


def test_what_is_no_record_is_quarantined_not_lost(own: Settings, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"id": "1", "text": "one", "created_at": "2026-01-01T00:01:00Z"}\nnot json\n', encoding="utf-8")
    document = replay(own, path)
    lake = Lake.open(own)
    assert (document["records"], lake.count(), lake.count("quarantine")) == (2, 1, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tweets_give_alerts_whose_posts_hold_the_term(own: Settings, data: Path) -> None:
    terms = {"pfizer": "pfizer", "covaxin": "#covaxin", "side effects": '"side effects"'}
    with open_desk(own) as desk, desk.session() as session:
        ids = {add_tracker(session, name, query, 30.0).id: name for name, query in terms.items()}
    document = replay(own, data / "twitter" / "vaccination_tweets.csv")
    assert document["records"] == 8_082
    assert document["alerts"]
    with open_desk(own) as desk, desk.reading() as session:
        found = alerts.listed(session)
    stored = Lake.open(own).read("posts", ["post_id", "text", "origin_offset"]).to_pylist()
    texts = {row["post_id"]: row["text"] for row in stored}
    for alert in found:
        posts = alert.evidence["posts"]
        assert posts
        for post in posts:
            assert ids[alert.tracker_id] in texts[post["post_id"]].lower()
