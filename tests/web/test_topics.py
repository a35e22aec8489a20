"""Emerging topics over the REST API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.desk.test_topics import topic
from tests.web.test_routes import PROBLEM

from groundswell.desk import topics, trackers

Client = httpx.Client


@pytest.fixture
def known(served: Any) -> None:
    with served.services.desk.session() as session:
        topics.write(session, [topic("o1", rank=1.0), topic("o2", rank=2.0), topic("c1", closed_at=9)])


def test_a_home_without_topics_says_so(client: Client) -> None:
    assert client.get("/topics").json() == {"items": [], "open": 0, "next": None}


def test_topics_are_listed_page_by_page(client: Client, known: None) -> None:
    first = client.get("/topics", params={"limit": 2}).json()
    assert [one["id"] for one in first["items"]] == ["o2", "o1"]
    assert first["open"] == 2
    then = client.get("/topics", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["id"] for one in then["items"]] == ["c1"]
    assert then["next"] is None
    assert "windows" not in first["items"][0]


def test_one_topic_has_its_evidence_and_a_query_that_makes_a_tracker(client: Client, served: Any, known: None) -> None:
    found = client.get("/topics/o1").json()
    assert found["examples"][0]["author"] == "maya"
    assert found["windows"]
    made = client.post("/trackers", json={"name": found["label"], "query": found["query"]})
    assert made.status_code == 201
    with served.services.desk.reading() as session:
        assert trackers.find(session, "#novaleak").query == "#novaleak"


def test_its_posts_are_those_that_the_lake_has(client: Client, known: None) -> None:
    answer = client.get("/topics/o1/posts")
    assert answer.status_code == 200
    assert answer.json()["query"] == "#novaleak"


@pytest.mark.parametrize("path", ["/topics/none", "/topics/none/posts"])
def test_a_topic_that_is_not_there_is_a_problem(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)


def test_a_wrong_cursor_or_state_is_a_problem(client: Client) -> None:
    for asked in ({"cursor": "x"}, {"cursor": "closed~1e400~a"}, {"state": "new"}, {"limit": 0}, {"since": "soon"}):
        answer = client.get("/topics", params=asked)
        assert answer.status_code in (400, 422), asked
        assert answer.headers["content-type"] == PROBLEM
