"""A topic that other programs write: every record once into the journal, whoever of a group reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.bus.test_avro import POST, RECORD
from tests.services.kafka import Kafka
from tests.services.registry import serving, wire
from tests.services.running import running as beside
from tests.services.servers import PASSWORD, USER

from groundswell.bus import Bus, Journal, Kind
from groundswell.bus.kafka_address import read_address
from groundswell.bus.kafka_clients import partitions_of
from groundswell.bus.lag import read_lag
from groundswell.desk import open_desk
from groundswell.errors import NotFoundError, UnavailableError
from groundswell.settings import Settings, load_settings
from groundswell.sources.kafka import KafkaSource

pytestmark = pytest.mark.service
Until = Callable[..., None]


def reading(source: KafkaSource, journal: Bus) -> AbstractContextManager[None]:
    return beside(lambda stop: source.run(journal, stop))


def numbers(*journals: Journal) -> list[int]:
    found = []
    for journal in journals:
        for block in journal.between(1, journal.last_block()):
            if block.kind == Kind.RECORDS:
                found += [int(json.loads(record)["n"]) for record in block.records]
    return sorted(found)


def some(first: int, count: int) -> list[bytes]:
    return [json.dumps({"n": n}).encode() for n in range(first, first + count)]


def test_a_source_goes_on_where_it_was_stopped_and_says_how_far_it_is(
    kafka: Kafka, settings: Settings, until: Until
) -> None:
    topic = kafka.new_topic(2)
    source = KafkaSource(read_address(kafka.url(topic)), settings)
    with Journal(settings.journal_path) as journal:
        kafka.produce(topic, some(0, 300))
        with reading(source, journal):
            until(lambda: journal.next_record() == 300, what="the first records")
        kafka.produce(topic, [*some(300, 200), b"poison"])
        with reading(source, journal), open_desk(settings) as desk:
            until(lambda: journal.next_record() == 501, what="the second records")

            def behind() -> list[int]:
                with desk.reading() as session:
                    return [lag.behind for lag in read_lag(session, 0)]

            until(lambda: behind() == [0, 0], what="no lag")
            until(lambda: journal.complete_until(1 << 60) > 1, what="everything is read")
            until(lambda: bool(journal.connections()), what="the source is connected")
        assert numbers(journal) == list(range(500))
        assert {block.source for block in journal.between(1, 99)} == {f"kafka:{topic}"}
        assert [each.source for each in journal.connections()] == [f"kafka:{topic}"]
    assert kafka.values(f"{topic}.dead") == [b"poison"]


@pytest.mark.soak
def test_two_homes_of_a_group_share_a_topic_and_hand_it_over(kafka: Kafka, tmp_path: Path, until: Until) -> None:
    topic = kafka.new_topic(4)
    homes = [load_settings(home=tmp_path / name) for name in ("a", "b")]
    sources = [KafkaSource(read_address(kafka.url(topic, group=f"g-{topic}")), home) for home in homes]
    with Journal(homes[0].journal_path) as one, Journal(homes[1].journal_path) as other:
        with reading(sources[0], one):
            for partition in range(4):
                kafka.produce(topic, some(100 * partition, 100), partition=partition)
            until(lambda: one.next_record() == 400, what="all by the first")
            with reading(sources[1], other):
                until(lambda: has_partitions(homes[1]), what="the second has its part")
                for partition in range(4):
                    kafka.produce(topic, some(400 + 100 * partition, 100), partition=partition)
                until(lambda: one.next_record() + other.next_record() >= 800, what="all by both")
            for partition in range(4):
                kafka.produce(topic, some(800 + 100 * partition, 100), partition=partition)
            until(lambda: one.next_record() + other.next_record() >= 1200, what="all by the first again")
        assert numbers(one, other) == list(range(1200))
        assert one.next_record() > other.next_record() > 0


def has_partitions(home: Settings) -> bool:
    with open_desk(home) as desk, desk.reading() as session:
        return len(read_lag(session, 0)) == 2


def test_avro_is_read_over_tls_and_waits_for_a_registry_that_is_away(
    kafka: Kafka, settings: Settings, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = kafka.new_topic()
    kafka.produce(topic, [wire(1, POST, RECORD), wire(1, POST, RECORD), b"\0\0\0\0\x07?"])
    monkeypatch.setenv("GROUNDSWELL_KAFKA_PASSWORD", PASSWORD)
    with serving() as registry, Journal(settings.journal_path) as journal:
        registry.refuse = 503
        registry.register(1, POST)
        more = f"ca={kafka.certificate}&mechanism=SCRAM-SHA-256&registry={registry.url}"
        source = KafkaSource(read_address(f"kafka://{USER}@{kafka.secure_address}/{topic}?{more}"), settings)
        with reading(source, journal):
            until(lambda: len(registry.asked) > 1, what="the registry is asked again")
            assert journal.next_record() == 0
            registry.refuse = None
            until(lambda: journal.next_record() == 3, what="the records")
        found = [record for block in journal.between(1, 9) if block.kind == Kind.RECORDS for record in block.records]
        assert [json.loads(record)["text"] for record in found] == ["Größe 🌊"] * 2


def test_what_is_wrong_is_said_at_once(kafka: Kafka, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="there is no topic `nowhere`"):
        partitions_of(read_address(kafka.url("nowhere")))
    with pytest.raises(UnavailableError, match="no broker of Kafka can be reached"):
        partitions_of(read_address("kafka://127.0.0.1:9/posts"), wait_s=0.5)
    monkeypatch.setenv("GROUNDSWELL_KAFKA_PASSWORD", "wrong")
    secure = f"kafka://{USER}@{kafka.secure_address}/posts"
    with pytest.raises(UnavailableError, match="Kafka refuses this user"):
        partitions_of(read_address(f"{secure}?ca={kafka.certificate}"))
    with pytest.raises(UnavailableError, match="no trust between Kafka and this client"):
        partitions_of(read_address(secure))
