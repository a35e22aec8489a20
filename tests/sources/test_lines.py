from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.sources import line_index, lines
from groundswell.sources.compression import Compression, CutShortError
from groundswell.sources.containers import Container, Form
from groundswell.sources.line_index import LineIndex
from groundswell.sources.lines import LongLine, Piece, long_lines, pieces, read_lines

PLAIN = Container(Form.NDJSON, Compression.NONE)
PIECE = st.sampled_from([b"{}", b"", b"  ", b"\t\r", b'{"a": 1}\r', b"x" * 30, b"\xff", b'"\n"'.replace(b"\n", b"\\n")])


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE), st.booleans(), st.integers(1, 9))
def test_every_line_that_is_not_blank_has_its_place(parts: list[bytes], ended: bool, step: int) -> None:
    import tempfile

    data = b"\n".join(parts) + (b"\n" if ended else b"")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        index = LineIndex(Piece(path, 100, 1, spilled=False))
        local, offsets, numbers = [], [], []
        while True:
            taken = index.take(step)
            local += taken[0].tolist()
            offsets += taken[1].tolist()
            numbers += taken[2].tolist()
            if len(taken[0]) < step:
                break
        found = list(read_lines(path, local))
    expected = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip(b" \t\r\n")]
    assert numbers == [n for n, _ in expected]
    assert found == [line.removesuffix(b"\r") for _, line in expected]
    assert [at + 100 for at in local] == offsets
    assert index.rest() == 0


def test_a_block_border_in_a_line_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_index, "_BLOCK", 5)
    path = tmp_path / "a"
    path.write_bytes(b'{"a": 1}\n\n{"b": 22222222}\n{}')
    index = LineIndex(Piece(path, 0, 1, spilled=False))
    assert [part.tolist() for part in index.take(10)] == [[0, 10, 26], [0, 10, 26], [1, 3, 4]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12), st.booleans(), st.integers(5, 20), st.sampled_from((1, 4, 1 << 14)))
def test_long_lines_are_found_wherever_they_are(lengths: list[int], ended: bool, limit: int, look: int) -> None:
    import tempfile

    parts = [b"x" * length for length in lengths]
    data = b"\n".join(parts) + (b"\n" if ended else b"")
    expected, at = [], 0
    for part in parts:
        if len(part) > limit:
            expected.append((at, at + len(part)))
        at += len(part) + 1
    with tempfile.NamedTemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_LOOK", look)
        patch.setattr(lines, "_STEP", 2 * look)
        file.write(data)
        file.flush()
        assert long_lines(Path(file.name), limit) == expected


def test_a_plain_file_is_its_own_piece(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"{}\n")
    assert list(pieces(path, PLAIN, 100, tmp_path / "tmp")) == [Piece(path, 0, 1, spilled=False)]
    assert not (tmp_path / "tmp").exists()


def content_of(path: Path, container: Container, limit: int, tmp: Path) -> list[tuple[int, int, bytes]]:
    out = []
    for piece in pieces(path, container, limit, tmp):
        if isinstance(piece, LongLine):
            record = piece.record
            out.append((piece.line, record.offset, b"LONG %d " % record.length + record.sha256[:6].encode()))
        else:
            local, offsets, numbers = LineIndex(piece).take(1_000)
            raws = read_lines(piece.path, local.tolist())
            out += list(zip(numbers.tolist(), offsets.tolist(), raws, strict=True))
            piece.remove()
    return out


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_long_line_is_cut_out_and_the_places_stay_true(packed: bool, bom: bytes, tmp_path: Path) -> None:
    big = b"x" * 300_000
    data = bom + b'{"a": 1}\n\n' + big + b'\n{"b": 2}\n' + big + b"\n" + big + b'\n{"c": 3}'
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(data) if packed else data)
    container = Container(
        Form.NDJSON, Compression.GZIP if packed else Compression.NONE, "utf-8-sig" if bom else "utf-8"
    )
    digest = hashlib.sha256(big).hexdigest()[:6].encode()
    found = content_of(path, container, 1_000, tmp_path / "tmp")
    long = b"LONG 300000 " + digest
    assert [(n, text) for n, _, text in found] == [
        (1, b'{"a": 1}'), (3, long), (4, b'{"b": 2}'), (5, long), (6, long), (7, b'{"c": 3}'),
    ]  # fmt: skip
    assert all(data[at : at + len(text)] == text for _, at, text in found if not text.startswith(b"LONG"))
    assert all(data[at : at + len(big)] == big for _, at, text in found if text.startswith(b"LONG"))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_whole_lines_of_a_truncated_file_come_before_the_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = b"".join(b'{"n": %d}\n' % n for n in range(100_000))
    path.write_bytes(gzip.compress(data, 1)[:-200])
    seen = []
    with pytest.raises(CutShortError):  # noqa: PT012 - what comes before counts
        for piece in pieces(path, Container(Form.NDJSON, Compression.GZIP), 1_000, tmp_path / "tmp"):
            assert isinstance(piece, Piece)
            seen.append(piece.path.read_bytes())
    assert data.startswith(b"".join(seen))
    assert seen[-1].endswith(b"}\n")
