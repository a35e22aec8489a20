"""Sources, what came in over time, and the ledger, through the REST API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from groundswell.schema import LEDGER
from groundswell.web.data_models import Counts
from groundswell.web.inflow import _slots
from groundswell.web.services import Services

HOUR = 3_600_000_000
QUARTER = 900_000_000


def write(services: Services, source: str, origin: str, quarter: int, received: int, rejected: int = 0) -> None:
    """One row of the ledger."""
    counts = [received, received - rejected, 0, rejected, 0]
    row = ["batch", source, origin, quarter // QUARTER * QUARTER, *counts]
    arrays = [pa.array([value], column.type) for value, column in zip(row, LEDGER, strict=True)]
    services.lake.append("ledger", pa.table(arrays, schema=LEDGER))


def slots(answer: httpx.Response, source: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(each["slots"] for each in answer.json()["items"] if each["source"] == source)
    return found


def test_an_empty_home_has_no_source_and_nothing_came_in(client: httpx.Client) -> None:
    assert client.get("/ledger").json() == {"items": [], "connections": []}
    assert client.get("/sources").json() == {
        "items": [],
        "posts": 0,
        "authors": 0,
        "comments": 0,
        "bytes": 0,
        "held": 0,
    }
    assert client.get("/inflow").json()["items"] == []


def test_a_source_says_what_came_lately_and_in_all(served: Any) -> None:
    services, now = served.services, served.services.now()
    write(services, "push", "journal:push", now, 40, 2)
    write(services, "push", "journal:push", now - 30 * HOUR, 100)
    write(services, "import", "a.csv", now - 50 * HOUR, 7)
    write(services, "import", "b.csv", now - 50 * HOUR, 8, 1)
    services.journal.heartbeat("push", now - 20 * 1_000_000)
    services.journal.heartbeat("push", now)

    push, files = served.client.get("/sources").json()["items"]

    assert push["last_day"] == {"received": 40, "stored": 38, "known": 0, "rejected": 2, "ignored": 0}
    assert (push["total"]["received"], push["kind"], push["connected"], push["files"]) == (140, "stream", True, None)
    assert (push["waiting"], push["lag_s"]) == (0, 0.0)
    assert (files["name"], files["kind"], files["files"], files["total"]["rejected"]) == ("import", "files", 2, 1)
    assert (files["connected"], files["connected_since"], files["waiting"], files["lag_s"]) == (None, None, None, None)


def test_records_that_the_lake_does_not_have_yet_are_waiting(served: Any) -> None:
    served.client.post("/records", content=b'{"id": "1"}\n{"id": "2"}\n')

    (push,) = served.client.get("/sources").json()["items"]

    assert (push["name"], push["waiting"], push["total"]["received"]) == ("push", 2, 0)
    assert 0 <= push["lag_s"] < 60
    assert push["last_received_at"] is not None


def test_the_ledger_is_summed_anew_when_it_grows_and_when_its_files_are_joined(served: Any) -> None:
    from groundswell.lake.maintenance import compact

    services, now = served.services, served.services.now()
    for number in range(3):
        write(services, "push", "journal:push", now, 10 + number)
        rows = served.client.get("/ledger").json()["items"]
        assert [row["received"] for row in rows] == [sum(range(10, 11 + number))]

    compact(services.lake, "ledger")

    (row,) = served.client.get("/ledger").json()["items"]
    assert row["received"] == 33


def test_the_ledger_is_limited_to_a_source_and_a_time(served: Any) -> None:
    services, now = served.services, served.services.now()
    write(services, "push", "journal:push", now, 1)
    write(services, "push", "journal:push", now - 5 * HOUR, 2)
    write(services, "import", "a.csv", now, 3)
    since = httpx.QueryParams({"since": f"{(now - HOUR) // 1_000_000}", "source": "push"})

    assert [row["received"] for row in served.client.get("/ledger", params=since).json()["items"]] == [1]
    assert len(served.client.get("/ledger", params={"limit": 2}).json()["items"]) == 2


def test_an_hour_without_its_source_is_a_gap_and_an_hour_without_posts_is_quiet(served: Any) -> None:
    services, now = served.services, served.services.now()
    start = now // HOUR * HOUR - 4 * HOUR
    with services.journal._errors(), services.journal._write_lock:
        for began, ended in ((start, start + 2 * HOUR), (start + 3 * HOUR, now)):
            services.journal._writer.execute("INSERT INTO connections VALUES ('push', ?, ?)", (began, ended))
    write(services, "push", "journal:push", start, 60)
    write(services, "push", "journal:push", start + QUARTER, 6)
    write(services, "push", "journal:push", start + 3 * HOUR, 30, 3)

    shown = slots(served.client.get("/inflow", params={"hours": 6}), "push")

    assert [slot["state"] for slot in shown] == ["before", "data", "quiet", "gap", "data", "quiet"]
    assert [slot["counts"]["received"] for slot in shown] == [0, 66, 0, 0, 30, 0]
    assert [slot["connected"] for slot in shown[1:5]] == [1.0, 1.0, 0.0, 1.0]


def test_files_have_no_gaps(served: Any) -> None:
    services, now = served.services, served.services.now()
    write(services, "import", "a.csv", now - 3 * HOUR, 5)

    shown = slots(served.client.get("/inflow", params={"hours": 4}), "import")

    assert {slot["state"] for slot in shown} <= {"data", "quiet", "before"}
    assert {slot["connected"] for slot in shown} == {None}


def test_a_replay_of_old_records_is_data_though_nothing_was_connected_then() -> None:
    from groundswell.bus import Connected

    counted = {0: Counts(received=5, stored=5)}

    shown = list(_slots(counted, [Connected("push", 9 * HOUR, 10 * HOUR)], 0, range(0, HOUR, HOUR), 10 * HOUR, False))

    assert [(slot.state, slot.connected) for slot in shown] == [("data", None)]


@pytest.mark.parametrize(
    ("query", "status"), [({"step": 1000}, 400), ({"step": 60}, 422), ({"hours": 2000, "step": 900}, 400)]
)
def test_stretches_that_the_ledger_cannot_give_are_refused(
    client: httpx.Client, query: dict[str, int], status: int
) -> None:
    assert client.get("/inflow", params=query).status_code == status


def test_the_stock_counts_what_is_on_the_disk(served: Any, tmp_path: Path) -> None:
    write(served.services, "push", "journal:push", served.services.now(), 1)

    assert served.client.get("/sources").json()["bytes"] > 0
