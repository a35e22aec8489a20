"""The quarantine through the REST API: lists, counts, one record shown safely."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa

from groundswell.schema import QUARANTINE

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def hold(served: Any, *rows: tuple[str, str, str | None, bytes], state: str = "held", before: int = 0) -> list[str]:
    """Rows of (reason, origin, layout, raw), each a minute later than the one before; their ids."""
    found = []
    for number, (reason, origin, layout, raw) in enumerate(rows):
        found.append(
            {
                "id": hashlib.sha256(f"{number}{origin}{before}".encode() + raw).hexdigest(),
                "at": NOON + timedelta(minutes=number - before),
                "source": "import",
                "origin": origin,
                "origin_offset": number,
                "row": number + 1,
                "platform": None,
                "layout": layout,
                "reason": reason,
                "detail": f"{reason}: x",
                "raw": raw[:65536],
                "raw_bytes": len(raw),
                "raw_sha256": hashlib.sha256(raw).hexdigest(),
                "hint": None,
                "state": state,
            }
        )
    served.services.lake.append("quarantine", pa.Table.from_pylist(found, schema=QUARANTINE))
    return [str(row["id"]) for row in found]


def test_an_empty_quarantine_is_empty(client: httpx.Client) -> None:
    shown = client.get("/quarantine").json()

    assert shown == {"items": [], "held": 0, "reasons": {}, "by_reason": [], "by_origin": [], "by_layout": []}


def test_records_come_newest_first_with_counts_and_the_newest_of_each_reason(served: Any) -> None:
    hold(served, ("not JSON", "a", None, b"{1"), ("no time", "a", "x.table", b"two"), ("not JSON", "b", None, b"{3"))
    hold(served, ("not JSON", "c", None, b"gone"), state="resolved")

    shown = served.client.get("/quarantine", params={"state": "held", "limit": 2}).json()

    assert [row["example"] for row in shown["items"]] == ["{3", "two"]
    assert (shown["held"], shown["reasons"]) == (3, {"not JSON": 2, "no time": 1})
    assert [(share["name"], share["rows"], share["example"]) for share in shown["by_reason"]] == [
        ("not JSON", 2, "{3"),
        ("no time", 1, "two"),
    ]
    assert [(share["name"], share["rows"]) for share in shown["by_origin"]] == [("a", 2), ("b", 1)]
    assert [(share["name"], share["rows"]) for share in shown["by_layout"]] == [(None, 2), ("x.table", 1)]


def test_a_filter_narrows_the_list_and_the_other_counts(served: Any) -> None:
    hold(served, ("not JSON", "a", None, b"{1"), ("no time", "a", "x.table", b"two"), ("not JSON", "b", None, b"{3"))

    of_a = served.client.get("/quarantine", params={"origin": "a"}).json()
    assert [row["example"] for row in of_a["items"]] == ["two", "{1"]
    assert {share["name"]: share["rows"] for share in of_a["by_reason"]} == {"not JSON": 1, "no time": 1}
    assert {share["name"]: share["rows"] for share in of_a["by_origin"]} == {"a": 2, "b": 1}
    unclaimed = served.client.get("/quarantine", params={"layout": ""}).json()
    assert [row["example"] for row in unclaimed["items"]] == ["{3", "{1"]


def test_what_is_held_is_counted_anew_when_it_changes(served: Any) -> None:
    assert served.client.get("/quarantine").json()["held"] == 0
    hold(served, ("not JSON", "a", None, b"{1"))
    assert served.client.get("/quarantine").json()["held"] == 1
    assert served.client.get("/sources").json()["held"] == 1


def test_one_record_is_shown_whole_and_safely(served: Any) -> None:
    raw = '{"a": "\u202eevil"}'.encode() + b"\xff\x00\x1b[31m<script>"
    (identity,) = hold(served, ("not JSON", "a", None, raw))

    shown = served.client.get(f"/quarantine/{identity[:12]}").json()

    assert shown["raw"] == '{"a": "\\u202eevil"}\\xff\\u0000\\u001b[31m<script>'
    assert (shown["raw_bytes"], shown["whole"], shown["id"]) == (len(raw), True, identity)
    assert shown["raw_sha256"] == hashlib.sha256(raw).hexdigest()


def test_of_an_oversized_record_the_beginning_is_shown(served: Any) -> None:
    (identity,) = hold(served, ("too large", "a", None, b"x" * 100_000))

    shown = served.client.get(f"/quarantine/{identity}").json()

    assert (len(shown["raw"]), shown["raw_bytes"], shown["whole"]) == (65536, 100_000, False)
    assert len(shown["example"]) == 300


def test_a_record_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/quarantine/abcdef")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert client.get("/quarantine/ab").status_code == 422
