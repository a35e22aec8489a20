"""What an older layout read is read again from the raw content, compared, and exchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pytest
from tests.importing.killing import killed_at_commit

from groundswell.bus import Journal
from groundswell.desk import Desk
from groundswell.engines import Engine, open_engine
from groundswell.importing import Options, import_paths, journal_to_lake
from groundswell.importing import remap as remapping
from groundswell.importing.remap import Remapped, remap
from groundswell.lake import Lake
from groundswell.platforms import Layout, Registry, registry
from groundswell.platforms.layout import Shape
from groundswell.settings import Settings


def layout_of(version: int, views: str, *, required: str = "id", shape: Shape = Shape.OBJECT) -> Layout:
    """A layout that reads `views` from the key of that name, and refuses records without `required`."""
    from groundswell.platforms import casts

    def posts(raw: Any) -> Any:
        return casts.mapped(
            raw,
            {
                "post_id": raw.id,
                "text": raw.text,
                "created_at": casts.epoch("time", raw.time),
                "views": casts.integer("views", raw[views]),
            }
            | ({"hashtags": ibis.cases((raw.tags.length() > 0, raw.tags))} if shape is Shape.OBJECT else {}),
            rejects=[(raw[required].isnull(), f"no {required}")],
        )

    return Layout(
        platform="tiktok",
        name="made",
        version=version,
        shape=shape,
        raw=dict.fromkeys(("id", "text", "time", "plays", "views"), "string")
        | ({"tags": "array<string>"} if shape is Shape.OBJECT else {}),
        matches=lambda record: "made" in record,
        posts=posts,
    )


OLD = layout_of(1, "views", required="time")
NEW = layout_of(2, "plays")


def record(number: int, **more: Any) -> dict[str, Any]:
    base = {
        "made": 1,
        "id": str(number),
        "text": f"a #tag {number}",
        "time": "1700000000",
        "plays": number,
        "tags": ["A"],
    }
    return base | more


class Home:
    """A home whose layouts are those of a test."""

    def __init__(self, settings: Settings, desk: Desk, engine: Engine) -> None:
        self.settings, self.desk, self.engine = settings, desk, engine
        self.lake = Lake.open(settings)
        self.now = 1_800_000_000_000_000

    def import_(self, path: Path, layout: Layout, **options: Any) -> dict[str, Any]:
        self.now += 1_000_000
        done = import_paths(
            [str(path)],
            Options(**options),
            self.lake,
            self.desk,
            self.engine,
            self.settings,
            registry=Registry((layout,)),
            now=lambda: self.now,
        )
        return done.document()

    def remap(self, by: Layout, **more: Any) -> Remapped:
        return remap(self.lake, self.desk, self.engine, self.settings, registry=Registry((by,)), **more)

    def posts(self, *columns: str) -> list[dict[str, Any]]:
        names = columns or ("post_id", "views", "text", "layout_version", "origin_offset", "ingest_seq", "imported_at")
        rows: list[dict[str, Any]] = self.lake.read("posts", names).sort_by(names[0]).to_pylist()
        return rows

    def held(self) -> list[str]:
        rows: list[str] = self.lake.read("quarantine", ["reason"], {"state": "held"})["reason"].to_pylist()
        return rows


@pytest.fixture
def home(settings: Settings, desk: Desk) -> Iterator[Home]:
    engine = open_engine(settings)
    yield Home(settings, desk, engine)
    engine.close()


def write(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


def test_a_dry_run_shows_what_changes_and_changes_nothing(home: Home, tmp_path: Path) -> None:
    home.import_(write(tmp_path / "a.ndjson", [record(n) for n in range(1, 6)]), OLD)
    before = home.posts()
    done = home.remap(NEW).document()
    assert not done["written"]
    (table,) = done["tables"]
    assert (table["table"], table["replaced"], table["changed"]) == ("posts", 5, 5)
    (views,) = [entry for entry in table["fields"] if entry["field"] == "views"]
    assert (views["changed"], views["from_null"], views["to_null"]) == (5, 5, 0)
    assert views["examples"][0]["before"] is None
    assert home.posts() == before


def test_writing_exchanges_the_rows_and_keeps_their_numbers(home: Home, tmp_path: Path) -> None:
    home.import_(write(tmp_path / "a.ndjson", [record(n) for n in range(1, 6)]), OLD)
    before = home.posts()
    assert home.remap(NEW, write=True).written
    after = home.posts()
    assert [row["views"] for row in after] == [1, 2, 3, 4, 5]
    assert {row["layout_version"] for row in after} == {2}
    for name in ("ingest_seq", "imported_at", "origin_offset", "post_id"):
        assert [row[name] for row in after] == [row[name] for row in before]


def test_done_again_it_finds_nothing(home: Home, tmp_path: Path) -> None:
    home.import_(write(tmp_path / "a.ndjson", [record(n) for n in range(1, 6)]), OLD)
    home.remap(NEW, write=True)
    version = home.lake.version("posts")
    assert home.remap(NEW, write=True).document()["tables"] == []
    assert home.lake.version("posts") == version


def test_it_is_one_commit(home: Home, tmp_path: Path) -> None:
    for name in ("a", "b"):
        home.import_(write(tmp_path / f"{name}.ndjson", [record(ord(name) * 10 + n) for n in range(3)]), OLD)
    version = home.lake.version("posts")
    home.remap(NEW, write=True)
    assert home.lake.version("posts") == version + 1
    assert home.lake.count("posts") == 6


def test_rows_of_other_layouts_and_files_stay_as_they_are(home: Home, tmp_path: Path) -> None:
    other = replace(OLD, name="other", matches=lambda record: "other" in record)
    home.import_(write(tmp_path / "a.ndjson", [record(n) for n in range(3)]), OLD)
    home.import_(write(tmp_path / "b.ndjson", [record(n + 50) | {"other": 1} for n in range(3)]), other)
    others = [row for row in home.posts() if int(row["post_id"]) >= 50]
    home.remap(NEW, write=True)
    assert [row for row in home.posts() if int(row["post_id"]) >= 50] == others


def test_records_that_were_set_aside_and_fit_now_come_in(home: Home, tmp_path: Path) -> None:
    records = [record(1), record(2, time=None), record(3)]
    home.import_(write(tmp_path / "a.ndjson", records), OLD)
    assert home.held() == ["no time"]
    done = home.remap(NEW).document()
    assert (done["tables"][0]["added"], done["resolved"]) == (1, 1)
    home.remap(NEW, write=True)
    assert [row["post_id"] for row in home.posts()] == ["1", "2", "3"]
    assert home.held() == []
    seqs = [row["ingest_seq"] for row in home.posts()]
    assert len(set(seqs)) == 3


def test_rows_that_the_new_layout_refuses_go_to_the_quarantine(home: Home, tmp_path: Path) -> None:
    records = [record(1), record(2, text=None), record(3)]
    home.import_(write(tmp_path / "a.ndjson", records), OLD)
    stricter = layout_of(2, "plays", required="text")
    assert home.remap(stricter).document()["tables"][0]["rejected"] == 1
    home.remap(stricter, write=True)
    assert [row["post_id"] for row in home.posts()] == ["1", "3"]
    assert home.held() == ["no text"]


def test_duplicates_stay_known(home: Home, tmp_path: Path) -> None:
    records = [record(1), record(1), record(2)]
    counted = home.import_(write(tmp_path / "a.ndjson", records), OLD)
    assert (counted["stored"], counted["known"]) == (2, 1)
    home.import_(write(tmp_path / "copy.ndjson", records), OLD)
    home.remap(NEW, write=True)
    assert [row["post_id"] for row in home.posts()] == ["1", "2"]


def test_rows_that_become_the_same_are_one(home: Home, tmp_path: Path) -> None:
    # The old layout told them apart by a counter that the new one does not read.
    home.import_(write(tmp_path / "a.ndjson", [record(1, views=5), record(1, views=6)]), OLD)
    assert len(home.posts()) == 2
    done = home.remap(NEW, write=True).document()
    assert (done["tables"][0]["replaced"], done["tables"][0]["known"]) == (1, 1)
    assert len(home.posts()) == 1


def test_rows_without_raw_content_stay_and_are_told(home: Home, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [record(n) for n in range(3)])
    home.import_(path, OLD, raw=False)
    done = home.remap(NEW, write=True).document()
    assert done["without_raw"] == [{"origin": str(path), "rows": 3}]
    assert {row["layout_version"] for row in home.posts()} == {1}


def test_raw_content_that_is_gone_leaves_its_rows(home: Home, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [record(n) for n in range(3)])
    home.import_(path, OLD)
    for kept in home.settings.raw_path.rglob("*.zst"):
        kept.unlink()
    done = home.remap(NEW, write=True).document()
    assert done["failed"][0]["origin"] == str(path)
    assert {row["layout_version"] for row in home.posts()} == {1}


def test_a_file_that_grew_is_read_again_by_its_parts(home: Home, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [record(n) for n in range(3)])
    home.import_(path, OLD)
    write(path, [record(n) for n in range(6)])
    home.import_(path, OLD)
    path.unlink()
    home.remap(NEW, write=True)
    assert [row["views"] for row in home.posts()] == [0, 1, 2, 3, 4, 5]


def test_since_leaves_older_rows_alone(home: Home, tmp_path: Path) -> None:
    home.import_(write(tmp_path / "a.ndjson", [record(1)]), OLD)
    home.import_(write(tmp_path / "b.ndjson", [record(2)]), replace(OLD, version=2))
    home.remap(replace(NEW, version=3), since=2, write=True)
    assert [row["layout_version"] for row in home.posts()] == [1, 3]


def test_a_named_layout_is_read_again_whatever_its_version(home: Home, tmp_path: Path) -> None:
    home.import_(write(tmp_path / "a.ndjson", [record(1)]), OLD)
    same = replace(NEW, version=1)
    assert home.remap(same).document()["tables"] == []
    assert home.remap(same, layout="tiktok.made").document()["tables"][0]["changed"] == 1


def test_records_of_a_stream_are_read_again(home: Home) -> None:
    with Journal(home.settings.journal_path) as journal:
        for at, source in enumerate(("feed:a", "feed:b", "feed:a")):
            records = [json.dumps(record(at * 10 + n)).encode() for n in range(3)]
            journal.append(source, records, received_us=1_800_000_000_000_000 + at)
        while journal_to_lake(
            journal, home.lake, home.desk, home.engine, home.settings, registry=Registry((OLD,)), now=lambda: home.now
        ):
            pass
    before = home.posts()
    home.remap(NEW, write=True)
    after = home.posts()
    assert [row["views"] for row in after] == [int(row["post_id"]) for row in after]
    assert [row["ingest_seq"] for row in after] == [row["ingest_seq"] for row in before]
    assert len({row["origin_offset"] for row in after}) == 9


def test_a_document_and_a_packed_file_are_read_again(home: Home, tmp_path: Path) -> None:
    import gzip

    document = tmp_path / "a.json"
    document.write_text(json.dumps({"items": [record(n) for n in range(3)]}, indent=1))
    packed = tmp_path / "b.ndjson.gz"
    packed.write_bytes(gzip.compress("".join(json.dumps(record(n)) + "\n" for n in range(3, 6)).encode()))
    wide = tmp_path / "c.ndjson"
    wide.write_text("".join(json.dumps(record(n)) + "\n" for n in range(6, 9)), encoding="utf-16")
    for path in (document, packed, wide):
        home.import_(path, OLD)
        path.unlink()
    home.remap(NEW, write=True)
    assert [row["views"] for row in home.posts()] == list(range(9))


def test_a_table_is_read_again(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("made,id,time,plays,text\n" + "".join(f"1,{n},1700000000,{n},hello\n" for n in range(4)))
    home.import_(table, layout_of(1, "views", shape=Shape.ROW))
    table.unlink()
    home.remap(layout_of(2, "plays", shape=Shape.ROW), write=True)
    assert [row["views"] for row in home.posts()] == [0, 1, 2, 3]


@pytest.mark.parametrize("at", ["QuarantineWriter.commit", "mark_resolved"])
def test_a_remap_that_is_stopped_is_simply_run_again(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    records = [record(1), record(2, time=None), record(3)]
    home.import_(write(tmp_path / "a.ndjson", records), OLD)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"groundswell.importing.remap.{at}", stop)
        with pytest.raises(KeyboardInterrupt):
            home.remap(NEW, write=True)
    home.remap(NEW, write=True)
    assert [(row["post_id"], row["views"]) for row in home.posts()] == [("1", 1), ("2", 2), ("3", 3)]
    seqs = [row["ingest_seq"] for row in home.posts()]
    assert len(set(seqs)) == 3


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_killed_around_each_commit_nothing_is_lost_or_doubled(
    commit: int, before: bool, home: Home, tmp_path: Path
) -> None:
    records = [record(1), record(2, time=None), record(3, text=None), record(4, plays="many")]
    home.import_(write(tmp_path / "a.ndjson", records), OLD)
    before_seqs = {row["post_id"]: row["ingest_seq"] for row in home.posts()}
    newer = layout_of(2, "plays", required="text")
    with killed_at_commit(commit, before=before):
        home.remap(newer, write=True)
    home.remap(newer, write=True)
    assert [(row["post_id"], row["views"]) for row in home.posts()] == [("1", 1), ("2", 2), ("4", None)]
    seqs = {row["post_id"]: row["ingest_seq"] for row in home.posts()}
    assert {post: seq for post, seq in seqs.items() if post != "2"} == {post: before_seqs[post] for post in ("1", "4")}
    assert len(set(seqs.values())) == 3
    assert home.held() == ["no text"]


def test_large_content_is_read_with_its_old_rows_sorted_by_the_engine(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.importing.remap_swap.SMALL", 10)
    monkeypatch.setattr(remapping, "_WHOLE", 10)
    # Times run against places, and months differ, so that the rows of the lake are in another order.
    records = [record(n, time=str(1_700_000_000 - n * 400_000)) for n in range(200)]
    home.import_(write(tmp_path / "a.ndjson", records), OLD)
    before = {row["post_id"]: row["ingest_seq"] for row in home.posts()}
    home.remap(NEW, write=True)
    assert {row["post_id"]: row["ingest_seq"] for row in home.posts()} == before
    assert all(row["views"] == int(row["post_id"]) for row in home.posts())


def test_the_installed_layouts_can_be_named(home: Home) -> None:
    assert remap(home.lake, home.desk, home.engine, home.settings, layout=registry().layouts[0].id).contents == 0
