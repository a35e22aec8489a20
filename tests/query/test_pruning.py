"""What an index leaves out holds no match, whatever the query."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.lake.term_collector import TermCollector
from groundswell.query import parse
from groundswell.query.pruning import columns_of, possible_parts
from groundswell.schema import POSTS
from groundswell.text.terms import Kind

LEAVES = [
    "shoe",
    '"red shoe"',
    "sho*",
    '"red sho*"',
    "#sale",
    "@ann",
    "author:ann",
    "likes:>3",
    "platform:x",
    "lang:en",
    "#sa*",
    "has:hashtag",
    "domain:a.b",
]


def queries() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) ({pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) OR ({pair[1]})"),
            inner.map(lambda one: f"-({one})"),
        ),
        max_leaves=5,
    )


POST = st.fixed_dictionaries(
    {
        "tokens": st.sampled_from([None, " ", " red shoe ", " shoe red ", " shoes ", " hat "]),
        "hashtags": st.sampled_from([None, [], ["sale"], ["shoe"]]),
        "mentions": st.sampled_from([None, [], ["ann"]]),
        "author_name": st.sampled_from([None, "Ann", "bob"]),
        "likes": st.sampled_from([None, 0, 9]),
        "lang": st.sampled_from([None, "en-GB"]),
    }
)


@settings(deadline=None)
@given(queries(), st.lists(st.lists(POST, min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_part_that_is_left_out_holds_no_match(text: str, parts: list[list[dict[str, Any]]]) -> None:
    terms, query = TermCollector(), parse(text)
    tables = [pa.Table.from_pylist([{"platform": "x", **row} for row in rows], schema=POSTS) for rows in parts]
    for number, table in enumerate(tables):
        terms.add_words(table["tokens"].combine_chunks(), number)
        terms.add(Kind.TAG, table["hashtags"].combine_chunks().flatten(), number)
        terms.add(Kind.HANDLE, table["mentions"].combine_chunks().flatten(), number)
        names = [name and name.lower() for name in table["author_name"].to_pylist()]
        terms.add(Kind.HANDLE, pa.array(names, pa.string()), number)
    hashes, masks = terms.sorted_terms()
    held = dict(zip(hashes.tolist(), masks.tolist(), strict=True))
    possible = possible_parts(query.root, lambda term: held.get(term, 0), (1 << len(parts)) - 1)
    for number, table in enumerate(tables):
        matches = query.mask(table.select(columns_of(query.root)))
        assert possible >> number & 1 or not matches.any()


def test_a_word_that_no_part_has_leaves_none_and_a_negation_leaves_all() -> None:
    none: dict[str, Any] = {"find": lambda _term: 0, "every": 0b111}
    assert possible_parts(parse("shoe").root, **none) == 0
    assert possible_parts(parse("-shoe").root, **none) == 0b111
    assert possible_parts(parse("shoe OR likes:>1").root, **none) == 0b111
    assert possible_parts(parse('"red shoe*"').root, **none) == 0
