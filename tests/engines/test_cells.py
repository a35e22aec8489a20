"""Cells are read alike with the compiled kernel and without it."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.engines.cells import read_texts

WRITTEN = st.one_of(
    st.none(),
    st.integers(0, 10**20).map(str),
    st.text(alphabet="0123456789.- e+_\t", max_size=22),
    st.sampled_from(["", "NULL", "12.0", "٣", "1e3", "0x10", "many", "999999999999999", "9999999999999999"]),
)


@pytest.fixture(autouse=True, scope="module")
def _unloaded() -> Iterator[None]:
    yield
    kernels.unload()


@settings(deadline=None)
@given(st.lists(WRITTEN, max_size=20), st.integers(0, 3), st.sampled_from([pa.int64(), pa.float64()]))
def test_the_kernel_reads_what_the_patterns_read(texts: list[str | None], first: int, kind: pa.DataType) -> None:
    cells = pa.array(texts, pa.string()).slice(first)
    kernels.load()
    quick = read_texts(cells, kind)
    kernels.unload()
    plain = read_texts(cells, kind)
    assert quick[0].equals(plain[0])
    assert quick[1] == plain[1]
