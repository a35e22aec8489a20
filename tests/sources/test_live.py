"""Standard input, a growing file and a folder: everything arrives in the journal once, across restarts."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.bus import Journal, Kind
from groundswell.bus.joined import JoinedRecords
from groundswell.errors import UnreadableFileError
from groundswell.sources import stdin
from groundswell.sources.feed import LiveSource
from groundswell.sources.folder import FolderSource
from groundswell.sources.records import Line, LineCutter
from groundswell.sources.stdin import StdinSource
from groundswell.sources.tail import TailSource

Until = Callable[..., None]
LIMIT = 1 << 20


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "home" / "journal.sqlite") as journal:
        yield journal


def arrived(journal: Journal) -> list[bytes]:
    blocks = journal.read(0, 1 << 30, 1 << 40)
    return [record for block in blocks if block.kind == Kind.RECORDS for record in block.records]


@contextmanager
def running(source: LiveSource, journal: Journal) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(journal, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def read_lines(path: Path) -> Iterator[Line]:
    for n, line in enumerate(path.read_bytes().split(b"\n")):
        if line == b"BROKEN":
            what = "the file is cut short"
            raise UnreadableFileError(what, where=path)
        if line:
            yield Line(n, line)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_however_the_bytes_arrive(size: int) -> None:
    data = b"\xef\xbb\xbfone\r\n\n  \ntwo\n" + b"x" * 50 + b"\nthree"
    cutter = LineCutter(20, origin="o")
    lines = [line for at in range(0, len(data), size) for line in cutter.feed(data[at : at + size])]
    lines += cutter.flush()
    assert [line.data for line in lines] == [b"one", b"two", None, b"three"]
    assert [line.offset for line in lines] == [0, 12, 16, 67]
    assert cutter.position == len(data)


_PIECES = [b"one", b"two", b"\n", b"\r", b" ", b"\xef\xbb\xbf", b"x" * 9, b"\n{}\n{}\n"]


def told(line: Line | bytes) -> object:
    """A record, or what is said of it; how much of its beginning is kept depends on how it came."""
    if isinstance(line, bytes):
        return line
    return line.data if line.description is None else json.loads(line.description) | {"raw": ""}


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join), st.integers(1, 30))
def test_lines_that_are_read_are_those_that_are_fed(data: bytes, size: int) -> None:
    fed, reading = LineCutter(10, origin="o"), LineCutter(10, origin="o")
    expected = [told(line) for line in [*fed.feed(data), *fed.flush()]]
    stream, found = io.BytesIO(data), list[object]()
    while (lines := reading.read(stream.readinto, size)) is not None:
        found += map(told, lines)
    assert [*found, *map(told, reading.flush())] == expected
    assert reading.position == fed.position == len(data)


def test_lines_of_plain_records_are_read_as_they_stand() -> None:
    data = b'{"a": 1}\n{"b": 2}\n{"c"'
    cutter = LineCutter(LIMIT, origin="o", start=5)
    lines = cutter.read(io.BytesIO(data).readinto, 99)
    assert isinstance(lines, JoinedRecords)
    assert list(lines) == [b'{"a": 1}', b'{"b": 2}']
    assert cutter.position == 5 + 18
    assert cutter.read(io.BytesIO(b"").readinto, 99) is None
    more = cutter.read(io.BytesIO(b": 3}\n").readinto, 99)
    assert more is not None
    assert list(more) == [b'{"c": 3}']


def test_a_record_over_the_limit_is_described_with_its_hash_and_beginning() -> None:
    large = bytes(range(32, 127)) * 2_000
    cutter = LineCutter(100_000, origin="tail:x", start=7)
    (line,) = [line for at in range(0, len(large), 999) for line in cutter.feed(large[at : at + 999])] or cutter.feed(
        b"\n"
    )
    assert line.description is not None
    document = json.loads(line.description)
    assert base64.b64decode(document["raw"]) == large[: 64 << 10]
    assert document["raw_sha256"] == hashlib.sha256(large).hexdigest()
    assert (document["raw_bytes"], document["offset"], document["origin"]) == (len(large), 7, "tail:x")


def test_standard_input_is_read_to_its_end_with_the_last_line(journal: Journal) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b'{"a": 1}\n{"a": 2}\nnot json')
    StdinSource(LIMIT, descriptor=reading).run(journal, threading.Event())
    os.close(reading)
    assert arrived(journal) == [b'{"a": 1}', b'{"a": 2}', b"not json"]
    assert [c.source for c in journal.connections()] == ["stdin"]


def test_standard_input_stops_when_told(journal: Journal, until: Until) -> None:
    reading, writing = os.pipe()
    with running(StdinSource(LIMIT, descriptor=reading), journal):
        os.write(writing, b"one\n")
        until(lambda: arrived(journal) == [b"one"])
    os.close(reading)
    os.close(writing)


def test_a_pipe_is_read_on_though_the_watch_stands_still(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin, "_PATIENCE_S", 0.05)
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b"one\n")
    StdinSource(LIMIT, descriptor=reading, may_append=lambda: False).run(journal, threading.Event())
    os.close(reading)
    assert arrived(journal) == [b"one"]


def test_a_growing_file_waits_for_the_watch(journal: Journal, tmp_path: Path, until: Until) -> None:
    path, keeps_up, asked = tmp_path / "log", threading.Event(), threading.Event()

    def may_append() -> bool:
        asked.set()
        return keeps_up.is_set()

    path.write_bytes(b"one\n")
    with running(TailSource(path, LIMIT, may_append=may_append), journal):
        assert asked.wait(10)
        assert arrived(journal) == []
        keeps_up.set()
        until(lambda: arrived(journal) == [b"one"])


def test_an_oversized_record_goes_into_a_block_of_its_own_kind(journal: Journal) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b"a\n" + b"x" * 5_000 + b"\nb\n")
    StdinSource(1_024, descriptor=reading).run(journal, threading.Event())
    os.close(reading)
    assert arrived(journal) == [b"a", b"b"]
    (oversized,) = [block for block in journal.read(0, 99, LIMIT) if block.kind == Kind.OVERSIZED]
    assert json.loads(oversized.records[0])["raw_bytes"] == 5_000


def test_a_growing_file_is_followed_and_its_partial_last_line_waits(
    journal: Journal, tmp_path: Path, until: Until
) -> None:
    path = tmp_path / "log"
    with running(TailSource(path, LIMIT), journal):
        path.write_bytes(b"one\ntw")
        until(lambda: arrived(journal) == [b"one"])
        with path.open("ab") as file:
            file.write(b"o\nthree\n")
        until(lambda: arrived(journal) == [b"one", b"two", b"three"])


def test_a_restart_reads_on_where_it_ended(journal: Journal, tmp_path: Path, until: Until) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nthr")
    with running(TailSource(path, LIMIT), journal):
        until(lambda: len(arrived(journal)) == 2)
    with path.open("ab") as file:
        file.write(b"ee\n")
    with running(TailSource(path, LIMIT), journal):
        until(lambda: arrived(journal) == [b"one", b"two", b"three"])


def test_rotation_loses_nothing_and_doubles_nothing(journal: Journal, tmp_path: Path, until: Until) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    with running(TailSource(path, LIMIT), journal):
        until(lambda: arrived(journal) == [b"one"])
        with path.open("ab") as file:
            path.rename(tmp_path / "log.1")
            file.write(b"two\nlast")
        path.write_bytes(b"three\n")
        until(lambda: arrived(journal) == [b"one", b"two", b"last", b"three"])


def test_rotation_while_it_was_down_loses_nothing(journal: Journal, tmp_path: Path, until: Until) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    with running(TailSource(path, LIMIT), journal):
        until(lambda: arrived(journal) == [b"one"])
    with path.open("ab") as file:
        file.write(b"two\n")
    path.rename(tmp_path / "log.1")
    path.write_bytes(b"three\n")
    with running(TailSource(path, LIMIT), journal):
        until(lambda: arrived(journal) == [b"one", b"two", b"three"])


def test_a_truncated_file_is_read_from_its_start(journal: Journal, tmp_path: Path, until: Until) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\n")
    with running(TailSource(path, LIMIT), journal):
        until(lambda: len(arrived(journal)) == 2)
        path.write_bytes(b"new\n")
        until(lambda: arrived(journal) == [b"one", b"two", b"new"])


def test_files_of_a_folder_are_read_once_when_they_are_complete(journal: Journal, tmp_path: Path, until: Until) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(b"one\ntwo\n")
    (folder / ".hidden").write_bytes(b"no\n")
    (folder / "b.part").write_bytes(b"no\n")
    with running(FolderSource(folder, read_lines, settle_s=0), journal):
        until(lambda: arrived(journal) == [b"one", b"two"])
    (folder / "c.ndjson").write_bytes(b"three\n")
    with running(FolderSource(folder, read_lines, settle_s=0), journal):
        until(lambda: arrived(journal) == [b"one", b"two", b"three"])


def test_a_file_that_still_changes_is_left_alone(journal: Journal, tmp_path: Path, until: Until) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "old").write_bytes(b"old\n")
    (folder / "new").write_bytes(b"new\n")
    now_us = (folder / "new").stat().st_mtime_ns // 1000 + 1_000_000
    os.utime(folder / "old", (1, 1))
    with running(FolderSource(folder, read_lines, settle_s=2, now=lambda: now_us), journal):
        until(lambda: arrived(journal) == [b"old"])
        now_us += 2_000_000
        until(lambda: arrived(journal) == [b"old", b"new"])


def test_a_file_that_grew_is_read_on(journal: Journal, tmp_path: Path, until: Until) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "a"
    path.write_bytes(b"one\n")
    with running(FolderSource(folder, read_lines, settle_s=0), journal):
        until(lambda: arrived(journal) == [b"one"])
        with path.open("ab") as file:
            file.write(b"two\n")
        until(lambda: arrived(journal) == [b"one", b"two"])


def test_a_broken_file_gives_what_it_has_and_stops_nothing(
    journal: Journal, tmp_path: Path, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_bytes(b"one\nBROKEN\n")
    (folder / "b").write_bytes(b"two\n")
    with running(FolderSource(folder, read_lines, settle_s=0), journal):
        until(lambda: sorted(arrived(journal)) == [b"one", b"two"])
    assert "cut short" in caplog.text
