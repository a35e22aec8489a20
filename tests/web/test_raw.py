"""The record behind a post over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.importing import Options, import_paths
from groundswell.lake import Lake
from groundswell.settings import Settings


def test_the_record_behind_a_post_is_given_and_a_missing_post_is_a_problem(
    settings: Settings, tmp_path: Path, client: httpx.Client
) -> None:
    record = {"itemInfos": {"id": "a/b", "text": "hello", "createTime": "1700000000"}, "authorInfos": {}}
    path = tmp_path / "a.ndjson"
    path.write_text(2 * (json.dumps(record) + "\n"))
    engine = open_engine(settings)
    with open_desk(settings) as desk:
        import_paths([str(path)], Options(), Lake.open(settings), desk, engine, settings)
    engine.close()
    answer = client.get("/posts/tiktok/a%2Fb/raw")
    assert answer.status_code == 200, answer.text
    (seen,) = answer.json()["observations"]
    assert json.loads(seen["text"]) == record
    assert (seen["origin"], seen["origin_offset"], seen["form"]) == (str(path), 0, "ndjson")
    missing = client.get("/posts/tiktok/none/raw")
    assert missing.status_code == 404
    assert "no such post" in missing.json()["detail"]
