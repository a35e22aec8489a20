"""Records as they stand one behind the other."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.bus.blocks import Kind, pack
from groundswell.bus.joined import JoinedRecords, line_bounds


@given(st.lists(st.binary(max_size=40), max_size=50))
def test_joined_records_are_the_records(records: list[bytes]) -> None:
    joined = JoinedRecords.of(records)
    plain = [record.replace(b"\n", b" ") for record in records]
    assert list(joined) == [joined[n] for n in range(len(joined))] == plain
    assert JoinedRecords.of(joined) is joined


@given(st.lists(st.binary(max_size=3), max_size=200), st.binary(max_size=9).filter(lambda rest: b"\n" not in rest))
def test_lines_end_behind_their_line_feeds(lines: list[bytes], rest: bytes) -> None:
    content = b"".join(line.replace(b"\n", b"") + b"\n" for line in lines) + rest
    ends = [at + 1 for at, byte in enumerate(content) if byte == 0x0A]
    assert line_bounds(content).tolist() == [0, *ends]


def test_records_make_the_same_blocks_joined_or_not() -> None:
    records = [b"%d" % n * (n % 7) for n in range(7_003)]
    both = (records, JoinedRecords.of(records))
    blocks = [list(pack("s", each, kind=Kind.RECORDS, received_us=1, hint=None)) for each in both]
    assert blocks[0] == blocks[1]
    assert [block.count for block in blocks[0]] == [1_000] * 7 + [3]


@given(st.lists(st.lists(st.binary(max_size=9), max_size=9), min_size=1, max_size=5), st.booleans())
def test_parts_are_chained_in_their_order(parts: list[list[bytes]], some: bool) -> None:
    plain = [[record.replace(b"\n", b" ") for record in part] for part in parts]
    given = [part if some and not n % 2 else JoinedRecords.of(part) for n, part in enumerate(plain)]
    chained = JoinedRecords.chained(given)
    assert list(chained) == [record for part in plain for record in part]
    assert isinstance(chained, JoinedRecords) == all(isinstance(part, JoinedRecords) for part in given)


@settings(deadline=None)  # Arrow's functions are loaded by the first
@given(st.lists(st.binary(max_size=9), max_size=20), st.integers(0, 5))
def test_records_of_a_column_are_the_records(records: list[bytes], start: int) -> None:
    column = pa.chunked_array([pa.array(part, pa.binary()) for part in (records[:3], records[3:])]).slice(start)
    assert list(JoinedRecords.of_column(column)) == list(JoinedRecords.of(records[start:]))
