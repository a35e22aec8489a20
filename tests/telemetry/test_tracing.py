"""Spans arrive at a collector as OTLP, with their names, facts, errors and parents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.otlp import Spans, collecting

from groundswell.telemetry import stage, tracing

BROKEN = "broken"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        yield found


def test_stages_are_spans_within_each_other(spans: Spans) -> None:
    sent = tracing.listen()
    assert sent is not None
    with stage("import", "file", file="a.csv") as outer, stage("import", "write", rows=7):
        outer.note(stored=6)
    with pytest.raises(ValueError, match="broken"), stage("lake", "commit"):
        raise ValueError(BROKEN)
    sent.close()
    file, write, commit = (spans.one(name) for name in ("import.file", "import.write", "lake.commit"))
    assert write.parent_span_id == file.span_id
    assert write.trace_id == file.trace_id != commit.trace_id
    assert spans.facts(file) == {"groundswell.file": "a.csv", "groundswell.stored": 6}
    assert commit.status.message == "broken"
    assert commit.events[0].name == "exception"
    assert spans.resource["service.name"] == "groundswell"


def test_after_it_was_closed_nothing_is_traced(spans: Spans) -> None:
    sent = tracing.listen()
    assert sent is not None
    sent.close()
    with stage("watch", "step"):
        assert tracing.here() == {}
    assert tracing.active() is None
    assert spans.names == []


def test_another_process_joins_the_trace_by_its_environment(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tracing.listen()
    assert first is not None
    with stage("cli", "daily"):
        variables = tracing.here()
        assert tracing.ids()["trace.id"] in variables["TRACEPARENT"]
    first.close()
    monkeypatch.setenv("TRACEPARENT", variables["TRACEPARENT"])
    second = tracing.listen()
    assert second is not None
    with stage("import", "file"):
        pass
    second.close()
    outer, inner = spans.one("cli.daily"), spans.one("import.file")
    assert (inner.trace_id, inner.parent_span_id) == (outer.trace_id, outer.span_id)


@pytest.mark.parametrize("variables", [{}, {"OTEL_SDK_DISABLED": "true"}])
def test_without_a_collector_there_are_no_traces(variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    if variables:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing.listen() is None


def test_without_the_extra_the_watch_goes_on_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert tracing.listen() is None
    assert "groundswell[tracing]" in caplog.text
