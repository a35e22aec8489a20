"""An import tells a collector what it did: a span a file, and within it reading, mapping, writing and the commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.services.otlp import collecting

from groundswell.desk import Desk
from groundswell.engines import open_engine
from groundswell.importing import Options, import_paths
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.telemetry import tracing


def test_the_stages_of_an_import_are_spans_of_one_trace(
    tmp_path: Path, settings: Settings, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = {"text": "shoe", "created_at": "2026-11-19T10:00:00Z", "user_name": "u"}
    file = tmp_path / "a.ndjson"
    file.write_text("".join(json.dumps({**post, "id": str(n)}) + "\n" for n in range(5)))
    engine = open_engine(settings)
    with collecting() as spans:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", spans.endpoint)
        sent = tracing.listen()
        assert sent is not None
        try:
            import_paths([str(file)], Options(), Lake.open(settings), desk, engine, settings)
        finally:
            sent.close()
            engine.close()
        whole = spans.one("import.file")
        assert spans.facts(whole)["groundswell.stored"] == 5
        assert spans.facts(whole)["groundswell.file"] == str(file)
        for name in ("import.read", "import.query", "import.write", "import.commit"):
            assert spans.one(name).trace_id == whole.trace_id, name
        assert spans.one("import.write").parent_span_id == whole.span_id
