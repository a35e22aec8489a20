from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from groundswell.query import parse
from groundswell.query.ast import COUNT_FIELDS, LINK_FIELDS, TEXT_FIELDS
from groundswell.web import query_models
from groundswell.web.query_models import QUERY_EXAMPLES

if TYPE_CHECKING:
    from tests.web.conftest import Served


@pytest.mark.parametrize("name", sorted(QUERY_EXAMPLES))
def test_examples_are_valid(name: str) -> None:
    getattr(query_models, name).model_validate(QUERY_EXAMPLES[name])


def test_a_query_is_checked_while_it_is_typed(served: Served) -> None:
    asked = QUERY_EXAMPLES["QueryToCheck"]
    assert served.client.post("/queries/check", json=asked).json() == QUERY_EXAMPLES["CheckedQuery"]

    wrong = served.client.post("/queries/check", json={"query": "nike AND OR"})
    assert wrong.status_code == 200
    assert wrong.json()["ok"] is False
    assert wrong.json()["column"] == 10
    assert wrong.json()["expected"].startswith("a word")
    assert wrong.json()["message"] == "the query does not parse at column 10"


def test_a_platform_that_no_layout_knows_is_noticed(served: Served) -> None:
    warnings = served.client.post("/queries/check", json={"query": "nike platform:tiktak"}).json()["warnings"]
    assert [warning["code"] for warning in warnings] == ["platform"]
    assert "tiktok" in warnings[0]["text"]


def test_every_filter_is_offered_and_parses(served: Served) -> None:
    items = served.client.get("/queries/filters").json()["items"]
    assert {item["name"] for item in items} == {*TEXT_FIELDS, *COUNT_FIELDS, *LINK_FIELDS, "has", "is"}
    for item in items:
        for value in item["choices"] or (["5"] if item["kind"] == "count" else ["a.example"]):
            parse(f"{item['name']}:{value}")
