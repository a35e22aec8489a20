"""Writing: the same bytes however they are made, whole files only, and a truth that holds."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from groundswell.errors import UnavailableError, UsageError
from groundswell.query import parse
from groundswell.simulate import Scenario, Truth, blocks, with_default_events, write
from groundswell.simulate.dirt import KINDS

SMALL = with_default_events(Scenario(posts=30_000, days=2, seed=3))


def everything(scenario: Scenario, **options: Any) -> bytes:
    return b"".join(blocks(scenario, **options))


def records(scenario: Scenario) -> list[dict[str, Any]]:
    return [json.loads(line) for line in everything(scenario).splitlines()]


@pytest.fixture(scope="module")
def small() -> list[dict[str, Any]]:
    return records(SMALL)


def test_the_same_scenario_gives_the_same_bytes_with_any_number_of_workers() -> None:
    assert everything(SMALL, workers=1) == everything(SMALL, workers=3)


def test_another_seed_gives_other_posts() -> None:
    assert everything(SMALL) != everything(replace(SMALL, seed=4))


def test_parts_by_time_are_the_whole(tmp_path: Path) -> None:
    border = SMALL.start + timedelta(hours=31, minutes=7)
    before, after = everything(SMALL, until=border), everything(SMALL, since=border)
    assert before + after == everything(SMALL)
    assert json.loads(after.split(b"\n", 1)[0])["itemInfos"]["createTime"] >= str(int(border.timestamp()))
    assert json.loads(before.splitlines()[-1])["itemInfos"]["createTime"] < str(int(border.timestamp()))


def test_there_are_exactly_as_many_posts_as_asked_for_in_order_of_time_and_with_ids_of_their_own(
    small: list[dict[str, Any]],
) -> None:
    assert len(small) == 30_000
    times = [int(record["itemInfos"]["createTime"]) for record in small]
    assert times == sorted(times)
    assert SMALL.start.timestamp() <= times[0]
    assert times[-1] < SMALL.end.timestamp()
    ids = {record["itemInfos"]["id"] for record in small}
    assert len(ids) == 30_000
    assert {len(post_id) for post_id in ids} == {19}


@pytest.mark.parametrize("posts", [1, 2, 17, 1000])
def test_few_posts_are_exactly_as_many(posts: int) -> None:
    assert everything(with_default_events(Scenario(posts=posts, days=1))).count(b"\n") == posts


def test_the_keys_and_spellings_are_those_of_the_real_layout(small: list[dict[str, Any]], data: Path) -> None:
    lines = (data / "tiktok" / "pushshift_layout.ndjson").read_text(encoding="utf-8").splitlines()
    real: dict[str, set[type]] = {}
    made: dict[str, set[type]] = {}
    for line in lines:
        _types("", json.loads(line), real)
    for record in small[:3000]:
        _types("", record, made)
    stats = {"followingCount", "followerCount", "heartCount", "videoCount", "diggCount"}
    assert set(made) == set(real) | {f".authorStats.{name}" for name in stats}
    assert {key: types for key, types in made.items() if key in real} == real
    assert made[".authorStats.heartCount"] == {str}
    assert made[".authorStats.followerCount"] == {int}


def _types(path: str, value: object, seen: dict[str, set[type]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _types(f"{path}.{key}", inner, seen)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            _types(f"{path}[]", inner, seen)
        seen.setdefault(path, set()).add(list)
    else:
        seen.setdefault(path, set()).add(type(value))


def test_records_are_of_the_size_of_real_ones_and_texts_of_many_scripts(small: list[dict[str, Any]]) -> None:
    assert 1500 <= len(everything(SMALL)) / len(small) <= 2700
    letters = set("".join(record["itemInfos"]["text"] for record in small))
    assert letters >= set("aé今ลنжह할😂")
    texts = Counter(record["itemInfos"]["text"] for record in small)
    assert 0.5 < len(texts) / len(small) < 0.98


def test_followers_are_heavy_tailed_and_plays_follow_them(small: list[dict[str, Any]]) -> None:
    people = {record["authorInfos"]["userId"]: record["authorStats"]["followerCount"] for record in small}
    ordered = sorted(people.values(), reverse=True)
    assert sum(ordered[: len(ordered) // 100]) > 0.4 * sum(ordered)
    many = [r["itemInfos"]["playCount"] for r in small if r["authorStats"]["followerCount"] > 100_000]
    few = [r["itemInfos"]["playCount"] for r in small if r["authorStats"]["followerCount"] < 1000]
    assert sum(many) / len(many) > 10 * sum(few) / len(few)


def test_counters_only_grow_with_the_age_at_which_they_were_seen() -> None:
    scenario = Scenario(posts=2000, days=1)
    young = records(replace(scenario, observed_after=timedelta(minutes=1)))
    old = records(replace(scenario, observed_after=timedelta(days=2)))
    for counter in ("diggCount", "shareCount", "playCount", "commentCount"):
        pairs = [(a["itemInfos"][counter], b["itemInfos"][counter]) for a, b in zip(young, old, strict=True)]
        assert all(before <= after for before, after in pairs)
        assert sum(before for before, _ in pairs) < 0.1 * sum(after for _, after in pairs)


def test_the_truth_counts_what_the_queries_find(tmp_path: Path, small: list[dict[str, Any]]) -> None:
    truth = write(SMALL, tmp_path / "a.ndjson")
    texts = [record["itemInfos"]["text"].casefold() for record in small]
    for topic in truth.topics:
        assert sum(topic.keyword in text for text in texts) == topic.posts
        parse(topic.query)
    for event in truth.events:
        inside = [
            text
            for text, record in zip(texts, small, strict=True)
            if event.start.timestamp() <= int(record["itemInfos"]["createTime"]) < event.end.timestamp()
        ]
        if event.kind == "gap":
            assert inside == []
        if event.topic is not None:
            found = sum(event.topic in text for text in inside)
            assert event.posts < found
            assert found == pytest.approx(event.posts + event.expected, abs=5 * event.expected**0.5 + 5)
    assert {event.kind for event in truth.events} == {"crisis", "viral", "bots", "buildup", "surge", "gap"}


def test_the_truth_survives_its_document(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    truth = write(replace(SMALL, posts=3000, dirt=0.01, long_line=10_000), path)
    assert Truth.from_json((tmp_path / "a.ndjson.truth.json").read_bytes()) == truth
    assert truth.total_bytes == path.stat().st_size


def test_bots_are_copies_by_new_accounts_and_a_viral_post_is_reacted_to(small: list[dict[str, Any]]) -> None:
    bots = [r for r in small if "I doubled my money" in r["itemInfos"]["text"]]
    assert len(bots) > 30
    assert max(r["authorStats"]["followerCount"] for r in bots) < 20
    assert len({r["authorInfos"]["userId"] for r in bots}) <= 40
    reactions = [r for r in small if r["itemInfos"]["text"].startswith(("#stitch with @", "#duet with @"))]
    star = reactions[0]["itemInfos"]["text"].split("@")[1].split(" ")[0]
    (first,) = [r for r in small if r["authorInfos"]["uniqueId"] == star and r["itemInfos"]["playCount"] > 10_000][:1]
    assert int(first["itemInfos"]["createTime"]) <= int(reactions[0]["itemInfos"]["createTime"])
    assert len({r["musicInfos"]["musicId"] for r in reactions}) == 1


def test_dirt_is_counted_by_kind_and_leaves_topics_alone(tmp_path: Path) -> None:
    dirty = replace(SMALL, dirt=0.02, long_line=50_000)
    truth = write(dirty, tmp_path / "a.ndjson")
    body = (tmp_path / "a.ndjson").read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert set(truth.dirt) == {*KINDS, "long_line", "byte_order_mark"}
    assert sum(truth.dirt.values()) - 1 == pytest.approx(0.02 * 30_000, rel=0.2)
    assert sum(not line.strip() for line in lines[:-1]) == truth.dirt["blank_line_before"]
    assert sum(b'"createTime": "abc"' in line for line in lines) == truth.dirt["time_as_words"]
    assert sum(b"\xff" in line for line in lines) == truth.dirt["invalid_utf8"]
    assert sum(len(line) > 50_000 for line in lines) == 1
    assert sum(bool(line.strip()) for line in lines) == 30_000
    assert truth.topics == write(SMALL, tmp_path / "b.ndjson").topics


def test_compressed_files_hold_the_same_bytes(tmp_path: Path) -> None:
    scenario = Scenario(posts=2000, days=1)
    plain = everything(scenario)
    write(scenario, tmp_path / "a.ndjson.gz")
    write(scenario, tmp_path / "a.ndjson.zst")
    assert gzip.decompress((tmp_path / "a.ndjson.gz").read_bytes()) == plain
    with (tmp_path / "a.ndjson.zst").open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == plain


def test_stdout_gets_the_posts_and_no_truth_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Scenario(posts=10, days=1), Path("-"))
    assert capsysbinary.readouterr().out.count(b"\n") == 10
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(posts: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(SMALL, tmp_path / "a.ndjson", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_all_posts(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    truth = write(SMALL, tmp_path / "a.ndjson", progress=lambda posts, size: seen.append((posts, size)))
    assert seen[-1] == (30_000, truth.total_bytes)
    assert len(seen) > 2


def test_a_folder_or_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        write(Scenario(posts=10, days=1), tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError, match="cannot write"):
        write(Scenario(posts=10, days=1), tmp_path / "file" / "a.ndjson")


def test_a_broken_pipe_is_left_to_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.RawIOBase):
        def write(self, _: object, /) -> int:
            raise BrokenPipeError

    class Stdout:
        buffer = Closed()

    monkeypatch.setattr("sys.stdout", Stdout())
    with pytest.raises(BrokenPipeError):
        write(Scenario(posts=10, days=1), Path("-"))
