"""Rows that compiled kernels make of a block are those of the engine, and what they leave is put back in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from tests.watch.test_fast_arrivals import NOW, dirty, jetstream, lines_of, tiktok

from groundswell import kernels
from groundswell.engines import open_engine
from groundswell.importing.blocks import Normalised, RawBlock, normalise
from groundswell.importing.fast import rows
from groundswell.platforms import registry
from groundswell.settings import load_settings


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    settings = load_settings(home=tmp_path_factory.mktemp("rows"), threads=1)
    engine = open_engine(settings)
    kernels.load_live()
    yield engine, settings
    kernels.unload()
    engine.close()


def normalised(lines: Sequence[bytes], ways: tuple[Any, Any], least: int) -> Normalised:
    """The block by the kernels (`least` 1) or by the engine alone."""
    engine, settings = ways
    numbers = np.arange(len(lines)) + 1_000
    received = np.arange(len(lines)) * 1_000 + NOW
    block = RawBlock(lines, "shop", "journal", numbers, received, None, NOW)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "LEAST", least)
        return normalise(block, engine, registry(), settings)


def assert_same(quick: Normalised, slow: Normalised) -> None:
    assert quick.posts.schema == slow.posts.schema
    for name in slow.posts.column_names:
        assert quick.posts[name].to_pylist() == slow.posts[name].to_pylist(), name
    assert sorted(map(str, quick.rejected.to_pylist())) == sorted(map(str, slow.rejected.to_pylist()))
    assert (quick.ignored, sorted(quick.ignored_records)) == (slow.ignored, sorted(slow.ignored_records))
    assert {name: table.to_pylist() for name, table in quick.others.items()} == {
        name: table.to_pylist() for name, table in slow.others.items()
    }


def test_clean_records_are_left_to_nobody(ways: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of([jetstream(n) for n in range(300)])
    slow = normalised(lines, ways, 1 << 60)
    monkeypatch.setattr("groundswell.importing.blocks._ordinarily", None)
    quick = normalised(lines, ways, 1)
    assert quick.posts.num_rows == 300
    assert_same(quick, slow)


def test_replies_cards_links_and_quotes_are_the_same(ways: tuple[Any, Any]) -> None:
    uri = "at://did:plc:a/app.bsky.feed.post/3k"
    records = []
    for n in range(240):
        more: list[dict[str, Any]] = [
            {"reply": {"parent": {"uri": uri, "cid": "x"}, "root": {"uri": f"{uri}{n}"}}},
            {"reply": {"parent": {"uri": ""}, "root": None}},
            {"embed": {"external": {"uri": f"https://a.b/{n}?q=\u00e9&r=1", "title": 'a "b"'}}},
            {"embed": {"external": {"uri": 'https://a.b/"q"'}}},
            {"embed": {"external": {"uri": ""}, "media": {"external": {"uri": "https://c.d"}}}},
            {"embed": {"media": {"external": {"uri": "https://c.d"}}, "record": {"record": {"uri": uri}}}},
            {"embed": {"external": {"uri": None}, "media": {"external": {"uri": f"https://c.d/{n}"}}}},
            {"embed": {"record": {"uri": uri, "cid": "x"}}, "facets": [{"features": [{"uri": "https://e.f"}]}]},
            {"facets": [{"features": [{"uri": "https://e.f"}, {"uri": None}, {"uri": "g.h"}]}, {"features": None}]},
            {"facets": [{"features": [{"uri": " "}]}]},
            {"facets": [{"features": [{"uri": 5}]}]},
        ]
        records.append(jetstream(n, **more[n % len(more)]))
        records[-1]["commit"]["cid"] = ["bafy", "", None, 7, 'a"b', "\u00e9\\n"][n % 6]
        records[-1]["commit"]["rkey"] = f"{n}/x" if n % 17 == 0 else f"{n}"
    lines = lines_of(records)
    assert_same(normalised(lines, ways, 1), normalised(lines, ways, 1 << 60))


@pytest.mark.parametrize("make", [jetstream, tiktok])
@pytest.mark.parametrize("seed", range(3))
def test_dirty_records_give_the_same(make: Any, seed: int, ways: tuple[Any, Any]) -> None:
    lines = dirty(make, seed)
    assert_same(normalised(lines, ways, 1), normalised(lines, ways, 1 << 60))
