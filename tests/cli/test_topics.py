"""`groundswell topics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.desk.test_topics import topic

from groundswell.desk import open_desk, topics
from groundswell.documents import DOCUMENTS
from groundswell.settings import load_settings

Run = Callable[..., Any]


@pytest.fixture
def known(cli: Run) -> None:
    assert cli("topics").code == 0
    with open_desk(load_settings()) as desk, desk.session() as session:
        topics.write(session, [topic("o1aaaa", rank=1.0), topic("c1aaaa", closed_at=9, updated_at=9)])


def test_a_home_without_topics_says_what_finds_them(cli: Run) -> None:
    ran = cli("topics")
    assert ran.code == 0
    assert "groundswell watch run" in ran.out


def test_topics_are_shown_as_a_table_and_as_the_document(cli: Run, known: None) -> None:
    assert "#novaleak" in cli("topics").out
    ran = cli("topics", "--json")
    DOCUMENTS["topics"].model_validate_json(ran.out, strict=True)
    assert [one["id"] for one in ran.document["items"]] == ["o1aaaa", "c1aaaa"]
    assert ran.document["items"][0]["examples"]
    assert [one["id"] for one in cli("topics", "--open", "--json").document["items"]] == ["o1aaaa"]
    assert [one["id"] for one in cli("topics", "--since", "2d", "--json").document["items"]] == ["o1aaaa"]
    assert cli("topics", "--platform", "x", "--json").document["items"] == []


def test_one_topic_is_shown_with_its_posts_and_how_to_watch_it(cli: Run, known: None) -> None:
    out = cli("topics", "o1aa").out
    assert "the #novaleak photos are real" in out
    assert "groundswell watch add '#novaleak' '#novaleak'" in out


def test_a_topic_that_is_not_there_is_an_error(cli: Run, known: None) -> None:
    ran = cli("topics", "zzzz")
    assert ran.code == 1
    assert "no topic `zzzz`" in ran.err
