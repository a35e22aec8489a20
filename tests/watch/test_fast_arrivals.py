"""Posts straight from raw records are those that the ordinary way in gives: clean, dirty, and of no kind at all."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell import kernels
from groundswell.bus import Block, Kind
from groundswell.bus.blocks import pack
from groundswell.engines import open_engine
from groundswell.importing.fast import rows
from groundswell.importing.fast.layouts import FAST
from groundswell.importing.handover import Handover
from groundswell.platforms import registry
from groundswell.query import Matcher, parse
from groundswell.settings import load_settings
from groundswell.watch import batches, handing
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.batches import Records, Ways, arrivals_of, engine_posts, posts_of
from groundswell.watch.contract import Arrivals
from groundswell.watch.fast_arrivals import FastArrivals
from groundswell.watch.joined_arrivals import JoinedArrivals, join
from groundswell.watch.recent import SOURCES

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "layouts"
NOW = 1_764_003_600_000_000
PROPERTIES = (
    *("record", "received_us", "event_us", "observed_us", "identity", "author", "reach", "engagement", "platform"),
)
QUERIES = (
    "shoes",
    '"side effects"',
    "sho*",
    "食品 OR ไทย",
    "#sale",
    "#sa*",
    "@ann",
    "author:bob",
    "lang:en",
    "platform:tiktok",
    "kind:image OR kind:carousel",
    "followers:>100",
    "likes:>=5 -shoes",
    "has:link",
    "has:hashtag -has:mention",
    "domain:shop.example shoes",
    "is:verified OR has:sound",
    "-shoes",
)
ODD: list[Any] = [
    *(None, True, 0, -1, 12.5, 10**20, "", " ", "12", "1700000000", "1.0", "2025-02-30T00:00:00Z", "2024-05-01", []),
    *([1], ["a", None], {}, {"a": 1}, "#tag @me", "x" * 3000, "İstanbul ǅ ﬁ", "\u200b", "👩\u200d👧 🇫🇷", "a\nb"),
    *('"', "\\", "https://x.co/a?b#c", "app.bsky.feed.like", "delete", "update", 1_764_000_000_000_000, [None, "en"]),
    *("\0", "e\u0301"),
]


def jetstream(n: int, **record: Any) -> dict[str, Any]:
    """An event like those of the real stream."""
    post = {
        "$type": "app.bsky.feed.post",
        "createdAt": f"2025-11-24T15:{n % 60:02}:00.{n % 1000:03}Z",
        "langs": ["en", "th"][: n % 3],
        "text": f"Shoes {n} side effects 食品安全 #Sale @ann.example https://shop.example/{n}",
        **record,
    }
    return {
        "did": f"did:plc:{n % 7}",
        "time_us": NOW - 1000 * n,
        "kind": "commit",
        "commit": {
            "rev": "r",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3k{n}",
            "record": post,
            "cid": "c",
        },
    }


def tiktok(n: int) -> dict[str, Any]:
    return {
        "itemInfos": {
            "id": f"7{n}",
            "text": f"new shoes {n} ไทย",
            "createTime": str(1_764_000_000 + n),
            "diggCount": n,
        },
        "authorInfos": {"userId": f"u{n % 5}", "uniqueId": ["Ann", "bob"][n % 2], "verified": n % 2 == 0},
        "challengeInfoList": [{"challengeId": "1", "challengeName": "Sale"}] if n % 2 else [],
        "musicInfos": {"musicId": "m", "musicName": "song"},
        "authorStats": {"followerCount": 40 * n},
    }


def changed(record: Any, chance: random.Random, depth: int = 0) -> Any:
    """A record near `record`."""
    roll = chance.random()
    if roll < 0.03 and depth:
        return chance.choice(ODD)
    if isinstance(record, dict):
        kept = {key: changed(value, chance, depth + 1) for key, value in record.items() if chance.random() > 0.03}
        return kept | ({chance.choice(["Did", "text", "langs", ""]): chance.choice(ODD)} if roll > 0.97 else {})
    if isinstance(record, list):
        return [changed(value, chance, depth + 1) for value in record for _ in range(chance.choice([1, 1, 1, 0, 2]))]
    return record


def blocks_of(lines: Sequence[bytes], source: str = "s", first: int = 10) -> list[Block]:
    """The records as the journal gives them back."""
    received = np.arange(len(lines)) * 1000 + NOW
    found: list[Block] = []
    for packed in pack(source, lines, kind=Kind.RECORDS, received_us=received, hint=None):
        times = (packed.received_from_us, packed.received_to_us, packed.body, packed.times)
        found.append(Block(len(found) + 1, source, Kind.RECORDS, None, first, packed.count, packed.size, *times))
        first += packed.count
    return found


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    settings = load_settings(home=tmp_path_factory.mktemp("fast"), threads=1)
    engine = open_engine(settings)
    kernels.load_live()
    yield Ways(engine, registry(), settings, NOW)
    kernels.unload()
    engine.close()


def slowly(blocks: Sequence[Block], ways: Ways) -> TableArrivals:
    """By the engine alone."""
    records = Records.of(blocks)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "LEAST", 1 << 60)
        return TableArrivals(posts_of(records, np.arange(len(records)), ways))


def assert_same(fast: Arrivals, slow: TableArrivals) -> None:
    """Every answer is the same."""
    assert len(fast) == len(slow)
    for name in PROPERTIES:
        mine, other = getattr(fast, name), getattr(slow, name)
        if name == "platform":
            mine, other = [fast.platforms[code] for code in mine], [slow.platforms[code] for code in other]
            assert mine == other
        else:
            assert np.array_equal(mine, other, equal_nan=mine.dtype.kind == "f"), name
            assert mine.dtype == other.dtype, name
    matcher = Matcher([parse(query).root for query in QUERIES])
    one, two = fast.pairs(matcher), slow.pairs(matcher)
    assert (one.row.tolist(), one.slot.tolist()) == (two.row.tolist(), two.slot.tolist())
    terms, same = fast.terms(), slow.terms()
    for part in ("row", "hash", "kind"):
        assert np.array_equal(getattr(terms, part), getattr(same, part)), part
    some = np.concatenate((terms.hash[:200], np.array([1], np.uint64)))
    assert fast.texts(some) == slow.texts(some)
    every_third = np.arange(len(slow))[::-3]
    mine, other = fast.take(every_third), slow.take(every_third)
    for name in other.column_names:
        assert mine[name].to_pylist() == other[name].to_pylist(), name
    assert mine.schema == other.schema
    theirs = terms.hash[np.isin(terms.row, every_third)]
    assert fast.texts(theirs, every_third) == slow.texts(theirs)
    assert fast.take(every_third, SOURCES).equals(other.select(SOURCES))


def lines_of(records: Sequence[Any]) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=n % 3 == 0).encode() for n, record in enumerate(records)]


@pytest.mark.parametrize("make", [jetstream, tiktok])
def test_clean_records_need_no_engine_and_give_the_same(make: Any, ways: Ways) -> None:
    blocks = blocks_of(lines_of([make(n) for n in range(300)]))
    fast = arrivals_of(blocks, ways)
    assert isinstance(fast, FastArrivals)
    assert len(fast) == 300
    assert_same(fast, slowly(blocks, ways))


@pytest.mark.parametrize("name", ["bluesky.jetstream", "tiktok.nested"])
def test_the_records_of_the_fixtures_give_the_same(name: str, ways: Ways) -> None:
    blocks = blocks_of((FIXTURES / f"{name}.ndjson").read_bytes().splitlines())
    assert_same(arrivals_of(blocks, ways), slowly(blocks, ways))


def dirty(make: Any, seed: int) -> list[bytes]:
    """Records of a layout, changed by chance, and others among them."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    embeds = [
        {"images": [{"alt": "a"}]},
        {"images": [{"alt": "a"}, {"alt": "b"}]},
        {"external": {"uri": "https://a.b"}},
        {"media": {"images": []}, "record": {"uri": "at://x/y/z"}},
        {"video": {"ref": 1}},
    ]
    facets = [{"features": [{"tag": "Mode"}, {"uri": "https://c.d"}]}, {"features": [{"tag": "sale"}]}, {}]
    records = []
    for n in range(400):
        more = {"embed": chance.choice(embeds), "facets": facets[: n % 4], "tags": ["x", "Mode"][: n % 3]}
        records.append(changed(jetstream(n, **(more if n % 2 else {})) if make is jetstream else make(n), chance))
    lines = lines_of(records)
    lines[7:7] = [b"", b"{", b"nonsense", b'"text"', lines[3][:-1] + b',"did":"again"}', lines[5].replace(b":", b" : ")]
    lines += [json.dumps(other(n)).encode() for n, other in enumerate([tiktok, jetstream] * 5)]
    lines.append(json.dumps({"did": "did:plc:x", "time_us": NOW, "kind": "identity", "identity": {}}).encode())
    like = jetstream(1)
    like["commit"] |= {"collection": "app.bsky.feed.like"}
    deleted = jetstream(2)
    deleted["commit"] |= {"operation": "delete"}
    del deleted["commit"]["record"]
    later = jetstream(3, createdAt="2031-01-01T00:00:00Z")
    later["time_us"] = NOW * 2 - NOW // 2
    return lines + lines_of([like, deleted, later])


@pytest.mark.parametrize("make", [jetstream, tiktok])
@pytest.mark.parametrize("seed", range(4))
def test_dirty_records_give_the_same(make: Any, seed: int, ways: Ways) -> None:
    blocks = blocks_of(dirty(make, seed))
    assert_same(arrivals_of(blocks, ways), slowly(blocks, ways))


def test_records_of_several_sources_and_kinds_come_in_order(ways: Ways) -> None:
    first = blocks_of(lines_of([jetstream(n) for n in range(50)]), "a", 0)
    second = blocks_of(lines_of([tiktok(n) for n in range(50)]), "b", 50)
    third = blocks_of([b'{"id":"1","text":"shoes","created_at":"2025-11-24T15:00:00Z"}'] * 3, "c", 100)
    fast = arrivals_of([*first, *second, *third], ways)
    assert isinstance(fast, JoinedArrivals)
    assert fast.record.tolist() == sorted(fast.record.tolist())
    tables = [slowly(part, ways).take(np.arange(len(slowly(part, ways)))) for part in (first, second, third)]
    assert_same(fast, TableArrivals(pa.concat_tables(tables)))


def test_many_records_are_worked_out_by_several_threads_with_the_same_result(ways: Ways) -> None:
    blocks = blocks_of(lines_of([jetstream(n) for n in range(6000)]))
    several = replace(ways, settings=ways.settings.model_copy(update={"threads": 3}))
    fast = arrivals_of(blocks, several)
    assert isinstance(fast, JoinedArrivals)
    assert_same(fast, slowly(blocks, ways))


@pytest.mark.parametrize(("seed", "threads"), [(1, 1), (2, 3)])
def test_rows_that_were_made_for_the_lake_are_those_that_the_watch_makes_itself(
    ways: Ways, monkeypatch: pytest.MonkeyPatch, seed: int, threads: int
) -> None:
    monkeypatch.setattr(handing, "LEAST", 1)
    monkeypatch.setattr(batches, "_PART", 100)
    lines = dirty(jetstream, seed)
    blocks = [
        replace(block, seq=1 + n)
        for n, at in enumerate(range(0, len(lines), 90))
        for block in blocks_of(lines[at : at + 90], first=10 + at)
    ]
    settings = ways.settings.model_copy(update={"threads": threads})
    fast = arrivals_of(blocks, replace(ways, settings=settings, handover=Handover()))
    assert isinstance(fast, JoinedArrivals)
    parts = [part for part in fast._parts if isinstance(part, FastArrivals)]
    there = np.concatenate([part.ready(np.arange(len(part)))[1] for part in parts])
    assert 0 < there.sum() < len(there)  # some quote another post
    slow = slowly(blocks, ways)
    assert_same(fast, slow)
    rows = np.arange(len(slow))
    assert fast.take(rows).to_pylist() == slow.take(rows).to_pylist()
    assert fast.take(rows[:0]).schema == slow.take(rows[:0]).schema
    for part in parts:
        part.whole = monkeypatch  # type: ignore[assignment] # which makes nothing
        ready = np.flatnonzero(part.ready(np.arange(len(part)))[1])
        assert part.take(ready[::-2])["record"].to_pylist() == part.record[ready[::-2]].tolist()


def test_without_the_kernels_the_engine_does_it(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "load_live", lambda _: None)
    blocks = blocks_of(lines_of([jetstream(n) for n in range(20)]))
    kernels.unload()
    arrivals = arrivals_of(blocks, ways)
    kernels.load_live()
    assert isinstance(arrivals, TableArrivals)
    assert_same(arrivals_of(blocks, ways), arrivals)


def test_nothing_at_all_is_a_batch_too(ways: Ways) -> None:
    assert len(arrivals_of([], ways)) == 0
    assert len(join([])) == 0
    nothing = arrivals_of(blocks_of([json.dumps({"did": "d", "time_us": NOW, "kind": "account"}).encode()] * 3), ways)
    assert len(nothing) == 0
    assert len(nothing.pairs(Matcher([parse("a").root])).row) == 0


def test_a_fast_layout_reads_the_version_that_is_registered() -> None:
    for layout in FAST.values():
        registered = registry().get(layout.id)
        assert (layout.version, layout.platform) == (registered.version, registered.platform)


def test_a_record_that_the_ordinary_way_refuses_has_a_stand_in(ways: Ways) -> None:
    lines = lines_of([jetstream(0), {"nothing": 1}, jetstream(2)])
    records = Records.of(blocks_of(lines))
    posts = engine_posts(records, np.array([2, 1, 0, 2]), FAST["bluesky.jetstream"], ways)
    assert posts["record"].to_pylist() == [12, 11, 10, 12]
    assert posts["platform"].to_pylist() == ["bluesky"] * 4
    assert posts["text"].is_valid().to_pylist() == [True, False, True, True]


@pytest.mark.parametrize("threads", [2, 3])
def test_several_threads_unpack_blocks_to_the_same_records(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(batches, "_PART", 1)
    blocks = [block for n in range(5) for block in blocks_of([b"x" * k for k in range(n + 1)], first=10 * n)]
    one, several = Records.of(blocks), Records.of(blocks, threads)
    for name in ("data", "bounds", "numbers", "received_us"):
        assert np.array_equal(getattr(one, name), getattr(several, name))
    assert several.lines(np.arange(len(several))) == one.lines(np.arange(len(one)))


def test_the_kernels_are_loaded_beside_the_work_once_it_is_worth_while(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    monkeypatch.setattr(batches, "load_live", lambda _: asked.set())
    monkeypatch.setattr(batches, "_met", [])
    monkeypatch.setattr(batches, "_begun", [])
    monkeypatch.setattr(batches, "_WORTH_WHILE", 30)
    blocks = blocks_of(lines_of([jetstream(n) for n in range(20)]))
    arrivals_of(blocks, ways)
    assert not batches._begun
    arrivals_of(blocks, ways)
    assert asked.wait(60)
    assert batches._begun == [True]
