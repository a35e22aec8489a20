from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from groundswell.sources.compression import CutShortError, content
from groundswell.sources.files import SourceFile, find_files
from groundswell.sources.kinds import may_unfold
from groundswell.sources.stored import Limits
from groundswell.sources.unfold import SPOOLED, unfold

ROWS = b"".join(b'{"id": "%d", "text": "post number %d"}\n' % (n, n * n) for n in range(2_000))
TABLE = b"id,text\n" + b"".join(b"%d,post %d\n" % (n, n) for n in range(500))
MEMBERS = {"a.ndjson": ROWS, "in/b.csv": TABLE}
LIMITS = Limits(floor=1 << 20)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def source(tmp_path: Path, data: bytes, name: str = "archive") -> SourceFile:
    path = tmp_path / name
    path.write_bytes(data)
    (file,) = find_files([str(path)], tmp_path)
    return file


def read(tmp_path: Path, data: bytes, limits: Limits = LIMITS) -> dict[str, bytes | str]:
    """What an archive holds, by the names of the members: their content, or why they are refused."""
    found: dict[str, bytes | str] = {}
    file = source(tmp_path, data)
    for part in unfold(file, limits, tmp_path / "tmp"):
        name = part.name.removeprefix(file.name).removeprefix("::")
        if part.refused is not None:
            found[name] = part.refused
            continue
        text = b""
        try:
            for chunk in content(part.stored):
                text += chunk
        except CutShortError as error:
            found[f"{name} ended"] = str(error)
        found[name] = text
    assert not list((tmp_path / "tmp").glob("spool-*"))
    return found


@pytest.mark.parametrize(
    "pack",
    [
        zipped,
        lambda members: zipped(members, zipfile.ZIP_STORED),
        lambda members: zipped(members, zipfile.ZIP_BZIP2),
        lambda members: zipped(members, zipfile.ZIP_LZMA),
        tarred,
        lambda members: gzip.compress(tarred(members)),
        lambda members: bz2.compress(tarred(members)),
        lambda members: lzma.compress(tarred(members)),
        lambda members: zst(tarred(members)),
        lambda members: gzip.compress(zipped(members)),
    ],
    ids=["zip", "stored", "zip-bz2", "zip-lzma", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip.gz"],
)
def test_an_archive_gives_its_files(pack: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
    assert read(tmp_path, pack(MEMBERS)) == MEMBERS


def test_archives_in_archives_are_opened_and_packed_members_read(tmp_path: Path) -> None:
    inner = {"c.ndjson.gz": gzip.compress(ROWS), "d.tar": tarred({"e.csv": TABLE})}
    found = read(tmp_path, zipped({"inner.zip": zipped(inner), "a.ndjson": ROWS}))
    assert found == {"inner.zip::c.ndjson.gz": ROWS, "inner.zip::d.tar::e.csv": TABLE, "a.ndjson": ROWS}


def test_archives_are_opened_only_so_deep(tmp_path: Path) -> None:
    data = ROWS
    for _ in range(6):
        data = zipped({"x": data})
    (why,) = read(tmp_path, data).values()
    assert isinstance(why, str)
    assert "deep" in why


def test_a_plain_file_is_itself(tmp_path: Path) -> None:
    file = source(tmp_path, ROWS)
    assert list(unfold(file, LIMITS, tmp_path)) == [file]
    assert not may_unfold(ROWS[:512])
    assert not may_unfold(TABLE[:512])


def test_packed_text_is_itself(tmp_path: Path) -> None:
    for pack in (gzip.compress, bz2.compress, lzma.compress, zst):
        file = source(tmp_path, pack(TABLE))
        assert list(unfold(file, LIMITS, tmp_path)) == [file]
        assert b"".join(content(file.path)) == TABLE


@pytest.mark.parametrize("name", ["../up.csv", "/etc/x.csv", "a/../../x.csv", "C:/x.csv", "..\\x.csv"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_path_that_escapes_is_refused_and_the_others_are_read(
    name: str, pack: Callable[[dict[str, bytes]], bytes], tmp_path: Path
) -> None:
    found = read(tmp_path, pack({name: TABLE, "fine.csv": TABLE}))
    assert found.pop("fine.csv") == TABLE
    (why,) = found.values()
    assert "leads out of the archive" in str(why)


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert all(str(why).startswith("refused: ") for why in read(tmp_path, out.getvalue()).values())


@pytest.mark.parametrize(
    "bomb",
    [
        zipped({"zeros.csv": bytes(40 << 20)}),
        gzip.compress(tarred({"zeros.csv": bytes(40 << 20)})),
        zst(bytes(400 << 20)),
        zipped({"inner.zip": zipped({"zeros.csv": bytes(40 << 20)})}),
    ],
    ids=["zip", "tar.gz", "zst", "nested"],
)
def test_a_bomb_is_refused_before_it_goes_off(bomb: bytes, tmp_path: Path) -> None:
    said = " ".join(str(why) for why in read(tmp_path, bomb).values() if isinstance(why, str))
    assert "zip bomb" in said


def test_many_files_that_overlap_are_a_bomb(tmp_path: Path) -> None:
    data = zipped({"a.csv": TABLE * 400})
    begin = data.find(b"PK\x01\x02")
    entry, end = data[begin : data.find(b"PK\x05\x06")], data[data.find(b"PK\x05\x06") :]
    count = 60
    directory = b"".join(entry.replace(b"a.csv", b"%05d" % n) for n in range(count))
    tail = end[:8] + count.to_bytes(2, "little") * 2 + len(directory).to_bytes(4, "little") + end[16:]
    (why,) = read(tmp_path, data[:begin] + directory + tail).values()
    assert "zip bomb" in str(why)


def test_too_many_files_and_too_much_are_refused(tmp_path: Path) -> None:
    (few,) = (read(tmp_path, pack(MEMBERS), replace(LIMITS, members=1)) for pack in (zipped,))
    assert "more than 1 files" in str(few[""])
    found = read(tmp_path, tarred(MEMBERS), replace(LIMITS, unpacked=10_000))
    assert any("over the limit" in str(why) for why in found.values())


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": TABLE, "b.csv": TABLE}))
    data[6] |= 1  # local header of the first
    data[data.find(b"PK\x01\x02") + 8] |= 1
    found = read(tmp_path, bytes(data))
    assert "encrypted" in str(found["a.csv"])
    assert found["b.csv"] == TABLE


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_of_a_zip_that_is_cut_short_what_stands_before_is_read(cut: float, tmp_path: Path) -> None:
    whole = zipped({f"{n}.ndjson": ROWS for n in range(10)})
    found = read(tmp_path, whole[: int(len(whole) * cut)])
    assert "cut short" in str(found.pop(""))
    ended = [name for name in found if name.endswith(" ended")]
    names = [name for name in found if not name.endswith(" ended")]
    assert len(names) >= int(10 * cut) - 1
    assert len(ended) <= 1
    for name in names[:-1]:
        assert found[name] == ROWS
    last = found[names[-1]]
    assert isinstance(last, bytes)
    assert ROWS.startswith(last)


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, zst], ids=["tar", "tar.gz", "tar.zst"])
def test_of_a_tar_that_is_cut_short_what_stands_before_is_read(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    import random

    chance = random.Random(4)  # noqa: S311 - not for secrets
    members = {
        f"{n}.ndjson": b"".join(b'{"id": "%d"}\n' % chance.getrandbits(200) for _ in range(2_000)) for n in range(8)
    }
    whole = pack(tarred(members))
    found = read(tmp_path, whole[: int(len(whole) * 0.6)])
    names = [name for name in found if name.endswith(".ndjson")]
    assert len(names) in (4, 5)
    for name in names[:-1]:
        assert found[name] == members[name]
    last = found[names[-1]]
    assert isinstance(last, bytes)
    assert members[names[-1]].startswith(last)
    assert [why for name, why in found.items() if name.endswith(" ended") or not name]


def test_damage_in_one_member_leaves_the_others(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.ndjson": ROWS, "b.csv": TABLE}))
    data[600:640] = bytes(40)
    found = read(tmp_path, bytes(data))
    assert found["b.csv"] == TABLE
    assert "damaged" in str(found.get("a.ndjson ended") or found["a.ndjson"])


def test_litter_of_systems_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, zipped({"__MACOSX/._a.csv": b"x", ".DS_Store": b"y", "a.csv": TABLE})) == {"a.csv": TABLE}


def test_an_empty_archive_says_so(tmp_path: Path) -> None:
    assert read(tmp_path, zipped({})) == {"": "the archive holds no files"}


def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", TABLE)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.csv", TABLE[:100])
    assert read(tmp_path, out.getvalue()) == {"a.csv": TABLE, "a.csv#2": TABLE[:100]}


@pytest.mark.slow
def test_a_large_member_is_read_where_it_stands(tmp_path: Path) -> None:
    big = ROWS * (SPOOLED // len(ROWS) + 1)
    for part in unfold(source(tmp_path, zipped({"big.ndjson": big})), LIMITS, tmp_path / "tmp"):
        assert part.inside is not None
        assert not part.is_plain
        assert b"".join(content(part.stored)) == big == b"".join(content(part.stored))
        assert b"".join(content(part.stored, len(big) - 10)) == big[-10:]


def test_a_member_has_an_identity_of_its_state(tmp_path: Path) -> None:
    file = source(tmp_path, zipped(MEMBERS))
    first = [part.identity for part in unfold(file, LIMITS, tmp_path / "tmp")]
    assert len(set(first)) == 2
    assert [part.identity for part in unfold(file, LIMITS, tmp_path / "tmp")] == first
    changed = source(tmp_path, zipped(MEMBERS | {"a.ndjson": ROWS[:-40]}))
    assert next(part.identity for part in unfold(changed, LIMITS, tmp_path / "tmp")) != first[0]


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z"),
        (b"Rar!\x1a\x07\0", "RAR"),
        (b"%PDF-1.7\n", "PDF"),
        (b"SQLite format 3\0", "sqlite:///"),
        (b"\x80\x04\x95\0", "pickle"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'<?xml version="1.0"?>', "XML"),
        (b"\x04\x22\x4d\x18", "lz4"),
    ],
)
def test_what_is_not_read_says_what_it_is(head: bytes, what: str, tmp_path: Path) -> None:
    for data in (head, gzip.compress(head)):
        (why,) = read(tmp_path, data).values()
        assert what in str(why)
