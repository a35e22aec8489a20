"""The index of lines, compiled and plain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.sources import line_index
from groundswell.sources.line_index import LineIndex
from groundswell.sources.lines import Piece


@pytest.fixture(autouse=True)
def _loaded() -> Iterator[None]:
    kernels.load()
    yield
    kernels.unload()


def taken(path: Path) -> list[list[int]]:
    index = LineIndex(Piece(path, 0, 1, spilled=False))
    local, _, numbers = index.take(10_000)
    assert index.rest() == 0
    return [local.tolist(), numbers.tolist()]


@given(st.binary(max_size=200), st.sampled_from([8, 16, 64]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_those_of_a_plain_walk(tmp_path: Path, content: bytes, block: int) -> None:
    content = content.replace(b"\x01", b"\n").replace(b"\x02", b" \n")
    path = tmp_path / "lines"
    path.write_bytes(content)
    lines = content.split(b"\n")
    at, places, numbers = 0, [], []
    for number, line in enumerate(lines, 1):
        if line.strip(b" \t\r\n"):
            places.append(at)
            numbers.append(number)
        at += len(line) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_index, "_BLOCK", block)
        compiled = taken(path)
        kernels.unload()
        plain = taken(path)
        kernels.load()
    assert compiled == plain == [places, numbers]
