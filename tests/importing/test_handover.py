"""What the watch made while it read is taken by the lake writer, and the lake is the same as without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.importing.killing import killed_at_commit
from tests.watch.test_fast_arrivals import NOW, blocks_of, dirty, jetstream, lines_of

from groundswell import kernels
from groundswell.bus import Journal
from groundswell.desk import open_desk
from groundswell.engines import Engine, open_engine
from groundswell.importing import journal_to_lake, stream
from groundswell.importing.fast import rows
from groundswell.importing.handover import Handover
from groundswell.lake import Lake
from groundswell.lake.tables import table_layout
from groundswell.platforms import registry
from groundswell.settings import load_settings
from groundswell.watch import handing
from groundswell.watch.batches import Ways, arrivals_of

TABLES = ("posts", "quarantine", "ledger", "fill", "raw_index")
#: When and by which process something was written.
_CLOCKS = ("imported_at", "at", "batch", "extents", "places")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    kernels.load_live()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "LEAST", 1)
        patched.setattr(handing, "LEAST", 1)
        patched.setattr(stream, "MAX_RECORDS", 250)  # borders that divide what the watch has read together
        engine = open_engine(load_settings(home=tmp_path_factory.mktemp("engine"), threads=2))
        yield engine
        engine.close()
    kernels.unload()


def lake_of(
    home: Path,
    lines: Sequence[bytes],
    engine: Engine,
    handover: Handover | None,
    *,
    watched: tuple[int, int] = (0, 1 << 60),
    killed: int | None = None,
) -> dict[str, pa.Table]:
    """The tables of a lake to which those records went, in blocks of 37, the watch having read some blocks before."""
    settings = load_settings(home=home, threads=2)
    with open_desk(settings) as desk, Journal(settings.journal_path) as journal:
        for n, begin in enumerate(range(0, len(lines), 37)):
            journal.append("shop" if n % 11 else "other", lines[begin : begin + 37], received_us=NOW + n)
        ways = Ways(engine, registry(), settings, NOW, None, handover)
        at, last = watched[0], min(watched[1], journal.last_block())
        while at < last:
            read = journal.between(at + 1, min(last, at + 6))
            arrivals_of(read, ways)
            at = read[-1].seq
        lake = Lake.open(settings)
        if killed is not None:
            with killed_at_commit(killed, before=True):
                journal_to_lake(journal, lake, desk, engine, settings, handover=handover)
        while journal_to_lake(journal, lake, desk, engine, settings, handover=handover):
            pass
        found = {}
        for name in TABLES:
            layout = table_layout(name)
            table = lake.read(name, [column for column in layout.stored.names if column not in _CLOCKS])
            found[name] = table.sort_by("ingest_seq") if name == "posts" else table
        return found


def told(tables: dict[str, pa.Table]) -> dict[str, Any]:
    """What does not depend on who read: without what was looked at as a sample, and on what was read at once."""
    posts = {name: tables["posts"][name].to_pylist() for name in tables["posts"].column_names}
    counted = [row for row in tables["fill"].to_pylist() if row["kind"] != "key"]
    sums: dict[tuple[str, str, str], list[int]] = {}
    for row in counted:
        sums.setdefault((row["layout"], row["kind"], row["name"]), [0, 0])
        sums[row["layout"], row["kind"], row["name"]][0] += row["records"]
        sums[row["layout"], row["kind"], row["name"]][1] += row["filled"]
    ledger = (
        tables["ledger"]
        .group_by(["source", "origin", "quarter"])
        .aggregate([(name, "sum") for name in ("received", "stored", "known", "rejected", "ignored")])
    )
    kept = sorted((row["first_record"], row["source"]) for row in tables["raw_index"].to_pylist())
    refused = sorted(map(str, tables["quarantine"].drop_columns(["row"]).to_pylist()))
    return posts | {"fill": sums, "ledger": sorted(map(str, ledger.to_pylist())), "refused": refused, "kept": kept[0]}


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    clean = [jetstream(n, embed={"external": {"uri": "https://a.b"}} if n % 7 else {}) for n in range(300)]
    late = {**jetstream(900), "time_us": NOW}
    late["commit"]["record"]["createdAt"] = "2031-01-01T00:00:00Z"
    return [*lines_of(clean), *dirty(jetstream, 5)[:120], *lines_of([late]), *lines_of(clean[:40])]


@pytest.fixture(scope="module")
def alone(lines: list[bytes], engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return told(lake_of(tmp_path_factory.mktemp("alone"), lines, engine, None))


@pytest.mark.parametrize(("watched", "killed"), [((0, 1 << 60), 3), ((4, 13), None)])
def test_the_lake_is_the_same_whatever_the_watch_has_left(
    watched: tuple[int, int],
    killed: int | None,
    lines: list[bytes],
    alone: dict[str, Any],
    engine: Engine,
    tmp_path: Path,
) -> None:
    handover = Handover()
    shared = told(lake_of(tmp_path / "shared", lines, engine, handover, watched=watched, killed=killed))
    assert handover.nbytes == 0
    assert shared == alone


def test_no_more_is_held_than_it_may_and_nothing_that_comes_too_late(
    lines: list[bytes], engine: Engine, tmp_path: Path
) -> None:
    handover = Handover(most_bytes=1)
    ways = Ways(engine, registry(), load_settings(home=tmp_path, threads=2), NOW, None, handover)
    assert not handover.wants(1)  # nobody reads it
    with handover.reading(1, 1):
        assert handover.wants(1)
    with handover.reading(1, 1, many=False):
        assert not handover.wants(1)
    arrivals_of(blocks_of(lines[:100]), ways)
    held = handover.nbytes
    arrivals_of([replace(block, seq=9) for block in blocks_of(lines[:100])], ways)  # there is no room
    arrivals_of(blocks_of(lines[:100]), ways)  # what is held already
    assert handover.nbytes == held > 0
    assert handover.take(1 << 40, 1 << 41) is None
    assert handover.nbytes == 0
    with handover.reading(2, 2):
        assert not handover.wants(2)  # the lake writer is past it
    with handover.reading(1 << 41, 1 << 41):
        assert handover.wants(1 << 41)


def test_neither_waits_for_one_that_stands_still(lines: list[bytes], engine: Engine, tmp_path: Path) -> None:
    handover = Handover(most_bytes=1, patience_s=0.01)
    settings = load_settings(home=tmp_path, threads=2)
    ways = Ways(engine, registry(), settings, NOW, None, handover)
    with handover.reading(1, 1):
        assert handover.take(1, 9) is None  # it is read now, but nothing comes of it
    first, second = ([replace(block, seq=n) for block in blocks_of(lines[:100])] for n in (2, 3))
    arrivals_of(first, ways)
    arrivals_of(second, ways)  # there is no room, and nobody takes anything
    made = handover.take(2, 9)
    assert made is not None
    assert (made.blocks, made.posts.num_rows) == ((2,), 100)
    assert handover.take(3, 9) is None
    handover.end()
    assert handover.take(9, 9) is None


def test_a_watch_that_has_no_room_calls_the_lake_writer(lines: list[bytes], engine: Engine, tmp_path: Path) -> None:
    handover = Handover(most_bytes=1, patience_s=60.0)
    ways = Ways(engine, registry(), load_settings(home=tmp_path, threads=2), NOW, None, handover)
    first, second = ([replace(block, seq=n) for block in blocks_of(lines[:100])] for n in (1, 2))
    arrivals_of(first, ways)
    with ThreadPoolExecutor(1) as pool:

        def come() -> bool:
            assert handover.calls
            pool.submit(handover.take, 1, 9)
            return True

        handover.come = come
        arrivals_of(second, ways)
    assert not handover.calls
    made = handover.take(2, 9)
    assert made is not None
    assert made.posts.num_rows == 100


def test_one_who_waits_gets_what_comes(lines: list[bytes], engine: Engine, tmp_path: Path) -> None:
    handover = Handover(patience_s=60.0)
    ways = Ways(engine, registry(), load_settings(home=tmp_path, threads=2), NOW, None, handover)
    with ThreadPoolExecutor(1) as pool, handover.reading(5, 5):
        taken = pool.submit(handover.take, 1, 9)
        arrivals_of(blocks_of(lines[:100]), ways)
        made = taken.result()
    assert made is not None
    assert made.blocks == (1,)
