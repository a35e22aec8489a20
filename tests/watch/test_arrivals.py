from __future__ import annotations

import numpy as np
import pyarrow as pa

from groundswell.query import Matcher, parse
from groundswell.testing.streams import START, make_posts
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import SECOND
from groundswell.watch.joined_arrivals import join
from groundswell.watch.seen import hash_bytes


def posts() -> pa.Table:
    return make_posts(
        [START, START + SECOND, START + 2 * SECOND],
        ["Shoes, shoes and #Sale", "sale", None],
        hashtags=[["sale"], None, []],
        authors=["ann", "bob", None],
        author_id=["7", None, None],
        followers=[10, None, None],
        likes=[1, 0, None],
        shares=[2, None, None],
        platform=["x", "tiktok", "x"],
    )


def test_a_post_without_a_time_happened_when_it_was_observed_or_received() -> None:
    table = make_posts([START, 0, 0], ["a"] * 3, received=[START + 9] * 3, observed_at=[None, START + 5, None])
    table = table.set_column(5, "created_at", pa.array([START, None, None], table.schema.field("created_at").type))
    arrivals = TableArrivals(table)
    assert arrivals.event_us.tolist() == [START, START + 5, START + 9]
    assert arrivals.observed_us.tolist() == [START + 9, START + 5, START + 9]


def test_what_is_not_known_is_nan_and_nobody_is_zero() -> None:
    arrivals = TableArrivals(posts())
    assert np.array_equal(arrivals.reach, [10, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(arrivals.engagement, [3, 0, np.nan], equal_nan=True)
    assert arrivals.author.tolist() == [*hash_bytes(pa.array(["7", "bob"])).tolist(), 0]
    assert [arrivals.platforms[code] for code in arrivals.platform] == ["x", "tiktok", "x"]


def test_terms_are_the_distinct_words_and_hashtags_of_each_post() -> None:
    arrivals = TableArrivals(posts())
    terms = arrivals.terms()
    told = list(zip(terms.row.tolist(), arrivals.texts(terms.hash), terms.kind.tolist(), strict=True))
    assert sorted(told[:4], key=str) == [(0, "#sale", 1), (0, "and", 0), (0, "sale", 0), (0, "shoes", 0)]
    assert told[4:] == [(1, "sale", 0)]
    assert arrivals.texts(np.array([1], dtype=np.uint64)) == [None]


def test_pairs_and_taken_posts_are_those_of_the_table() -> None:
    arrivals = TableArrivals(posts())
    pairs = arrivals.pairs(Matcher([parse("sale").root, parse("shoes").root]))
    assert list(zip(pairs.row.tolist(), pairs.slot.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert arrivals.take(np.array([1, 0])).column("record").to_pylist() == [1, 0]


def test_no_posts_at_all_are_arrivals_too() -> None:
    arrivals = TableArrivals.empty()
    assert (len(arrivals), len(arrivals.terms().row), len(arrivals.author)) == (0, 0, 0)


def test_more_platforms_than_there_are_numbers_for_are_one_in_the_end() -> None:
    def some(names: list[str], record: int) -> TableArrivals:
        times = [START + n for n in range(len(names))]
        table = make_posts(times, ["a"] * len(names), platform=names)
        at = table.schema.get_field_index("record")
        numbers = pa.array(range(record, record + len(names)), table.schema.field(at).type)
        return TableArrivals(table.set_column(at, table.schema.field(at), numbers))

    names = [f"p{n}" for n in range(400)]
    joined = join([some(names[:200], 0), some(names[200:], 200)])
    assert len(joined.platforms) == 256
    found = [joined.platforms[code] for code in joined.platform]
    assert found == [*names[:255], *["unknown"] * 145]
