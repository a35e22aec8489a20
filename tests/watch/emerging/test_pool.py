"""Which posts are held for topics does not depend on how they came, or on what of them is looked at."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from groundswell.watch.emerging.pool import POOLED, Pool, first_of_each


def some(chance: np.random.Generator, start: int) -> pa.Table:
    """Posts of some windows about `start`."""
    size = int(chance.integers(1, 40))
    columns = {
        "window": chance.choice([start - 1, start, start, start, start + 1], size),
        "place": chance.choice([0, 3, 1000, 1000, 1000], size).astype(np.int32),
        "identity": chance.integers(0, 1 << 20, size).astype(np.uint64),
        "text": [f"text {n}" for n in range(size)],
    }
    empty = {name: pa.nulls(size, POOLED.field(name).type) for name in POOLED.names}
    return pa.table(empty | {name: pa.array(of, POOLED.field(name).type) for name, of in columns.items()})


@pytest.mark.parametrize("most", [1, 7, 30])
def test_the_first_of_each_window_are_held_in_the_order_in_which_they_came(most: int) -> None:
    chance = np.random.default_rng(most)
    pool, plain = Pool.empty(), POOLED.empty_table()
    for start in np.repeat(np.arange(6), 5).tolist():
        new = some(chance, start)
        window, place, identity = (new.column(name).to_numpy() for name in ("window", "place", "identity"))
        wanted = pool.wanted(window, place, identity, most)
        every = pa.concat_tables([plain, new])
        held = [every.column(name).to_numpy() for name in ("window", "place", "identity")]
        first = first_of_each(held[0], held[1], held[2], most)
        assert wanted.tolist() == (first[first >= plain.num_rows] - plain.num_rows).tolist()
        plain = every.take(pa.array(first))
        pool = pool.keep(new.take(pa.array(wanted)), most)
        assert pool.posts.equals(plain)
        assert pool.joined().posts.column("text").num_chunks == 1
        assert pool.joined().posts.equals(plain)
