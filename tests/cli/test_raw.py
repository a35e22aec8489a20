"""`raw`, `remap`, `drift` and `maintain` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.documents import DOCUMENTS

Run = Callable[..., Any]


def record(number: int, **more: Any) -> dict[str, Any]:
    item = {"id": str(7_000_000_000_000_000_000 + number), "text": "a #tag", "createTime": "1700000000", "playCount": 5}
    return {"itemInfos": item | more, "authorInfos": {"uniqueId": "somebody"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "posts.ndjson"
    path.write_text("".join(json.dumps(record(n)) + "\n" for n in range(300)))
    return path


def check(verb: str, ran: Any) -> Any:
    assert ran.code == 0, ran.err
    DOCUMENTS[verb].model_validate_json(ran.out, strict=True)
    return ran.document


def test_the_record_of_a_post_is_shown_also_when_the_file_is_gone(cli: Run, file: Path) -> None:
    lines = file.read_text().splitlines()
    assert cli("import", file).code == 0
    file.unlink()
    shown = check("raw", cli("raw", "tiktok:7000000000000000007", "--json"))
    (seen,) = shown["observations"]
    assert json.loads(seen["text"]) == json.loads(lines[7])
    assert seen["origin_offset"] == sum(len(line) + 1 for line in lines[:7])
    by_key = check("raw", cli("raw", seen["key"], "--json"))
    assert by_key["observations"] == shown["observations"]
    plain = cli("raw", "tiktok:7000000000000000007")
    assert '"id": "7000000000000000007"' in plain.out
    assert "tiktok.nested version 1" in plain.out


def test_what_is_not_kept_says_so(cli: Run, file: Path) -> None:
    assert cli("import", "--no-raw", file).code == 0
    (seen,) = cli("raw", "tiktok:7000000000000000007", "--json").document["observations"]
    assert seen["text"] is None
    assert "--no-raw" in seen["why"]


@pytest.mark.parametrize(("post", "said"), [("tiktok:1", "no such post"), ("hello", "not a post")])
def test_a_post_that_is_none_says_how_to_name_one(cli: Run, file: Path, post: str, said: str) -> None:
    cli("import", file)
    ran = cli("raw", post)
    assert ran.code != 0
    assert said in ran.err


def test_a_renamed_key_is_told_after_the_import_and_by_drift(cli: Run, file: Path, tmp_path: Path) -> None:
    cli("import", file)
    changed = tmp_path / "later.ndjson"
    changed.write_text("".join(json.dumps(record(1_000 + n, playCount=None, viewCount=5)) + "\n" for n in range(300)))
    told = cli("import", changed)
    assert "`views` fell from 100% to 0%" in told.err
    found = check("drift", cli("drift", "--json"))
    (notice,) = found["notices"]
    assert (notice["state"], notice["layout"], notice["field"]) == ("open", "tiktok.nested", "views")
    assert notice["instead"][0]["key"] == "itemInfos.viewCount"
    assert "instead? itemInfos.viewCount" in cli("drift").out
    assert "views" in cli("drift", "--layout", "tiktok.nested").out
    assert cli("drift", "--layout", "tiktok.nestd").code == 2


def test_without_an_older_version_there_is_nothing_to_remap(cli: Run, file: Path) -> None:
    cli("import", file)
    assert check("remap", cli("remap", "--json"))["tables"] == []
    named = check("remap", cli("remap", "--layout", "tiktok.nested", "--json"))
    assert named["tables"][0]["replaced"] == 300
    assert named["tables"][0]["changed"] == 0
    assert "nothing was written" in cli("remap", "--layout", "tiktok.nested").err


def test_maintenance_removes_raw_content_that_is_too_old(
    cli: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("import", file)
    assert check("maintain", cli("maintain", "--json"))["raw_forgotten"] == 0
    monkeypatch.setenv("GROUNDSWELL_RAW_DAYS", "0.0000000001")
    done = check("maintain", cli("maintain", "--json"))
    assert (done["raw_forgotten"], done["raw_objects"]) == (1, 1)
    assert list((tmp_path / "home" / "lake" / "raw").rglob("*.zst")) == []
    (seen,) = cli("raw", "tiktok:7000000000000000007", "--json").document["observations"]
    assert seen["text"] is None
