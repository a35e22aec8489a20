"""Raw content in frames: what was added is read back, and what was not sealed is gone."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import UnavailableError
from groundswell.lake import Lake, raw, raw_index
from groundswell.lake.raw import Extent, RawReader, RawWriter, new_object, stream_object, sweep
from groundswell.lake.raw_index import NUMBERED, Kept


@settings(deadline=None)  # what is sealed is brought to the disk
@given(pieces=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=20), frame=st.integers(1, 80))
def test_what_was_added_is_read_back(pieces: list[bytes], frame: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("raw")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(raw, "FRAME", frame)
        extents: list[Extent] = []
        with RawWriter(root, new_object("2026-11-21")) as writer:
            at = 0
            for piece in pieces:
                writer.add(piece, at, extents)
                at += len(piece)
            writer.seal()
    reader = RawReader(root)
    assert sorted(extent.content for extent in extents) == [extent.content for extent in extents]
    assert b"".join(reader.stream(extents)) == b"".join(pieces)
    for start in range(0, at, 7):
        assert b"".join(reader.stream(extents, start)) == b"".join(pieces)[start:]


def test_small_contents_share_a_frame(tmp_path: Path) -> None:
    extents: list[Extent] = []
    with RawWriter(tmp_path, new_object("2026-11-21")) as writer:
        for word in (b"one", b"two", b"three"):
            writer.add(word, 0, extents)
        writer.seal()
    assert {extent.offset for extent in extents} == {0}
    reader = RawReader(tmp_path)
    assert [reader.read(extent) for extent in extents] == [b"one", b"two", b"three"]


def test_what_was_not_sealed_is_removed(tmp_path: Path) -> None:
    with RawWriter(tmp_path, new_object("2026-11-21")) as writer:
        writer.add(b"x" * raw.FRAME, 0, [])
    assert list(tmp_path.rglob("*.zst")) == []


def test_of_an_object_that_is_appended_to_only_the_new_is_taken_back(tmp_path: Path) -> None:
    name = stream_object("2026-11-21")
    first: list[Extent] = []
    with RawWriter(tmp_path, name, append=True) as writer:
        writer.add(b"first", 0, first)
        writer.seal()
    size = (tmp_path / name).stat().st_size
    with RawWriter(tmp_path, name, append=True) as writer:
        writer.add(b"y" * raw.FRAME, 0, [])
    assert (tmp_path / name).stat().st_size == size
    second: list[Extent] = []
    with RawWriter(tmp_path, name, append=True) as writer:
        writer.add(b"second", 0, second)
        writer.seal()
    reader = RawReader(tmp_path)
    assert (reader.read(first[0]), reader.read(second[0])) == (b"first", b"second")


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_content_is_told(tmp_path: Path, damage: str) -> None:
    name = new_object("2026-11-21")
    extents: list[Extent] = []
    with RawWriter(tmp_path, name) as writer:
        writer.add(bytes(range(256)) * 100, 0, extents)
        writer.seal()
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[:-5])
    else:
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    with pytest.raises(UnavailableError, match="cannot be read"):
        RawReader(tmp_path).read(extents[0])


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with RawWriter(tmp_path, new_object("2026-11-21")) as writer:
        writer.add(b"x" * raw.FRAME, 0, [])
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            writer.seal()
    assert list(tmp_path.rglob("*.zst")) == []


def test_sweeping_removes_what_nobody_wants(tmp_path: Path) -> None:
    names = [new_object("2026-11-20"), new_object("2026-11-21")]
    for name in names:
        with RawWriter(tmp_path, name) as writer:
            writer.add(b"content", 0, [])
            writer.seal()
    assert sweep(tmp_path, {names[1]})[0] == 1
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.zst")] == [names[1]]
    assert not (tmp_path / "2026-11-20").exists()


def test_a_row_is_of_the_newest_content_before_it() -> None:
    old, new = (Kept("import", "a", at, "ndjson", length=100) for at in (10, 20))
    assert raw_index.at([old, new], 15, 5) is old
    assert raw_index.at([old, new], 20, 5) is new
    assert raw_index.at([old, new], 9, 5) is None
    assert raw_index.at([old], 15, 100) is None


def test_the_index_gives_back_what_it_was_given(tmp_path: Path) -> None:
    extent = Extent(0, 5, "o.zst", 1, 2, 3)
    kept = Kept(
        "feed", "journal", 7, NUMBERED, length=5, first_record=1, last_record=9, extents=[extent], places=extent
    )
    lake = Lake(tmp_path / "lake")
    lake.append(raw_index.TABLE, raw_index.table_of([kept]))
    assert raw_index.of_origin(lake, "feed", "journal") == [kept]
    assert raw_index.bytes_kept(lake) == (5, 0)
