from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.services import registry
from tests.services.jetstream import post

from groundswell.testing.streams import tracker
from groundswell.watch.cluster.slices import PARTITIONS, SLICES, Task, slices_of
from groundswell.watch.cluster.worker import Normal, digests, posts, raw_of, table_of, whole_posts
from groundswell.watch.contract import WatchParams
from groundswell.watch.digest import Digest, Wanted
from groundswell.watch.emerging.records import TopicParams

START = 1_772_409_600_000_000
HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
WANTED = Wanted((tracker("tea", "tea"),), WatchParams(topics=TopicParams(per_day=0)))


@pytest.fixture
def task(tmp_path: Path) -> Task:
    values = (("home", tmp_path), ("tz", "UTC"), ("memory", 400), ("max_record", 2_000))
    return Task("posts", "kafka:posts", None, values, START + 3_600_000_000)


def messages(
    values: Sequence[bytes | None],
    *,
    first: int = 0,
    partition: int = 3,
    headers: Sequence[Sequence[Mapping[str, object]]] | None = None,
) -> pa.RecordBatch:
    rows = len(values)
    return pa.RecordBatch.from_pydict(
        {
            "partition": pa.array([partition] * rows, pa.int32()),
            "offset": pa.array(range(first, first + rows), pa.int64()),
            "stamped_us": pa.array([START + n * 1_000_000 for n in range(rows)], pa.int64()),
            "value": pa.array(values, pa.binary()),
            "headers": pa.array([[]] * rows if headers is None else headers, HEADERS),
        }
    )


def record(number: int, text: str) -> bytes:
    return json.dumps(post(number, START + number * 1_000_000, text)).encode()


def one(batch: pa.RecordBatch, task: Task) -> Iterator[pa.RecordBatch]:
    return digests(task, WANTED)(iter([batch]))


def test_a_slice_says_where_it_begins_and_what_the_posts_of_it_are(task: Task) -> None:
    values = [record(0, "green tea"), b"not JSON", None, record(3, "coffee"), record(4, "tea\nagain")]
    (row,) = one(messages(values, first=70), task)
    assert row.schema == SLICES
    found = row.to_pylist()[0]
    body = found.pop("body")
    expected = {"partition": 3, "first": 70, "last": 74, "records": 5}
    assert found == {**expected, "received_from": START, "received_to": START + 4_000_000}
    digest = Digest.of_bytes(body)
    assert digest.numbers["record"].tolist() == [offset * PARTITIONS + 3 for offset in (70, 73, 74)]
    assert digest.pairs.row.tolist() == [0, 2]
    assert digest.posts["text"].to_pylist() == ["green tea", "tea\nagain"]
    assert digest.posts["origin"].to_pylist() == ["posts/3", "posts/3"]
    assert digest.posts["origin_offset"].to_pylist() == [70, 74]


def test_whole_posts_are_those_of_the_rows_that_are_asked_for(task: Task) -> None:
    batch = messages([record(0, "green tea"), b"not JSON", record(2, "coffee")], first=70)
    work = whole_posts(task, {(3, 70): np.array([1, 0])})
    (row,) = work(iter([batch, messages([record(9, "x")], first=80)]))
    assert table_of(row["body"][0].as_py())["text"].to_pylist() == ["coffee", "green tea"]


def test_headers_of_a_bus_say_source_kind_and_receipt(task: Task) -> None:
    said = {"groundswell-source": b"push", "groundswell-received": str(START - 5).encode()}
    mine = [{"key": key, "value": value} for key, value in said.items()]
    other = [*mine, {"key": "groundswell-kind", "value": b"oversized"}]
    batch = messages([b"{}", b"{}", b"{}"], headers=[mine, [], other])
    (found,) = slices_of(iter([batch]), task)
    assert found.received_us.tolist() == [START - 5, START + 1_000_000, START - 5]
    assert [(group.source, group.offsets.tolist()) for group in found.groups] == [("push", [0]), ("kafka:posts", [1])]


def test_nothing_is_received_in_the_future(task: Task) -> None:
    (found,) = slices_of(iter([messages([b"{}"])]), task)
    assert found.received_us.tolist() == [START]
    early = Task(task.topic, task.source, task.hint, task.settings, START - 1)
    (found,) = slices_of(iter([messages([b"{}"])]), early)
    assert found.received_us.tolist() == [START - 1]


def parts_of(batch: pa.RecordBatch, task: Task) -> list[Normal]:
    (row,) = posts(task)(iter([batch]))
    return msgspec.msgpack.decode(row["body"][0].as_py(), type=list[Normal])


def test_rows_for_the_lake_are_stored_refused_or_too_long(task: Task) -> None:
    values = [record(0, "tea"), b"not JSON", b"x" * 3_000, record(3, "coffee"), b"[1]"]
    aside, rest = parts_of(messages(values, first=10), task)
    assert {aside.origin, rest.origin} == {"posts/3"}
    stored = table_of(rest.tables["posts"])
    assert stored["text"].to_pylist() == ["tea", "coffee"]
    assert stored["origin_offset"].to_pylist() == [10, 13]
    refused = [row for part in (rest, aside) for row in table_of(part.rejected).to_pylist()]
    assert [(row["origin_offset"], row["reason"][:12]) for row in refused] == [
        (11, "not JSON"),
        (14, "not a JSON o"),
        (12, "record is ov"),
    ]


def test_what_is_no_record_is_a_dead_letter_and_what_a_layout_refuses_is_none(task: Task) -> None:
    aside, rest = parts_of(messages([b"not JSON", b"x" * 3_000, b"[1]", b'{"a": NaN}'], first=10), task)
    assert [(offset, value) for offset, value, _ in rest.poison] == [(10, b"not JSON")]
    assert aside.poison == [(11, b"x" * 3_000, "record is over the size limit")]


def test_a_message_without_a_value_is_no_record(task: Task) -> None:
    (rest,) = parts_of(messages([record(0, "tea"), None], first=10), task)
    assert table_of(rest.tables["posts"])["text"].to_pylist() == ["tea"]
    assert not table_of(rest.rejected).num_rows
    assert not parts_of(messages([None]), task)


def test_what_a_bus_has_set_aside_goes_to_the_quarantine_and_is_no_dead_letter(task: Task) -> None:
    said = {"origin": "push", "offset": 7, "raw": "eA==", "raw_bytes": 9_999, "raw_sha256": "ab"}
    mine = [{"key": "groundswell-source", "value": b"push"}, {"key": "groundswell-kind", "value": b"oversized"}]
    aside, _ = parts_of(messages([json.dumps(said).encode(), b"{}"], headers=[mine, []]), task)
    (row,) = table_of(aside.rejected).to_pylist()
    assert (aside.source, row["origin"], row["origin_offset"], row["raw_bytes"]) == ("push", "push", 7, 9_999)
    assert aside.poison == []


def test_avro_is_read_by_the_registry_and_what_does_not_fit_is_a_dead_letter(task: Task) -> None:
    fields = [{"name": name, "type": "string"} for name in ("platform", "post_id", "created_at", "text")]
    schema = {"type": "record", "name": "Post", "fields": fields}
    post_of = {"platform": "x", "post_id": "1", "created_at": "2026-03-01T10:00:00Z", "text": "green tea"}
    with registry.serving() as server:
        server.register(5, schema)
        reads = replace(task, registry=server.url)
        value = registry.wire(5, schema, post_of)
        batch = messages([value, b"\0\0\0\0\x05\xff", b"\0\0\0\0\x06a"], first=10)
        aside = [part for part in parts_of(batch, reads) if part.poison]
        assert [(part.poison[0][0], part.poison[0][2]) for part in aside] == [
            (11, "Avro: it does not fit its schema"),
            (12, "Avro: the schema registry does not have its schema"),
        ]
        (row,) = digests(reads, WANTED)(iter([batch]))
        assert Digest.of_bytes(row["body"][0].as_py()).posts["text"].to_pylist() == ["green tea"]
    assert parts_of(batch, task)[0].poison[0][2] == "Avro, and no schema registry is named"


def test_raw_records_come_along_where_they_are_kept(task: Task) -> None:
    values = [record(0, "tea"), b'{"a":\n1}']
    assert parts_of(messages(values), task)[0].raw == b""
    (part,) = parts_of(messages(values), replace(task, keep_raw=True))
    assert raw_of(part) == values[0] + b'\n{"a": 1}\n'
