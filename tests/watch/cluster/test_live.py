"""The watch on Spark without `--once`: it runs on, and what goes wrong around it passes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka.cimpl import NewPartitions, NewTopic
from sqlalchemy import select
from tests.services import registry
from tests.services.jetstream import post
from tests.services.kafka import Kafka, start_kafka
from tests.services.process import free_port
from tests.watch.cluster.live import Live, produce, watching

from groundswell.desk import open_desk, trackers
from groundswell.desk.clock import wall_us
from groundswell.desk.tables import PlanRow
from groundswell.engines import open_engine
from groundswell.importing.rawzone_post import records_behind
from groundswell.importing.remap import remap
from groundswell.lake import Lake
from groundswell.settings import load_settings
from groundswell.watch.trackers import add_tracker, edit_tracker

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(1_500)]

SECOND = 1_000_000
MINUTE = 60 * SECOND
AVRO = {
    "type": "record",
    "name": "Post",
    "fields": [{"name": name, "type": "string"} for name in ("platform", "post_id", "created_at", "text")],
}


def track(home: Path, name: str, query: str) -> None:
    with open_desk(load_settings(home=home)) as desk, desk.session() as session:
        add_tracker(session, name, query, 30.0)


def posts(first_us: int, count: int, text: str, number: int = 0) -> list[tuple[int, bytes]]:
    """Posts a second apart, with their times."""
    times = [first_us + at * SECOND for at in range(count)]
    return [(at, json.dumps(post(number + n, at, text)).encode()) for n, at in enumerate(times)]


def stored(live: Live) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        Lake.open(live.settings).read("posts", ["post_id", "text", "origin_offset"]).to_pylist()
    )
    return found


@pytest.fixture
def schemas() -> Iterator[registry.SchemaRegistry]:
    with registry.serving() as server:
        server.register(5, AVRO)
        yield server


def test_a_watch_on_spark_runs_on_closes_quiet_windows_keeps_raw_records_and_ends_at_ctrl_c(
    kafka: Kafka, tmp_path: Path, schemas: registry.SchemaRegistry
) -> None:
    topic = kafka.new_topic(1, {"retention.ms": "-1"})
    begin = (wall_us() // MINUTE - 6) * MINUTE
    track(tmp_path / "home", "tea", "tea")
    produce(kafka, topic, [at for n in range(3) for at in posts(begin + n * MINUTE, 4, "green tea", 10 * n)])
    port = free_port()
    with watching(tmp_path, kafka.url(topic), "--metrics-port", str(port), schema_registry=schemas.url) as live:
        # Windows in which nothing came are closed by the clock, those of the first minutes by what came.
        live.until(lambda: len(live.counts("tea")) >= 6, "windows closed by the clock")
        assert live.counts("tea")[1:6] == [4, 4, 0, 0, 0]
        live.until(lambda: live.is_level(12), "all is read")

        value = {"platform": "x", "post_id": "77", "created_at": "2026-03-01T10:00:00Z", "text": "iced tea"}
        now = wall_us()
        wire, broken = registry.wire(5, AVRO, value), b"\0\0\0\0\x05\xff"
        produce(kafka, topic, [(now, wire), (now, b"not JSON"), (now, broken), *posts(now, 1, "more tea", 900)])
        live.until(lambda: live.is_level(16), "what came later is read")
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'groundswell_lag_records{reader="watch"} 0.0' in metrics
        assert 'groundswell_lag_seconds{reader="lake"} 0.0' in metrics
        assert live.end(signal.SIGINT) == 0, live.said()
        assert "stopping" in live.said()

    found = {row["post_id"]: row for row in stored(live)}
    assert len(found) == 14
    assert found["77"]["text"] == "iced tea"
    quarantine = Lake.open(live.settings).read("quarantine", ["origin", "origin_offset", "reason"]).to_pylist()
    assert sorted((row["origin"], row["origin_offset"], row["reason"]) for row in quarantine) == [
        (f"{topic}/0", 13, "not JSON"),
        (f"{topic}/0", 14, "Avro: it does not fit its schema"),
    ]
    dead = kafka.messages(f"{topic}.dead")
    assert {message.value() for message in dead} == {b"not JSON", broken}
    assert dict(dead[0].headers() or ())["groundswell-offset"] == b"13"

    # What `raw` and `remap` do with them.
    settings = live.settings
    (behind,) = records_behind(Lake.open(settings), settings, "x:77")
    assert json.loads(behind.text or "")["text"] == "iced tea"
    engine = open_engine(settings)
    with open_desk(settings) as desk:
        done = remap(Lake.open(settings), desk, engine, settings, layout="bluesky.jetstream", write=True)
    engine.close()
    assert (done.contents > 0, done.without, done.failed) == (True, {}, {})
    assert done.tables["posts"].replaced == 13
    assert {row["post_id"]: row for row in stored(live)} == found


@pytest.mark.soak
def test_a_watch_that_was_ended_goes_on_with_new_partitions_and_other_trackers(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.new_topic(1, {"retention.ms": "-1"})
    home = tmp_path / "home"
    track(home, "tea", "tea")
    produce(kafka, topic, posts(wall_us() - MINUTE, 5, "green tea"))
    with watching(tmp_path, kafka.url(topic)) as live:
        live.until(lambda: live.is_level(5), "the first posts are read")
        made = kafka.admin()  # it must outlive what it is asked
        made.create_partitions([NewPartitions(topic, 2)])[topic].result(20)
        track(home, "coffee", "coffee")
        live.until(lambda: "coffee" in in_force(live), "the new tracker is in force")
        produce(kafka, topic, posts(wall_us(), 7, "black coffee", 100), partition=1)
        live.until(lambda: live.is_level(12, 2), "the new partition is read")
        live.until(lambda: 7 in live.counts("coffee"), "its window is closed")
        assert live.end(signal.SIGTERM) == 0, live.said()
    produce(kafka, topic, posts(wall_us(), 3, "green tea", 200))
    with open_desk(live.settings) as desk, desk.session() as session:
        edit_tracker(session, "coffee", query="coffee OR espresso")
    with watching(tmp_path, kafka.url(topic)) as live:
        produce(kafka, topic, posts(wall_us(), 4, "an espresso", 300))
        live.until(lambda: live.is_level(19, 2), "what came meanwhile is read")
        live.until(lambda: 4 in live.counts("coffee"), "its window is closed")
        assert live.end(signal.SIGTERM) == 0, live.said()
    assert sorted(row["text"] for row in stored(live)) == sorted(
        5 * ["green tea"] + 7 * ["black coffee"] + 3 * ["green tea"] + 4 * ["an espresso"]
    )


def in_force(live: Live) -> set[str]:
    """Names of the trackers of the last batch that was planned."""
    with open_desk(live.settings) as desk, desk.reading() as session:
        names = {row.id: row.name for row in trackers.list_active(session)}
        plan = session.scalars(select(PlanRow).order_by(PlanRow.number.desc())).first()
        return set() if plan is None else {names[str(tracker)] for tracker, _ in plan.trackers}


@pytest.mark.soak
def test_a_topic_that_is_made_later_and_a_broker_that_goes_away_and_returns_lose_nothing(tmp_path: Path) -> None:
    track(tmp_path / "home", "tea", "tea")
    with start_kafka() as kafka, watching(tmp_path, kafka.url("late")) as live:
        live.until(lambda: "there is no topic `late`" in live.said(), "it says that there is no topic")
        made = kafka.admin()
        made.create_topics([NewTopic("late", num_partitions=1, replication_factor=1)])["late"].result(20)
        produce(kafka, "late", posts(wall_us(), 5, "green tea"))
        live.until(lambda: live.is_level(5), "the new topic is read")
        kafka.process.kill()
        live.until(lambda: "no broker of Kafka can be reached" in live.said(), "it says that the broker is away")
        live.until(lambda: not any(lag.reading for lag in live.lags()), "the desk knows it")
        kafka.process.start()
        produce(kafka, "late", posts(wall_us(), 6, "more tea", 100))
        live.until(lambda: live.is_level(11), "what came after it returned is read")
        assert "Kafka is back" in live.said()
        live.until(lambda: sum(live.counts("tea")) == 11, "the windows are closed")
        assert live.end(signal.SIGTERM) == 0, live.said()
    assert len(stored(live)) == 11
