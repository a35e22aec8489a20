"""Pieces of a file of lines."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.engines.splits import records_of, split_lines


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(1, 30))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_hold_every_line_once_with_its_number(tmp_path: Path, lines: list[bytes], size: int) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"\n".join(lines))
    found = [record for split in split_lines(path, size) for record in records_of(path, split)]
    kept = [line for line in lines if line.strip()]
    assert [number for number, _ in found] == list(range(len(kept)))
    assert [line.removesuffix(b"\n") for _, line in found] == kept
