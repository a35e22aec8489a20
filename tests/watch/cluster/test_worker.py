from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.services.jetstream import post

from groundswell.testing.streams import tracker
from groundswell.watch.cluster.worker import (
    PARTITIONS,
    SLICES,
    Normal,
    Task,
    digests,
    posts,
    slices_of,
    table_of,
    whole_posts,
)
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


def test_rows_for_the_lake_are_stored_refused_or_too_long(task: Task) -> None:
    values = [record(0, "tea"), b"not JSON", b"x" * 3_000, record(3, "coffee")]
    (row,) = posts(task)(iter([messages(values, first=10)]))
    parts = msgspec.msgpack.decode(row["body"][0].as_py(), type=list[Normal])
    assert {part.origin for part in parts} == {"posts/3"}
    stored = table_of(parts[0].tables["posts"])
    assert stored["text"].to_pylist() == ["tea", "coffee"]
    assert stored["origin_offset"].to_pylist() == [10, 13]
    refused = [table_of(part.rejected).to_pylist() for part in parts]
    assert [(rows[0]["origin_offset"], rows[0]["reason"][:12]) for rows in refused] == [
        (11, "not JSON"),
        (12, "record is ov"),
    ]
