"""A backtest over the API: asked for, looked at until it is done, given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest
from tests.conftest import wait_until

from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.web import backtest_models
from groundswell.web.backtest_examples import BACKTEST_EXAMPLES
from groundswell.web.backtest_models import BacktestJob


@pytest.mark.parametrize("name", sorted(BACKTEST_EXAMPLES))
def test_examples_are_valid(name: str) -> None:
    getattr(backtest_models, name).model_validate(BACKTEST_EXAMPLES[name])


def finished(client: httpx.Client, identity: str) -> dict[str, Any]:
    job: dict[str, Any] = {}

    def over() -> bool:
        job.update(client.get(f"/backtests/{identity}").json())
        return job["state"] not in {"waiting", "running"}

    wait_until(over, 300, "the backtest")
    return job


def test_a_query_is_tested_and_the_answer_kept(
    client: httpx.Client, settings: Settings, make_posts: Callable[..., pa.Table]
) -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    rows = [
        {"post_id": str(n), "created_at": begin + n * timedelta(minutes=3), "text": "arm" if n % 3 else "leg"}
        for n in range(400)
    ]
    Lake.open(settings).append("posts", make_posts(rows))
    answer = client.post("/backtests", json={"query": "arm", "days": 0.5})
    assert answer.status_code == 202
    job = BacktestJob.model_validate(finished(client, answer.json()["id"]))
    assert (job.state, job.progress, job.error) == ("done", 1.0, None)
    assert job.result is not None
    assert (job.result.query, job.result.days) == ("arm", 0.5)
    assert 0 < job.result.posts < job.result.stream_posts
    assert job.result.series is not None
    listed = client.get("/backtests").json()["items"]
    assert [(one["id"], one["result"]) for one in listed] == [(job.id, None)]
    assert client.delete(f"/backtests/{job.id}").status_code == 204
    assert client.get(f"/backtests/{job.id}").status_code == 404


def test_a_query_that_does_not_parse_is_a_problem_with_its_place(client: httpx.Client) -> None:
    answer = client.post("/backtests", json={"query": "arm ("})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["column"]
    assert client.get("/backtests").json()["items"] == []


def test_one_that_is_given_up_ends(client: httpx.Client) -> None:
    first = client.post("/backtests", json={"query": "arm"}).json()["id"]
    second = client.post("/backtests", json={"query": "leg"}).json()["id"]
    assert client.delete(f"/backtests/{second}").status_code == 204
    assert finished(client, second)["state"] == "cancelled"
    client.delete(f"/backtests/{first}")
    left = {one["id"]: one["state"] for one in client.get("/backtests").json()["items"]}
    assert left.get(first) in {None, "cancelled"}
    assert client.delete("/backtests/none").status_code == 404
