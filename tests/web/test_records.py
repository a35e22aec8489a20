from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from groundswell.bus.joined import JoinedRecords
from groundswell.settings import load_settings
from groundswell.web import bodies
from groundswell.web.problems import TooLargeError

RECORDS = [{"id": str(number), "text": f"word {number}"} for number in range(3)]
LINES = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
NDJSON = {"Content-Type": "application/x-ndjson"}


def stored(served: Any) -> list[bytes]:
    blocks = served.services.journal.read(0, 10_000, 1 << 30)
    return [record for block in blocks for record in block.records]


def decoded(served: Any) -> list[object]:
    return [json.loads(record) for record in stored(served)]


def test_lines_are_in_the_journal_when_the_answer_comes(served: Any) -> None:
    answer = served.client.post("/records", content=LINES, headers=NDJSON)

    assert answer.status_code == 202
    assert answer.json() == {"received": 3, "first": 0, "last": 2}
    assert decoded(served) == RECORDS


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(RECORDS).encode(), "application/json"),
        (json.dumps(RECORDS, indent=2).encode(), "application/json"),
        (json.dumps(RECORDS).encode(), "text/plain"),
        (LINES.replace(b"\n", b"\r\n\r\n"), "application/x-ndjson"),
        (b"\xef\xbb\xbf" + LINES.rstrip(), "application/octet-stream"),
    ],
    ids=["array", "pretty array", "array of no type", "lines of Windows", "lines with a BOM and no type"],
)
def test_every_form_gives_the_same_records(served: Any, body: bytes, kind: str) -> None:
    answer = served.client.post("/records", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 202, answer.text
    assert decoded(served) == RECORDS


def test_a_single_object_is_one_record_without_a_line_break(served: Any) -> None:
    served.client.post(
        "/records", content=json.dumps(RECORDS[0], indent=1), headers={"Content-Type": "application/json"}
    )

    (record,) = stored(served)
    assert b"\n" not in record
    assert json.loads(record) == RECORDS[0]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(LINES, mtime=0)),
        ("gzip", b"".join(gzip.compress(line, mtime=0) for line in LINES.splitlines(keepends=True))),
        ("zstd", zstandard.ZstdCompressor().compress(LINES)),
        ("zstd", b"".join(zstandard.ZstdCompressor().compress(line) for line in LINES.splitlines(keepends=True))),
    ],
    ids=["gzip", "gzip members", "zstd", "zstd frames"],
)
def test_compressed_bodies_are_understood(served: Any, encoding: str, body: bytes) -> None:
    answer = served.client.post("/records", content=body, headers={**NDJSON, "Content-Encoding": encoding})

    assert answer.status_code == 202, answer.text
    assert decoded(served) == RECORDS


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        ({}, b"", 400, "no record"),
        (NDJSON, b"\n \n", 400, "no record"),
        ({"Content-Type": "application/json"}, b"[]", 400, "no record"),
        ({"Content-Type": "application/json"}, b'{"a": ', 400, "not JSON"),
        ({"Content-Type": "application/json"}, LINES, 400, "not JSON"),
        ({"Content-Encoding": "br"}, LINES, 400, "no content encoding `br`"),
        ({"Content-Encoding": "gzip"}, LINES, 400, "broken"),
        ({"Content-Encoding": "gzip"}, gzip.compress(LINES, mtime=0)[:-9], 400, "ends too early"),
        ({"Content-Encoding": "zstd"}, zstandard.ZstdCompressor().compress(LINES)[:-3], 400, "ends too early"),
        ({"Content-Encoding": "zstd"}, b"\x28\xb5\x2f\xfd nonsense", 400, "broken"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b" " * (bodies.MAX_BODY + 1), mtime=0), 413, "larger than 64 MiB"),
        (
            {"Content-Encoding": "zstd"},
            zstandard.ZstdCompressor().compress(b" " * (bodies.MAX_BODY + 1)),
            413,
            "larger than 64 MiB",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_whole_with_the_reason(
    served: Any, headers: dict[str, str], body: bytes, status: int, said: str
) -> None:
    answer = served.client.post("/records", content=body, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert stored(served) == []


def test_a_body_that_is_too_large_is_refused_by_its_length(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY", 100)

    assert client.post("/records", content=b"{}\n" * 34).status_code == 413


def test_a_body_of_unknown_length_is_cut_off(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY", 10_000)

    answer = client.post("/records", content=(b"{}\n" * 1_000 for _ in range(20)), headers=NDJSON)

    assert answer.status_code == 413


_PIECES = [b"{}", b"one", b"\n", b"\n", b"\r", b" ", b"[", b"\xef\xbb\xbf", b"x y"]


@given(st.lists(st.sampled_from(_PIECES), max_size=9).map(b"".join), st.sampled_from(["application/x-ndjson", ""]))
def test_lines_are_the_same_looked_at_together_or_one_by_one(body: bytes, kind: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "_WORTH", 1)
        together = bodies._as_they_stand(body, kind)
    assert together is None or list(together) == bodies.split_records(body, kind)


def test_many_plain_lines_stay_as_they_stand() -> None:
    body = LINES * 300
    records = bodies._records_of(body, "", "application/x-ndjson", 1024)
    assert isinstance(records, JoinedRecords)
    assert list(records) == body.split(b"\n")[:-1]
    with pytest.raises(TooLargeError, match="record 1 has"):
        bodies._records_of(body, "", "application/x-ndjson", 10)


def test_a_record_over_the_limit_is_named() -> None:
    body = b"{}\n" + b'{"a": "' + b"x" * 2000 + b'"}'

    with pytest.raises(TooLargeError, match="record 2 has 2,009 bytes; at most 1,024"):
        bodies._records_of(body, "", "application/x-ndjson", load_settings(max_record=1024).max_record)


def test_the_source_and_how_to_read_it_stand_with_the_records(served: Any) -> None:
    query = {"source": "crawler", "layout": "generic.table", "tz": "Europe/Paris", "map": ["text=body", "likes=hearts"]}
    served.client.post("/records", params=query, content=LINES)

    (block,) = served.services.journal.read(0, 10, 1 << 20)
    assert block.source == "crawler"
    assert block.hint == {
        "layout": "generic.table",
        "map": {"text": "body", "likes": "hearts"},
        "tz": "Europe/Paris",
    }


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"map": "text"}, 400, "not a mapping"),
        ({"tz": "Mars/Olympus"}, 400, "no time zone"),
        ({"source": "a b"}, 422, "source"),
    ],
)
def test_wrong_ways_to_read_are_refused(client: httpx.Client, query: dict[str, str], status: int, said: str) -> None:
    answer = client.post("/records", params=query, content=LINES)

    assert (answer.status_code, said in answer.json()["detail"]) == (status, True)


def test_a_source_that_pushes_counts_as_connected(served: Any) -> None:
    served.client.post("/records", params={"source": "crawler"}, content=LINES)

    (connection,) = served.services.journal.connections()
    assert connection.source == "crawler"


def test_a_journal_too_far_ahead_pushes_back(served: Any, monkeypatch: pytest.MonkeyPatch, until: Any) -> None:
    monkeypatch.setattr(served.services.intake, "_max_behind", 2)
    assert served.client.post("/records", content=LINES).status_code == 202
    until(lambda: served.services.intake.behind == 3, what="the distance")

    answer = served.client.post("/records", content=LINES)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "10"
    assert "3 records" in answer.json()["detail"]
    assert len(stored(served)) == 3


def test_a_push_that_the_framework_looks_at_is_answered_like_one_that_it_does_not(served: Any) -> None:
    quick = served.client.post("/records", params={"source": "shop"}, content=b'{"a":1}\n{"a":2}\n')
    whole = served.client.post("/records", params={"source": "shop", "tz": "UTC"}, content=b'{"a":1}\n{"a":2}\n')
    assert (quick.status_code, whole.status_code) == (202, 202)
    assert quick.json() == {"received": 2, "first": 0, "last": 1}
    assert whole.json() == {"received": 2, "first": 2, "last": 3}
    same = set(quick.headers) - {"date", "content-length"}
    assert {name: quick.headers[name] for name in same} == {name: whole.headers[name] for name in same}
    assert served.client.post("/records", params={"source": "-"}, content=b"{}").status_code == 422
    assert served.client.post("/records", content=b"").status_code == 400
