"""The bus in a topic of Kafka: what is appended is read in its order, once, whoever reads and whatever ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from tests.services.kafka import Kafka

from groundswell.bus import Kind
from groundswell.bus.kafka import KafkaBus
from groundswell.bus.kafka_address import read_address
from groundswell.bus.kafka_index import Kept
from groundswell.desk import Desk, bus_index

pytestmark = pytest.mark.service

Until = Callable[..., None]
NOW = 1_760_000_000_000_000


def open_kafka(kafka: Kafka, desk: Desk, topic: str, **options: str) -> KafkaBus:
    return KafkaBus(read_address(kafka.url(topic, **options)), desk, max_record=1 << 20)


@contextmanager
def following(bus: KafkaBus) -> Iterator[KafkaBus]:
    end = bus.follow(lambda: None, threading.Event())
    try:
        yield bus
    finally:
        end()


@pytest.fixture
def bus(kafka: Kafka, desk: Desk) -> Iterator[KafkaBus]:
    with open_kafka(kafka, desk, kafka.new_topic(2)) as bus, following(bus):
        yield bus


def records(bus: KafkaBus) -> list[bytes]:
    return [record for block in bus.between(1, bus.last_block()) for record in block.records]


def test_what_was_appended_is_read_with_its_source_its_hint_and_its_times(bus: KafkaBus) -> None:
    times = np.array([NOW, NOW + 7, NOW + 9], dtype=np.int64)
    bus.append("push", [b'{"n":1}', b'{"n":\n2}', b'{"n":3}'], received_us=times, hint={"tz": "UTC"}, position="p3")
    bus.append("big", [b'{"raw":""}'], kind=Kind.OVERSIZED, received_us=NOW + 20)
    bus.settle()
    first, second = bus.between(1, 2)
    assert first.records == [b'{"n":1}', b'{"n": 2}', b'{"n":3}']
    assert (first.source, first.kind, first.hint) == ("push", Kind.RECORDS, {"tz": "UTC"})
    assert first.received_us.tolist() == times.tolist()
    assert first.numbers.tolist() == [0, 1, 2]
    assert (second.source, second.kind, second.first_record) == ("big", Kind.OVERSIZED, 3)
    assert bus.position("push") == "p3"
    bus.forget("push")
    assert bus.position("push") is None
    bus.append("large", [b'{"a":"%b"}' % (b"x" * (2 << 20)), b'{"a":1}'], received_us=NOW + 30)
    bus.settle()
    found = {block.source: block for block in bus.between(1, 9) if block.kind == Kind.OVERSIZED}
    assert json.loads(found["large"].records[0])["raw_bytes"] == (2 << 20) + 8
    assert bus.trouble() is None


def test_a_reader_of_another_process_reads_the_same_blocks_from_kafka(bus: KafkaBus, kafka: Kafka, desk: Desk) -> None:
    for part in range(5):
        some = [json.dumps({"n": 100 * part + n}).encode() for n in range(100)]
        bus.append(f"s{part % 2}", some, received_us=NOW + np.arange(100) + 1000 * part)
    bus.settle()
    bus.append("empty", [], received_us=NOW, position="only a place")
    bus.settle()
    with open_kafka(kafka, desk, bus.address.topic) as other:
        assert records(other) == records(bus)
        assert sorted(json.loads(record)["n"] for record in records(other)) == list(range(500))
        assert [b.received_us.tolist() for b in other.between(1, 99)] == [
            b.received_us.tolist() for b in bus.between(1, 99)
        ]
        with desk.reading() as session:
            assert bus_index.position(session, "empty") == "only a place"
        last = bus.last_block()
        assert other.borders(0, 100, 1 << 20) >= 1
        assert other.borders(last, 100, 1 << 20) == last


def test_records_of_other_programs_have_the_time_of_kafka_and_what_is_no_record_is_set_aside(
    bus: KafkaBus, kafka: Kafka, until: Until
) -> None:
    topic = bus.address.topic
    kafka.produce(topic, [b'{"a":1}', b"no json", b"\0\0\0\0\1abc", b'{"a":2}', b"x" * (900 << 10)], partition=0)
    until(lambda: bus.next_record() == 5, what="five records")
    found = [(block.source, block.kind, record) for block in bus.between(1, 99) for record in block.records]
    assert {source for source, _, _ in found} == {f"kafka:{topic}"}
    assert [record for _, kind, record in found if kind == Kind.RECORDS] == [b'{"a":1}', b'{"a":2}']
    said = [json.loads(record) for _, kind, record in found if kind == Kind.OVERSIZED]
    assert [each["reason"] for each in said] == [
        "not JSON",
        "Avro, and no schema registry is named",
        "not JSON",
    ]
    assert [(each["origin"], each["offset"]) for each in said] == [
        (f"{topic}/0", 1),
        (f"{topic}/0", 2),
        (f"{topic}/0", 4),
    ]
    dead = kafka.messages(f"{topic}.dead")
    assert [message.value() for message in dead][:2] == [b"no json", b"\0\0\0\0\1abc"]
    assert dict(dead[1].headers() or ())["groundswell-offset"] == b"2"
    until(lambda: bus.complete_until(1 << 62) > NOW, what="everything is read")
    until(lambda: [each.source for each in bus.connections()] == [f"kafka:{topic}"], what="the source is connected")


def test_two_consumers_share_the_partitions_and_one_takes_over_without_loss_or_doubling(
    kafka: Kafka, desk: Desk, until: Until
) -> None:
    topic = kafka.new_topic(4)

    def some(begin: int) -> None:
        for partition in range(4):
            values = [
                json.dumps({"n": n}).encode() for n in range(begin + 50 * partition, begin + 50 * (partition + 1))
            ]
            kafka.produce(topic, values, partition=partition)

    with open_kafka(kafka, desk, topic) as one, open_kafka(kafka, desk, topic) as other:
        with following(one):
            some(0)
            until(lambda: one.next_record() == 200, what="the first records")
            with following(other):
                until(lambda: owners(other) == 2, what="two consumers that share")
                some(200)
                until(lambda: one.next_record() >= 400, what="the second records")
            some(400)
            until(lambda: one.next_record() >= 600, what="the third records")
        found = sorted(json.loads(record)["n"] for record in records(one))
        assert found == list(range(600))
        with desk.reading() as session:
            seqs = [row.seq for row in bus_index.blocks(session, 0, 1 << 40)]
        assert seqs == list(range(1, len(seqs) + 1))


def owners(bus: KafkaBus) -> int:
    index = bus._index
    return 0 if index is None else len(index.ends())


def test_only_so_many_bytes_are_kept() -> None:
    kept = Kept(limit=100)
    for seq in range(5):
        kept.put(seq, 40, ([b"x" * 40], np.zeros(1, np.int64)))
    assert [seq for seq in range(5) if kept.get(seq) is not None] == [3, 4]
