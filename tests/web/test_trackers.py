from __future__ import annotations

import httpx
import pytest

from groundswell.desk import Desk, series


@pytest.fixture
def shoes(client: httpx.Client) -> str:
    made = client.post("/trackers", json={"name": "Shoes", "query": "shoe*", "country": "fr", "reach_followers": 1000})
    assert made.status_code == 201
    return str(made.json()["id"])


def test_a_tracker_says_what_it_was_given(client: httpx.Client, shoes: str) -> None:
    (item,) = client.get("/trackers").json()["items"]
    chosen = (item["country"], item["reach_followers"], item["reach_share"], item["count_by"])
    assert chosen == ("FR", 1000, None, "created_at")


def test_only_what_is_given_changes_and_a_null_takes_a_rule_away(client: httpx.Client, shoes: str) -> None:
    changed = client.put(f"/trackers/{shoes}", json={"promise_days": 7, "reach_followers": None}).json()
    assert (changed["promise_days"], changed["reach_followers"], changed["country"]) == (7, None, "FR")
    assert (changed["version"], changed["query"]) == (1, "shoe*")


def test_another_query_or_time_is_a_new_version(client: httpx.Client, shoes: str) -> None:
    assert client.put(f"/trackers/{shoes}", json={"query": "shoes"}).json()["version"] == 2
    assert client.put(f"/trackers/{shoes}", json={"count_by": "observed_at"}).json()["version"] == 3
    assert client.put(f"/trackers/{shoes}", json={"query": "shoes", "reach_share": 0.01}).json()["version"] == 3


def test_a_renamed_tracker_keeps_its_id_and_is_found_by_its_new_name(client: httpx.Client, shoes: str) -> None:
    assert client.put(f"/trackers/{shoes}", json={"name": "Boots"}).json()["id"] == shoes
    assert client.get("/trackers/boots/series").json()["tracker"] == shoes
    assert client.get("/trackers/shoes/series").status_code == 404
    taken = client.post("/trackers", json={"name": "Hats", "query": "hat"}).json()["id"]
    assert client.put(f"/trackers/{taken}", json={"name": "Boots"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"country": "Narnia"}, "country"),
        ({"query": "shoe ("}, "column"),
        ({"reach_share": 0.9}, "reach_share"),
        ({"count_by": "midnight"}, "count_by"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    client: httpx.Client, shoes: str, body: dict[str, object], says: str
) -> None:
    answer = client.put(f"/trackers/{shoes}", json=body)
    assert answer.status_code in {400, 422}
    assert says in answer.text


def test_series_of_every_size_of_window_are_shown(client: httpx.Client, store: Desk, shoes: str) -> None:
    minute = 60_000_000
    with store.session() as session:
        for size, counts in ((60, [1, 2, 3]), (300, [6])):
            rows = [
                {
                    "tracker_id": shoes,
                    "window_s": size,
                    "start": 1_700_000_100_000_000 // (5 * minute) * 5 * minute + number * size * 1_000_000,
                    "count": count,
                    "expected": None,
                    "lower": None,
                    "upper": None,
                    "p_value": None,
                    "return_days": None,
                    "platform_ratio": None,
                    "state": "learning",
                    "late": 0,
                }
                for number, count in enumerate(counts)
            ]
            series.write(session, rows)
    of = {size: client.get(f"/trackers/{shoes}/series", params={"window_s": size}).json() for size in (60, 300)}
    assert [window["count"] for window in of[60]["items"]] == [1, 2, 3]
    assert (of[300]["window_s"], of[300]["posts"]) == (300, 6)
    assert client.get("/series", params={"window_s": 60}).json()["items"][0]["posts"] == 6


def test_more_windows_than_anybody_reads_are_refused(client: httpx.Client, shoes: str) -> None:
    for path in (f"/trackers/{shoes}/series", "/series"):
        assert client.get(path, params={"hours": 24 * 420, "window_s": 300}).status_code == 200
        answer = client.get(path, params={"hours": 24 * 420, "window_s": 60})
        assert answer.status_code == 400
        assert "604,800 windows" in answer.json()["detail"]
        assert "/multiples" in answer.json()["hint"]


def test_the_status_names_the_sizes_and_the_budget(client: httpx.Client) -> None:
    status = client.get("/status").json()
    assert (status["window_s"], status["windows_s"], status["budget_per_day"]) == (300, [60, 300, 900, 3600], 5.0)
