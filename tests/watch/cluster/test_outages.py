"""The watch on Spark while what it needs is away: it says so, waits, and neither loses nor doubles anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.services import registry
from tests.services.faults import Faults, faults_before
from tests.services.kafka import Kafka, start_kafka
from tests.services.servers import Minio
from tests.watch.cluster.live import Live, produce, watching
from tests.watch.cluster.test_live import AVRO, MINUTE, posts, schemas, stored, track

from groundswell.desk import open_desk
from groundswell.desk.clock import wall_us
from groundswell.desk.tables import SeriesRow
from groundswell.lake import Lake

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.soak, pytest.mark.timeout(1_500)]

__all__ = ["schemas"]


@pytest.fixture
def store(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    for name, value in minio.environment().items():
        monkeypatch.setenv(name, value)
    with faults_before(minio.port) as proxy:
        monkeypatch.setenv("GROUNDSWELL_S3_ENDPOINT", proxy.endpoint)
        yield proxy


def test_a_schema_registry_that_is_away_is_waited_for(
    kafka: Kafka, tmp_path: Path, schemas: registry.SchemaRegistry
) -> None:
    topic = kafka.new_topic(1, {"retention.ms": "-1"})
    track(tmp_path / "home", "tea", "tea")
    schemas.refuse = 503
    value = {"platform": "x", "post_id": "77", "created_at": "2026-03-01T10:00:00Z", "text": "iced tea"}
    with watching(tmp_path, kafka.url(topic), schema_registry=schemas.url) as live:
        now = wall_us()
        produce(kafka, topic, [*posts(now, 5, "green tea"), (now, registry.wire(5, AVRO, value))])
        live.until(lambda: "the schema registry answers 503" in live.said(), "it says that the registry is away")
        live.until(lambda: len(schemas.asked) > 4, "it is asked again")
        produce(kafka, topic, posts(wall_us(), 4, "more tea", 100))
        schemas.refuse = None
        live.until(lambda: live.is_level(10), "all is read once it is back")
    found = sorted(row["post_id"] for row in stored(live))
    assert len(found) == len(set(found)) == 10
    assert Lake.open(live.settings).read("quarantine", ["reason"]).num_rows == 0


def test_a_lake_that_is_away_is_waited_for_while_the_watch_goes_on(
    kafka: Kafka, tmp_path: Path, minio: Minio, store: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = kafka.new_topic(1, {"retention.ms": "-1"})
    lake = f"s3://{minio.new_bucket()}/lake"
    monkeypatch.setenv("GROUNDSWELL_LAKE", lake)
    track(tmp_path / "home", "tea", "tea")
    with watching(tmp_path, kafka.url(topic), lake=lake, s3_endpoint=store.endpoint, s3_patience=4) as live:
        produce(kafka, topic, posts(wall_us(), 5, "green tea"))
        live.until(lambda: live.is_level(5), "the first posts are stored")
        store.fail(503)
        produce(kafka, topic, posts(wall_us(), 6, "more tea", 100))
        live.until(lambda: _read(live, "watch") == 11, "the watch goes on")
        live.until(lambda: "the S3 store cannot be reached" in live.said(), "it says that the store is away")
        assert _read(live, "lake") == 5
        track(tmp_path / "home", "green", "green")
        said = "1 trackers start without a past"
        produce(kafka, topic, posts(wall_us(), 2, "black tea", 200))
        live.until(lambda: said in live.said(), "a new tracker does not wait for its past")
        store.fail(None)
        live.until(lambda: live.is_level(13), "all is stored once it is back")
        live.until(lambda: "1 trackers have learned their past" in live.said(), "the new tracker learned its past")
        found = sorted(row["post_id"] for row in stored(live))
    assert len(found) == len(set(found)) == 13
    ledger = Lake.open(live.settings).read("ledger")
    assert sum(ledger["received"].to_pylist()) == sum(ledger["stored"].to_pylist()) == 13


def test_a_broker_that_is_away_for_more_than_a_minute_leaves_a_hole_and_no_zeros(tmp_path: Path) -> None:
    track(tmp_path / "home", "tea", "tea")
    with start_kafka() as kafka:
        topic = kafka.new_topic(1, {"retention.ms": "-1"})
        produce(kafka, topic, posts(wall_us() - MINUTE, 5, "green tea"))
        with watching(tmp_path, kafka.url(topic)) as live:
            live.until(lambda: live.is_level(5), "the first posts are read")
            live.until(lambda: "usual" in _states(live) or len(_states(live)) >= 2, "windows are closed")
            kafka.process.kill()
            live.until(lambda: "no broker of Kafka can be reached" in live.said(), "it says that the broker is away")
            live.until(lambda: _states(live).count("gap") >= 2, "the clock goes on without it", 400)
            kafka.process.start()
            back = wall_us()
            produce(kafka, topic, posts(back, 6, "more tea", 100))
            live.until(lambda: live.is_level(11), "what came after it returned is read")
            live.until(lambda: sum(live.counts("tea")) == 11, "the windows are closed")
    found = sorted(row["post_id"] for row in stored(live))
    assert len(found) == len(set(found)) == 11


def _read(live: Live, reader: str) -> int:
    return sum(lag.next_offset for lag in live.lags() if lag.consumer == reader)


def _states(live: Live) -> list[str]:
    with open_desk(live.settings) as desk, desk.reading() as session:
        return list(session.scalars(select(SeriesRow.state).order_by(SeriesRow.start)))
