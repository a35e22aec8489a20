from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.errors import QuerySyntaxError, UsageError
from groundswell.importing.part import Part, parse_share

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def of(**texts: str) -> Part:
    part = Part.of(**texts, now=NOW)
    assert part is not None
    return part


@pytest.fixture
def posts(make_posts: Callable[..., pa.Table]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {"text": "nike shoes", "created_at": datetime(2026, 11, day, 12, tzinfo=UTC), "likes": day} for day in (1, 2, 3)
    ]
    return make_posts([*rows, {"text": "nike without a time"}, {"text": "something else"}, {}]).drop_columns(
        ["ingest_seq"]
    )


def test_nothing_named_is_no_part() -> None:
    assert Part.of() is None
    assert Part.of(where="", sample=None) is None


def test_a_query_keeps_what_it_matches(posts: pa.Table) -> None:
    assert of(where="nike").keep(posts, "posts").tolist() == [True, True, True, True, False, False]
    assert of(where="nike likes:>1").keep(posts, "posts").tolist() == [False, True, True, False, False, False]


def test_a_span_keeps_what_lies_in_it_and_has_a_time(posts: pa.Table) -> None:
    part = of(since="2026-11-02", until="2026-11-02")
    assert part.keep(posts, "posts").tolist() == [False, True, False, False, False, False]


def test_authors_have_no_time_and_no_tags_but_words() -> None:
    rows = pa.table({"key": [b"0" * 16] * 2, "text": ["I love Nike", None], "created_at": pa.nulls(2)})
    assert of(since="2026-11-02").keep(rows, "authors").tolist() == [True, True]
    assert of(where="nike").keep(rows, "authors").tolist() == [True, False]
    assert of(where="#nike").keep(rows, "authors").tolist() == [False, False]


def test_a_sample_is_the_same_rows_every_time_and_about_as_many() -> None:
    keys = [hashlib.blake2b(str(n).encode(), digest_size=16).digest() for n in range(20_000)]
    rows = pa.table({"key": pa.array(keys, pa.binary()), "created_at": pa.nulls(len(keys))})
    small, large = (of(sample=share).keep(rows, "posts") for share in ("1%", "10%"))
    assert 130 < small.sum() < 270
    assert (large | small).sum() == large.sum()
    halves = [of(sample="1%").keep(rows.slice(at, 10_000), "posts") for at in (0, 10_000)]
    assert np.concatenate(halves).tolist() == small.tolist()
    assert of(sample="100%").keep(rows, "posts").all()


def test_what_is_left_out_is_named() -> None:
    part = of(where="nike   AND shoes", sample="1%", since="2d")
    assert part.reason == "outside of --where 'nike shoes' --sample 1% --since 2d"


@pytest.mark.parametrize("share", ["0", "0%", "101%", "many", "-1%", "1.5", "nan", ""])
def test_what_is_no_share_is_said(share: str) -> None:
    with pytest.raises(UsageError, match="not a share"):
        parse_share(share)


def test_wrong_texts_are_said() -> None:
    with pytest.raises(QuerySyntaxError):
        of(where="nike (")
    with pytest.raises(UsageError, match="not a time"):
        of(since="soon")
    with pytest.raises(UsageError, match="nothing lies between"):
        of(since="2026-11-03", until="2026-11-01")
