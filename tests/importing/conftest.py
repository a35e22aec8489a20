"""A workshop: engine, desk and lake of a home of its own, and an import that returns its document."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from groundswell.desk import Desk, open_desk
from groundswell.engines import Engine, open_engine
from groundswell.importing import Options, import_paths
from groundswell.lake import Lake
from groundswell.settings import Settings


@dataclass
class Workshop:
    """What an import needs."""

    settings: Settings
    engine: Engine
    desk: Desk
    lake: Lake

    def import_(self, *paths: Path | str, stdin: bytes | None = None, **options: Any) -> dict[str, Any]:
        """Import; the JSON document, with its exit code, after the sums were checked."""
        stream = None if stdin is None else io.BytesIO(stdin)
        summary = import_paths(
            [str(p) for p in paths], Options(**options), self.lake, self.desk, self.engine, self.settings, stdin=stream
        )
        document = summary.document()
        balanced(document)
        for file in document["files"]:
            balanced(file)
            for layout in file["layouts"]:
                balanced(layout)
                assert sum(layout["reasons"].values()) == layout["rejected"]
        assert list(self.settings.tmp_path.glob("*.ndjson")) == []
        return document | {"exit_code": summary.exit_code}

    def posts(self, *columns: str) -> list[dict[str, Any]]:
        """Rows of the lake in the order of their numbers."""
        rows = self.lake.read("posts", [*columns, "ingest_seq"]).sort_by("ingest_seq")
        found: list[dict[str, Any]] = rows.drop_columns(["ingest_seq"]).to_pylist()
        return found

    def quarantine(self) -> list[dict[str, Any]]:
        """Rows of the quarantine by row number."""
        found: list[dict[str, Any]] = (
            self.lake.read("quarantine").sort_by([("origin", "ascending"), ("row", "ascending")]).to_pylist()
        )
        return found


def balanced(counts: Mapping[str, Any]) -> None:
    """read = stored + known + rejected + ignored."""
    assert counts["read"] == counts["stored"] + counts["known"] + counts["rejected"] + counts["ignored"]


@pytest.fixture
def workshop(settings: Settings) -> Iterator[Workshop]:
    """An empty workshop."""
    engine = open_engine(settings)
    with open_desk(settings) as desk:
        yield Workshop(settings, engine, desk, Lake.open(settings))
    engine.close()
