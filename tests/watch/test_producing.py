"""History in a topic: in its order, by the posts' ids, with the streaming time, and no record twice."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.services.kafka import Kafka

from groundswell.bus.kafka_address import read_address
from groundswell.importing import Options
from groundswell.settings import Settings
from groundswell.sources.files import find_files
from groundswell.watch.producing import Producing, stamped

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def history(path: Path, count: int) -> Path:
    rows = [
        {"id": str(n), "user_name": "u", "text": f"post {n}", "created_at": (START + timedelta(hours=n)).isoformat()}
        for n in reversed(range(count))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def producing(kafka: Kafka, topic: str, settings: Settings, file: Path, **more: Any) -> Producing:
    files = find_files([str(file)], settings.tmp_path)
    return Producing(settings, files, Options(), read_address(kafka.url(topic)), **more)


@pytest.mark.service
def test_an_interrupted_replay_goes_on_with_the_next_record(kafka: Kafka, settings: Settings, tmp_path: Path) -> None:
    topic = kafka.new_topic(2)
    file = history(tmp_path / "posts.ndjson", 300)
    stop = threading.Event()

    def begun(_at: int, _records: int) -> Any:
        return lambda done: stop.set() if done >= 100 else None

    first = producing(kafka, topic, settings, file).run(stop, begun=begun)
    assert (first["state"], first["begun_at"]) == ("stopped", 0)
    assert 100 <= first["sent"] < 300
    rest = producing(kafka, topic, settings, file).run(threading.Event())
    assert (rest["state"], rest["begun_at"], rest["sent"]) == ("done", first["sent"], 300 - first["sent"])
    assert producing(kafka, topic, settings, file).run(threading.Event())["state"] == "done before"
    found = kafka.messages(topic)
    said = [json.loads(message.value() or b"") for message in found]
    assert sorted(int(each["id"]) for each in said) == list(range(300))
    assert [(message.key() or b"").decode() for message in found] == [each["id"] for each in said]
    for partition in (0, 1):
        ids = [int(each["id"]) for each, message in zip(said, found, strict=True) if message.partition() == partition]
        assert ids == sorted(ids)
    stamps = [dict(message.headers() or ())["time_stamp"] for message in found]
    assert [(stamp or b"").decode() if isinstance(stamp, bytes) else stamp for stamp in stamps] == [
        each["time_stamp"] for each in said
    ]
    again = producing(kafka, topic, settings, file, again=True).run(threading.Event())
    assert (again["sent"], len(kafka.messages(topic))) == (300, 600)


@pytest.mark.service
def test_a_replay_at_a_speed_takes_its_time(kafka: Kafka, settings: Settings, tmp_path: Path) -> None:
    topic = kafka.new_topic()
    file = history(tmp_path / "posts.ndjson", 5)
    document = producing(kafka, topic, settings, file, speed=14_400.0).run(threading.Event())
    assert document["seconds"] >= 1.0
    stamps = [datetime.fromisoformat(json.loads(value)["time_stamp"]) for value in kafka.values(topic)]
    assert (stamps[-1] - stamps[0]).total_seconds() == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (b'{"id": 1}', b'{"id": 1,"time_stamp":"T"}'),
        (b"{ }", b'{ "time_stamp":"T"}'),
        (b'{"time_stamp": "old", "a": 1}', b'{"time_stamp": "T", "a": 1}'),
        (b"no object", b"no object"),
        (b'{"time_stamp" broken}', b'{"time_stamp" broken}'),
    ],
)
def test_the_streaming_time_is_a_field_of_the_record(record: bytes, said: bytes) -> None:
    assert stamped(record, "T") == said
