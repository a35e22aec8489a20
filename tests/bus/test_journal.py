from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from groundswell.bus import Journal, Kind
from groundswell.bus import journal as journals
from groundswell.bus.blocks import MAX_BYTES, MAX_RECORDS, content_of, pack
from groundswell.errors import UnavailableError

LARGE = 1 << 30


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


def records_of(journal: Journal) -> list[bytes]:
    return [record for block in journal.read(0, LARGE, LARGE) for record in block.records]


def test_records_come_back_in_order_with_their_numbers(journal: Journal) -> None:
    assert journal.append("push", [b"a", b"", b"c"], received_us=5) == (0, 2)
    assert journal.append("push", [b"d"], received_us=6) == (3, 3)
    blocks = journal.read(0, LARGE, LARGE)
    assert [block.records for block in blocks] == [[b"a", b"", b"c"], [b"d"]]
    assert [block.numbers.tolist() for block in blocks] == [[0, 1, 2], [3]]
    assert [block.received_us.tolist() for block in blocks] == [[5, 5, 5], [6]]
    assert journal.last_block() == 2
    assert journal.next_record() == 4


def test_appending_nothing_stores_nothing(journal: Journal) -> None:
    assert journal.append("push", [], received_us=5) == (0, -1)
    assert journal.last_block() == 0


def test_who_follows_is_told_of_the_first_records_that_come(journal: Journal) -> None:
    told: list[int] = []
    end = journal.follow(lambda: told.append(journal.last_block()), threading.Event())
    journal.append("push", [], received_us=1, position="7")
    for _ in range(2):
        journal.append("push", [b"a"], received_us=1)
    assert told == [1]
    end()
    journal.follow(lambda: told.append(0), threading.Event())()
    journal.append("push", [b"b"], received_us=1)
    assert told == [1]


def test_the_source_position_is_committed_with_its_records(journal: Journal) -> None:
    assert journal.position("tail:a") is None
    journal.append("tail:a", [b"x"], received_us=1, position="17")
    journal.append("tail:a", [], received_us=1, position="18")
    assert journal.position("tail:a") == "18"
    journal.forget("tail:a")
    assert journal.position("tail:a") is None


def test_each_record_keeps_its_own_receive_time(journal: Journal) -> None:
    times = np.arange(3_000, dtype=np.int64) * 7
    journal.append("replay", [b"r"] * 3_000, received_us=times)
    blocks = journal.read(0, LARGE, LARGE)
    assert [block.count for block in blocks] == [1_000, 1_000, 1_000]
    assert np.concatenate([block.received_us for block in blocks]).tolist() == times.tolist()
    assert (blocks[1].received_from_us, blocks[1].received_to_us) == (7_000, 13_993)


def test_the_hint_says_how_to_read_a_block(journal: Journal) -> None:
    journal.append("replay", [b"r"], received_us=1, hint={"layout": "generic.table", "map": {"text": "körper"}})
    journal.append("push", [b"r"], received_us=1, kind=Kind.OVERSIZED)
    first, second = journal.read(0, LARGE, LARGE)
    assert first.hint == {"layout": "generic.table", "map": {"text": "körper"}}
    assert (second.hint, second.kind) == (None, Kind.OVERSIZED)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=50))
def test_packing_loses_nothing_but_newlines(records: list[bytes]) -> None:
    (packed,) = pack("s", records, kind=Kind.RECORDS, received_us=1, hint=None)
    assert packed.count == len(records)
    body = zstandard.ZstdDecompressor().decompress(packed.body, max_output_size=packed.size)
    assert body.split(b"\n") == [*(record.replace(b"\n", b" ") for record in records), b""]


def test_blocks_of_an_earlier_version_are_read_alike(journal: Journal) -> None:
    journal.append("push", [b"a", b""], received_us=1)
    journal.append("push", [b"b"], received_us=1)
    new, other = journal.read(0, LARGE, LARGE)
    before = replace(new, body=zstandard.ZstdCompressor().compress(b"a\n"), size=2)
    assert (before.frame, new.frame) == (None, new.body)
    assert before.records == new.records == [b"a", b""]
    assert bytes(content_of([before, other])) == bytes(content_of([new, other])) == b"a\n\nb\n"


def test_a_newline_inside_a_record_becomes_a_space(journal: Journal) -> None:
    journal.append("push", [b'{"a":\n1}', b"x"], received_us=1)
    assert records_of(journal) == [b'{"a": 1}', b"x"]


def test_blocks_are_cut_by_number_and_by_bytes() -> None:
    many = list(pack("s", [b"x"] * (2 * MAX_RECORDS + 1), kind=Kind.RECORDS, received_us=1, hint=None))
    assert [block.count for block in many] == [MAX_RECORDS, MAX_RECORDS, 1]
    large = list(pack("s", [b"x" * (MAX_BYTES - 1)] * 3, kind=Kind.RECORDS, received_us=1, hint=None))
    assert [block.count for block in large] == [1, 1, 1]


def test_reading_keeps_to_its_limits_but_always_moves_on(journal: Journal) -> None:
    for _ in range(4):
        journal.append("push", [b"x" * 10] * 10, received_us=1)
    assert [block.seq for block in journal.read(0, 20, LARGE)] == [1, 2]
    assert [block.seq for block in journal.read(2, 1, 1)] == [3]
    assert [block.seq for block in journal.read(2, LARGE, 150)] == [3]
    assert journal.read(4, LARGE, LARGE) == []
    assert journal.borders(4, LARGE, LARGE) == 4
    assert [block.seq for block in journal.between(2, 3)] == [2, 3]


def test_concurrent_appends_lose_and_mix_nothing(journal: Journal) -> None:
    def push(name: int) -> None:
        for n in range(20):
            first, last = journal.append(f"s{name}", [f"{name}-{n}-{k}".encode() for k in range(5)], received_us=n)
            assert last - first == 4

    threads = [threading.Thread(target=push, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocks = journal.read(0, LARGE, LARGE)
    assert [n for block in blocks for n in block.numbers.tolist()] == list(range(800))
    for name in range(8):
        ours = [record for block in blocks if block.source == f"s{name}" for record in block.records]
        assert ours == [f"{name}-{n}-{k}".encode() for n in range(20) for k in range(5)]


def test_two_processes_append_while_a_third_reads(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    code = (
        "import sys; from pathlib import Path; from groundswell.bus import Journal\n"
        f"journal = Journal(Path({str(path)!r}))\n"
        "for n in range(50): journal.append(sys.argv[1], [b'x'] * 10, received_us=n)"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, name]) for name in ("a", "b")]
    with Journal(path) as journal:
        seen: list[int] = []
        while any(child.poll() is None for child in children) or journal.borders(len(seen), 1, 1) > len(seen):
            seen += [block.seq for block in journal.read(len(seen), 100, LARGE)]
        assert [child.wait(60) for child in children] == [0, 0]
        assert seen == list(range(1, 101))
        assert journal.next_record() == 1_000


def test_a_killed_appender_leaves_whole_blocks_and_a_true_position(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    code = (
        "from pathlib import Path; from groundswell.bus import Journal\n"
        f"journal = Journal(Path({str(path)!r})); n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    journal.append('s', [str(n).encode()] * 2500, received_us=n, position=str(n))\n"
        "    print(n, flush=True)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(5)][-1]
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Journal(path) as journal:
        position = int(journal.position("s") or 0)
        assert position >= acknowledged
        assert len(records_of(journal)) == 2_500 * position == journal.next_record()


def test_a_full_disk_is_said_and_nothing_is_half_written(journal: Journal) -> None:
    journal.append("push", [b"first"], received_us=1, position="1")
    pages = journal._writer.execute("PRAGMA page_count").fetchone()[0]
    journal._writer.execute(f"PRAGMA max_page_count={pages + 2}")
    noise = [np.random.default_rng(n).bytes(2_000).replace(b"\n", b" ") for n in range(500)]
    with pytest.raises(UnavailableError, match="Free some space"):
        journal.append("push", noise, received_us=2, position="2")
    assert records_of(journal) == [b"first"]
    assert journal.position("push") == "1"
    journal._writer.execute("PRAGMA max_page_count=1000000")
    assert journal.append("push", [b"second"], received_us=3) == (1, 1)


def test_a_journal_that_cannot_be_created_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnavailableError, match="GROUNDSWELL_HOME"):
        Journal(tmp_path / "file" / "journal.sqlite")


def test_close_beats_join_to_an_interval_and_far_ones_do_not(journal: Journal) -> None:
    second = 1_000_000
    for at in (0, 5, 9, 40, 45):
        journal.heartbeat("tail:a", at * second)
    journal.heartbeat("tail:b", 41 * second)
    found = [(c.source, c.from_us // second, c.to_us // second) for c in journal.connections()]
    assert found == [("tail:a", 0, 9), ("tail:a", 40, 45), ("tail:b", 41, 41)]
    assert len(journal.connections(since_us=20 * second)) == 2


def test_cutting_removes_only_what_is_done_and_old_and_reuses_no_number(journal: Journal) -> None:
    for n in range(4):
        journal.append("push", [b"x"], received_us=n)
    assert journal.cut(3, 0) == 0
    assert journal.cut(3, 2**62) == 2
    assert journal.first_block() == 3
    assert journal.cut(99, 2**62) == 2
    assert (journal.first_block(), journal.last_block()) == (5, 4)
    assert journal.append("push", [b"y"], received_us=9) == (4, 4)
    assert journal.last_block() == 5


def test_a_journal_of_an_earlier_version_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as before:
        before.execute("PRAGMA page_size=4096")
        before.execute("PRAGMA auto_vacuum=INCREMENTAL")
        before.execute("PRAGMA journal_mode=WAL")
        before.executescript(journals._TABLES)
        body = zstandard.ZstdCompressor().compress(b'{"n": 0}')
        row = ("push", "records", None, 0, 1, 8, 1, 1, 1, body, None)
        before.execute(journals._INSERT, row)
        before.execute("UPDATE numbers SET value = 1")
        before.commit()
    with Journal(path) as journal:
        assert journal.append("push", [b'{"n": 1}'], received_us=2) == (1, 1)
        assert records_of(journal) == [b'{"n": 0}', b'{"n": 1}']
    with closing(sqlite3.connect(path)) as after:
        assert after.execute("PRAGMA page_size").fetchone() == (4096,)


def test_appending_is_durable_by_setting(journal: Journal) -> None:
    assert journal._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    with sqlite3.connect(journal.path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
