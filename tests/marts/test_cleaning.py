"""The analysis table: each rule does what the recipe says, and the recipe says all that was done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.marts.cleaning import Cleaned, clean_texts, cleaned
from groundswell.marts.distribution import Distribution
from groundswell.marts.outliers import Rule
from groundswell.marts.recipe import Nulls, Rules, Standard, Treatment, parse_nulls, scale_of
from groundswell.marts.rows import row_schema

Rows = Sequence[Mapping[str, Any]]


def clean(rows: Rows, rules: Rules, batch: int = 7) -> tuple[pa.Table, Cleaned]:
    full = [{"platform": "x", "text": "t", "ingest_seq": n, **row} for n, row in enumerate(rows)]
    table = pa.Table.from_pylist(full, schema=row_schema("posts"))
    made = cleaned(lambda: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(batch)), rules)
    return made.rows.read_all(), made


def spread(platform: str, views: int, likes: int) -> list[dict[str, Any]]:
    return [{"platform": platform, "views": views + n, "likes": likes + n % 5} for n in range(40)]


@pytest.mark.parametrize("rule", list(Rule))
def test_each_metric_is_judged_by_its_own_bounds_on_its_own_platform(rule: Rule) -> None:
    # 5,000 is a usual number of views on y, and far too many likes, or views on x.
    rows = [
        *spread("x", 100, 10),
        *spread("y", 5_000, 10),
        {"platform": "x", "views": 120, "likes": 5_000},
        {"platform": "x", "views": 5_020, "likes": 12},
        {"platform": "y", "views": 5_020, "likes": 5_000},
        {"platform": "y", "views": 5_020, "likes": None},
    ]
    table, made = clean(rows, Rules(rule=rule))
    assert table.num_rows == len(rows)
    assert table["outliers"].to_pylist()[-4:] == [["likes"], ["views"], ["likes"], []]
    assert made.recipe.flagged == {"views": 1, "likes": 2}
    dropped, made = clean(rows, Rules(outliers=Treatment.DROP, rule=rule))
    assert dropped.num_rows == len(rows) - 3
    assert made.recipe.dropped == {"views outlier": 1, "likes outlier": 2}
    assert (made.recipe.before, made.recipe.after) == (84, 81)


def test_missing_values_follow_the_rule_of_their_field_and_the_others_stay_null() -> None:
    rows = [{"views": v, "likes": v, "comments": v, "shares": v} for v in (1, 2, 9, 10, None)]
    rules = Rules(parse_nulls("views=median,likes=zero,comments=mean"))
    table, made = clean(rows, rules)
    last = table.slice(4).to_pylist()[0]
    assert (last["views"], last["likes"], last["comments"], last["shares"]) == (2, 0, 6, None)
    assert made.recipe.filled == {"views": 1, "likes": 1, "comments": 1}
    assert table["views"].type == pa.int64()


def test_gaps_are_filled_within_their_platform_and_exact_counts_stay_exact() -> None:
    rows: list[dict[str, Any]] = [
        {"platform": p, "views": v} for p, v in (("x", 10), ("x", None), ("y", 2**60 + 1), ("y", None), ("z", None))
    ]
    table, _ = clean(rows, Rules(parse_nulls("views=median")))
    assert table["views"].to_pylist()[:3] == [10, 10, 2**60 + 1]
    assert table["views"][3].as_py() == pytest.approx(2**60, rel=2e-3)
    assert table["views"][4].as_py() is None  # nothing is known of z


def test_rows_without_what_is_demanded_are_left_out_before_anything_is_measured() -> None:
    rows: list[dict[str, object]] = [
        {"views": 10, "lang": "en"},
        {"views": 10**9, "lang": None},
        {"views": None, "lang": "de"},
    ]
    table, made = clean(rows, Rules(parse_nulls("lang=drop,views=mean")))
    assert table["views"].to_pylist() == [10, 10]
    assert made.recipe.dropped == {"lang missing": 1}


@pytest.mark.parametrize("standard", list(Standard))
@pytest.mark.parametrize("log", [False, True])
def test_scaled_columns_stand_beside_the_raw_ones(standard: Standard, log: bool) -> None:
    views = np.array([1, 5, 20, 80, 300, 1000], np.float64)
    rows = [{"views": int(v)} for v in views] + [{"views": None}] + [{"platform": "y", "views": 7}] * 3
    table, made = clean(rows, Rules(standard=standard, log=log))
    x = np.log10(1 + views) if log else views
    middle = float(np.quantile(x, 0.5, method="inverted_cdf"))
    mad = float(np.quantile(np.abs(x - middle), 0.5, method="inverted_cdf"))
    expected = {
        Standard.Z: (x - x.mean()) / x.std(),
        Standard.ROBUST: (x - middle) / (1.4826 * mad),
        Standard.MINMAX: (x - x.min()) / (x.max() - x.min()),
    }[standard]
    found = table[f"views_{standard}"].to_pylist()
    assert found[:6] == pytest.approx(expected.tolist(), rel=5e-3, abs=5e-3)
    assert found[6:] == [None] * 4  # missing, and values that do not differ
    assert table["views"].to_pylist()[:6] == views.tolist()
    assert table[f"likes_{standard}"].null_count == 10
    document = json.loads(json.dumps(made.recipe.document()))
    assert document["rules"]["standardise"] == standard.value
    assert {(one["platform"], one["field"]) for one in document["scales"]} == {("x", "views"), ("y", "views")}


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.booleans())
def test_minmax_is_between_0_and_1(values: list[int], log: bool) -> None:
    kept = Distribution()
    kept.add(values)
    scale = scale_of(kept, Standard.MINMAX, log=log)
    assert scale is not None
    if scale.width is not None:
        x = np.log10(1 + np.array(values)) if log else np.array(values)
        scaled = (x - scale.centre) / scale.width
        assert (scaled.min(), scaled.max()) == pytest.approx((0, 1))


def test_text_is_cleaned_and_the_original_stays() -> None:
    texts = [
        "Look  @you at https://a.example/x?b=#c #Shoe\uff03tag",
        "mail a@b.example\u200b\n ok",
        "www.example.com",
        None,
        "火 🔥",
    ]
    assert clean_texts(pa.array(texts)).to_pylist() == ["Look at Shoetag", "mail a@b.example ok", "", None, "火 🔥"]
    table, _ = clean([{"text": "#a"}], Rules())
    assert table.select(["text", "text_clean"]).to_pylist() == [{"text": "#a", "text_clean": "a"}]


def test_rules_for_missing_values_are_checked() -> None:
    assert parse_nulls("") == {}
    assert parse_nulls("text=drop,saves=keep") == {"text": Nulls.DROP, "saves": Nulls.KEEP}
    with pytest.raises(UsageError, match="no rule"):
        parse_nulls("views")
    with pytest.raises(UnknownChoiceError, match="Did you mean `views`"):
        parse_nulls("view=zero")
    with pytest.raises(UnknownChoiceError, match="median"):
        parse_nulls("views=mode")
    with pytest.raises(UsageError, match="is no number"):
        parse_nulls("text=zero")


def test_no_rows_give_no_rows() -> None:
    table, made = clean([], Rules(standard=Standard.Z))
    assert (table.num_rows, made.recipe.before, made.recipe.document()["bounds"]) == (0, 0, [])
