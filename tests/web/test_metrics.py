"""`GET /metrics`: what the home holds and what this process did, behind the same guard as everything else."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import wait_until
from tests.services.otlp import collecting
from tests.web.conftest import Served

from groundswell.settings import Settings
from groundswell.telemetry import metrics as counted
from groundswell.web.metrics import MOST_SOURCES
from groundswell.web.metrics_port import metrics_served

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(address: str, **headers: str) -> Values:
    answer = httpx.get(f"{address}/metrics", headers=headers, timeout=60)
    answer.raise_for_status()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(values: Values, name: str, **labels: str) -> float | None:
    return values.get((name, tuple(sorted(labels.items()))))


def record(number: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"id": str(number), "text": "side effects", "created_at": now, "user_name": f"u{number}"}


@pytest.fixture
def root(served: Served) -> str:
    return f"http://127.0.0.1:{served.port}"


def test_what_was_pushed_is_counted_and_waits_for_its_readers(served: Served, root: str) -> None:
    lines = "\n".join(json.dumps(record(number)) for number in range(7))
    assert served.client.post("/records", content=lines).status_code == 202
    served.client.post("/trackers", json={"name": "a", "query": "side effects"})
    values = read(root)
    assert of(values, "groundswell_bus_records_total") == 7
    assert of(values, "groundswell_lag_records", reader="watch") == 7
    assert of(values, "groundswell_lag_records", reader="lake") == 7
    assert (of(values, "groundswell_lag_seconds", reader="lake") or 0) > 0
    assert of(values, "groundswell_trackers") == 1
    assert of(values, "groundswell_watching") == 0
    assert all(of(values, "groundswell_unreadable", part=part) == 0 for part in ("ledger", "bus", "desk", "lake"))


def test_the_tables_of_the_lake_have_their_sizes(
    served: Served, root: str, make_posts: Callable[..., pa.Table]
) -> None:
    posts = make_posts([{"post_id": str(number), "text": "shoe"} for number in range(3)])
    served.services.lake.append("posts", posts)
    values = read(root)
    assert of(values, "groundswell_lake_rows", table="posts") == 3
    assert of(values, "groundswell_lake_files", table="posts") == 1
    assert (of(values, "groundswell_lake_bytes", table="posts") or 0) > 0
    assert of(values, "groundswell_lake_rows", table="comments") is None


def test_requests_are_counted_by_the_template_of_their_route(served: Served, root: str) -> None:
    counted.listen()
    try:
        served.client.get("/topics/nothing")
        httpx.get(f"{root}/no/such/page/anywhere.php")
        values = read(root)
    finally:
        counted.leave()
    name = "groundswell_http_requests_total"
    assert of(values, name, method="GET", route="/api/v1/topics/{topic}", status="404") == 1
    assert not any(key[0] == name and "anywhere" in str(key) for key in values)


def test_a_part_that_cannot_be_read_is_named_and_the_others_are_told(
    served: Served, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from groundswell.errors import UnavailableError

    def unavailable() -> int:
        what = "the disk is gone"
        raise UnavailableError(what)

    monkeypatch.setattr(served.services.journal, "next_record", unavailable)
    values = read(root)
    assert of(values, "groundswell_unreadable", part="bus") == 1
    assert of(values, "groundswell_bus_records_total") is None
    assert of(values, "groundswell_trackers") == 0


def test_many_sources_do_not_become_many_series(served: Served, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = MOST_SOURCES + 20
    columns = {name: [1] * sources for name in ("received", "stored", "known", "rejected", "ignored")}
    table = pa.table({"source": [f"s{n}" for n in range(sources)], "quarter": [0] * sources, **columns})
    monkeypatch.setattr(served.services.books, "sums", lambda: table)
    values = read(root)
    assert of(values, "groundswell_records_total", source="other", fate="received") == 20
    assert sum(key[0] == "groundswell_records_total" for key in values) == 5 * (MOST_SOURCES + 1)


def test_strangers_get_no_metrics(root: str) -> None:
    assert httpx.get(f"{root}/metrics", headers={"Host": "evil.example"}).status_code == 421


def test_a_watch_without_a_page_has_metrics_on_a_port_of_its_own(settings: Settings) -> None:
    try:
        with metrics_served(settings, 0) as address:
            values = read(address.removesuffix("/metrics"))
            assert of(values, "groundswell_build_info", version="0.1.0") == 1
            assert httpx.get(address.replace("/metrics", "/api/v1/status")).status_code == 404
    finally:
        counted.leave()


@pytest.mark.service
def test_a_served_watch_is_measured_traced_and_logged(start: Callable[..., Any]) -> None:
    with collecting() as spans:
        process = start(
            "--port",
            "0",
            OTEL_EXPORTER_OTLP_ENDPOINT=spans.endpoint,
            OTEL_SERVICE_NAME="gs",
            GROUNDSWELL_LOG_FORMAT="json",
            GROUNDSWELL_LOG_LEVEL="debug",
            GROUNDSWELL_COMMIT_EVERY="0.5",
        )
        address = process.address()
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with httpx.Client(base_url=f"{address}/api/v1", timeout=60, headers={"traceparent": parent}) as client:
            client.post("/trackers", json={"name": "a", "query": "side effects"})
            client.post("/records", content="\n".join(json.dumps(record(n)) for n in range(50)))

        def all_done() -> bool:
            values = read(address)
            stored = {key: value for key, value in values.items() if key[0] == "groundswell_records_total"}
            return sum(value for key, value in stored.items() if ("fate", "stored") in key[1]) == 50 and all(
                of(values, "groundswell_lag_records", reader=reader) == 0 for reader in ("watch", "lake")
            )

        wait_until(all_done, what="watch and lake to have all records")
        values = read(address)
        code, said = process.end(signal.SIGTERM)
    assert code == 0
    assert of(values, "groundswell_reader_records_total", reader="watch") == 50
    assert of(values, "groundswell_reader_records_total", reader="lake") == 50
    assert (of(values, "groundswell_stage_seconds_count", part="watch", stage="step") or 0) >= 1
    assert (of(values, "groundswell_watermark_delay_seconds") or 0) > 0
    stages = {"plan", "read", "parse", "step", "checkpoint", "publish"}
    assert {f"watch.{stage}" for stage in stages} | {"lake.batch", "lake.commit"} <= set(spans.names)
    request = spans.one("POST /api/v1/records")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == tuple(parent.split("-")[1:3])
    assert spans.facts(request)["http.response.status_code"] == 202
    assert spans.resource["service.name"] == "gs"
    lines = [json.loads(line) for line in said.splitlines()]
    assert {"POST /api/v1/records 202", "stopped"} <= {line["message"] for line in lines}
