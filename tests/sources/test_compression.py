from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from groundswell.sources.compression import Compression, CutShortError, content, file_compression

TEXT = b"".join(b'{"n": %d}\n' % n for n in range(50_000))


def gz(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(data)


@pytest.mark.parametrize("pack", [gz, zst])
def test_several_members_are_one_stream(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    path = tmp_path / "a.anything"
    path.write_bytes(pack(TEXT[:1000]) + pack(b"") + pack(TEXT[1000:]))
    assert b"".join(content(path)) == TEXT


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(TEXT)
    assert file_compression(path) is Compression.NONE
    assert b"".join(content(path)) == TEXT


@pytest.mark.parametrize("pack", [gz, zst])
def test_what_can_be_read_of_a_truncated_file_is_given_first(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    path = tmp_path / "a"
    path.write_bytes(pack(TEXT)[:-100])
    read = b""
    with pytest.raises(CutShortError, match="unreadable from byte") as caught:  # noqa: PT012 - what comes before counts
        for chunk in content(path):
            read += chunk
    assert TEXT.startswith(read)
    assert caught.value.at == len(read)


def test_a_damaged_file_is_told_from_a_short_one(tmp_path: Path) -> None:
    packed = bytearray(gz(TEXT))
    packed[len(packed) // 2 : len(packed) // 2 + 20] = bytes(20)
    (tmp_path / "a").write_bytes(packed)
    with pytest.raises(CutShortError, match=r"damaged|ends early"):
        list(content(tmp_path / "a"))


def test_padding_behind_the_last_member_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gz(TEXT) + bytes(512))
    assert b"".join(content(tmp_path / "a")) == TEXT
