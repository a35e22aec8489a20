"""What stages tell becomes metrics of the right names, in the format that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from groundswell.telemetry import count, level, metrics, stage


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    metrics.listen()
    yield
    metrics.leave()


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0


def test_seconds_and_errors_of_stages_are_counted() -> None:
    before = value("groundswell_stage_seconds_count", part="t", stage="one")
    with stage("t", "one"):
        pass
    with pytest.raises(KeyError), stage("t", "one"):
        raise KeyError
    assert value("groundswell_stage_seconds_count", part="t", stage="one") == before + 2
    assert value("groundswell_errors_total", part="t", stage="one") >= 1


def test_counts_and_levels_have_their_metric() -> None:
    before = value("groundswell_reader_records_total", reader="watch")
    count("records_done", 5, "watch")
    level("kafka_lag", 7, "posts", "0")
    assert value("groundswell_reader_records_total", reader="watch") == before + 5
    assert value("groundswell_kafka_lag_records", topic="posts", partition="0") == 7


def test_several_sources_are_written_as_one_document() -> None:
    other = CollectorRegistry()
    Counter("elsewhere", "Of another registry.", registry=other).inc(3)
    body, kind = metrics.exposition(metrics.Together(other, metrics.REGISTRY), "text/plain")
    assert kind.startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(body.decode())}
    assert {"elsewhere", "groundswell_stage_seconds", "process_resident_memory_bytes"} <= names
    open_body, open_kind = metrics.exposition(other, "application/openmetrics-text; version=1.0.0")
    assert open_kind.startswith("application/openmetrics-text")
    assert open_body.endswith(b"# EOF\n")
