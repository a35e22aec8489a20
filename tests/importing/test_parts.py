"""A large file is imported in parts, and goes on where it was."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.importing.killing import KilledError, dying_at

from groundswell.lake import Appender, Lake
from groundswell.settings import load_settings

#: MiB of content between commits.
COMMIT = 1


def items(count: int) -> list[dict[str, Any]]:
    """Posts of which some come twice, and comments among them."""
    found: list[dict[str, Any]] = []
    for n in range(count):
        item = {"id": str(n % (count - 7)), "text": f"post {n} {'word ' * 60}", "createTime": str(1_640_000_000 + n)}
        found.append({"authorInfos": {}, "itemInfos": item})
        if not n % 50:
            found.append(comment(n))
    return found


def comment(n: int) -> dict[str, Any]:
    snippet = {
        "videoId": "v",
        "textDisplay": f"comment {n}",
        "textOriginal": f"comment {n}",
        "authorDisplayName": "a",
        "authorChannelId": {"value": "c"},
        "publishedAt": "2021-01-02T03:04:05Z",
        "likeCount": n,
    }
    return {"kind": "youtube#comment", "id": f"c{n}", "snippet": snippet}


def ndjson(count: int) -> bytes:
    lines = [json.dumps(item) for item in items(count)]
    return "".join(f"{line}\n" if n % 101 else f"broken {n}\n{line}\n" for n, line in enumerate(lines)).encode()


def table(count: int) -> bytes:
    rows = [f'{n % (count - 7)},"text {n}, {"word " * 20}",2024-01-02T03:04:05Z' for n in range(count)]
    rows = [row if n % 101 else f"{row},more" for n, row in enumerate(rows)]
    return "\n".join(["id,text,created_at", *rows]).encode()


FORMS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "plain": ("in.ndjson", lambda: ndjson(6_500)),
    "packed": ("in.ndjson.gz", lambda: gzip.compress(ndjson(6_500), 1)),
    "document": ("in.json", lambda: json.dumps({"items": items(6_500)}, indent=1).encode()),
    "table": ("in.csv", lambda: table(60_000)),
}


@pytest.fixture(params=FORMS)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name, content = FORMS[request.param]
    path = tmp_path / name
    path.write_bytes(content())
    return path


def state(workshop: Any) -> dict[str, Any]:
    """What must be the same, however often the import was interrupted."""
    lake: Lake = workshop.lake
    ledger = lake.read("ledger", ["received", "stored", "known", "rejected", "ignored"]).to_pylist()
    tables = {}
    for name, id_ in (("posts", "post_id"), ("comments", "comment_id")):
        rows = lake.read(name, ["ingest_seq", id_, "key", "origin_offset"]).sort_by("ingest_seq")
        tables[name] = rows.drop_columns(["ingest_seq"]).to_pylist()
    return {
        "tables": tables,
        "quarantine": sorted(lake.read("quarantine", ["id"])["id"].to_pylist()),
        "ledger": {name: sum(row[name] for row in ledger) for name in ledger[0]},
    }


def without_time(document: dict[str, Any]) -> dict[str, Any]:
    files = [{k: v for k, v in file.items() if k != "seconds"} for file in document["files"]]
    return {**document, "seconds": None, "files": files}


def parts_of(workshop: Any) -> int:
    table = workshop.lake.delta("posts")
    assert table is not None
    return sum("part" in entry for entry in table.history())


def test_an_import_in_parts_is_that_of_one_part(
    workshop: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = workshop.import_(file)
    reference = state(workshop)
    again = fresh(workshop, tmp_path / "other")
    assert without_time(again.import_(file)) == without_time(expected)
    assert parts_of(again) >= 3
    assert state(again) == reference


def fresh(workshop: Any, home: Path) -> Any:
    """The same workshop with a new home and small parts."""
    workshop.desk.close()
    workshop.settings = load_settings(home=home, threads=2, import_commit=COMMIT, keep_raw=False)
    from groundswell.desk import open_desk

    workshop.desk = open_desk(workshop.settings)
    workshop.lake = Lake.open(workshop.settings)
    return workshop


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_kill_around_each_commit_of_each_part_changes_nothing(
    first: bool, workshop: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fresh(workshop, tmp_path / "reference").import_(file)
    reference = state(workshop)
    monkeypatch.setattr("groundswell.importing.unit.companions", lambda *_: [])
    for commit in range(1, 40):
        home = fresh(workshop, tmp_path / f"home-{commit}")
        with monkeypatch.context() as patch:
            patch.setattr(Appender, "commit", dying_at(commit, before=(commit % 2 == 1) == first))
            patch.setattr("groundswell.importing.imports._Import._fail", lambda *_: None)
            try:
                home.import_(file)
            except KilledError:
                pass
            else:
                break
        assert without_time(home.import_(file)) == without_time(expected), commit
        assert state(home) == reference, commit
    assert commit > 6


def test_what_was_committed_is_not_read_again(workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "in.ndjson"
    file.write_bytes(ndjson(6_500))
    home = fresh(workshop, tmp_path / "home")
    with monkeypatch.context() as patch:
        patch.setattr("groundswell.importing.imports._Import._fail", lambda *_: None)
        patch.setattr("groundswell.importing.unit.write_ledger", die_at_second())
        with pytest.raises(KilledError):
            home.import_(file)
    stored = home.lake.count()
    assert stored > 0
    numbers: list[int] = []
    real = Appender.write

    def noted(self: Appender, rows: Any) -> None:
        if "post_id" in rows.column_names:
            numbers.extend(rows["origin_offset"].to_pylist())
        real(self, rows)

    monkeypatch.setattr(Appender, "write", noted)
    home.import_(file)
    assert min(numbers) > max(row["origin_offset"] for row in home.posts("origin_offset")[:stored])


def die_at_second() -> Callable[..., None]:
    from groundswell.importing import unit

    real, calls = unit.write_ledger, 0

    def write(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KilledError
        real(*arguments)

    return write


def test_a_file_that_has_changed_meanwhile_starts_anew(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "in.ndjson"
    file.write_bytes(ndjson(6_500))
    home = fresh(workshop, tmp_path / "home")
    with monkeypatch.context() as patch:
        patch.setattr("groundswell.importing.imports._Import._fail", lambda *_: None)
        patch.setattr("groundswell.importing.unit.write_ledger", die_at_second())
        with pytest.raises(KilledError):
            home.import_(file)
    stored = home.lake.count()
    content = ndjson(6_500)
    file.write_bytes(content + content.splitlines(keepends=True)[5])
    done = home.import_(file)
    whole = json.loads(json.dumps(done))
    assert whole["read"] > 6_500
    assert done["known"] >= stored
    assert home.lake.count() == 6_500 - 7
    ledger = home.lake.read("ledger", ["stored"])["stored"].to_pylist()
    assert sum(ledger) == home.lake.count() + home.lake.count("comments")
