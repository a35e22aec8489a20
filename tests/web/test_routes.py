from __future__ import annotations

from typing import Any

import httpx
import pytest

from groundswell.desk import Desk, alerts, changes, series
from groundswell.web.examples import EXAMPLES

MINUTE = 60_000_000
START = 1_700_000_100_000_000 // (5 * MINUTE) * (5 * MINUTE)
PROBLEM = "application/problem+json"


def evidence() -> dict[str, Any]:
    return {
        "observed": 63,
        "expected": 10.0,
        "lower": 4.0,
        "upper": 18.0,
        "ratio": 6.3,
        "p_value": 1e-6,
        "return_days": 140.0,
        "window_start": "2023-11-14T22:15:00Z",
        "window_s": 300,
        "windows": [EXAMPLES["Window"]],
        "posts": [],
        "authors": [],
        "hashtags": [],
        "sounds": [],
        "words": [],
        "checks": [],
        "authors_total": 58,
        "posts_total": 63,
        "span": [0, 62],
        "parameters": {"window_s": 300},
    }


def open_alert(desk: Desk, number: int, tracker: str, *, closed: bool = False) -> str:
    at = START + number * MINUTE
    row = {
        "id": f"alert{number:02}",
        "tracker_id": tracker,
        "tracker_version": 1,
        "signal": "volume",
        "window_s": 300,
        "direction": "burst",
        "phase": "closed" if closed else "growing",
        "started_at": at,
        "opened_at": at + 5 * MINUTE,
        "updated_at": at + 5 * MINUTE,
        "closed_at": at + 10 * MINUTE if closed else None,
        "observed": 63,
        "expected": 10.0,
        "lower": 4.0,
        "upper": 18.0,
        "p_value": 1e-6,
        "return_days": 140.0,
        "posts": 63,
        "headline": "6.3 times as often as usual\n63 posts in 5 minutes",
        "evidence": evidence(),
        "verdict": None,
        "created_wall": at,
    }
    with desk.session() as session:
        alerts.write(session, [row])
    return str(row["id"])


def close_window(desk: Desk, tracker: str, number: int, count: int) -> None:
    row = {
        "tracker_id": tracker,
        "window_s": 300,
        "start": START + number * 5 * MINUTE,
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
    with desk.session() as session:
        series.write(session, [row])


@pytest.fixture
def shoes(client: httpx.Client) -> str:
    return str(client.post("/trackers", json={"name": "Shoes", "query": "shoe*"}).json()["id"])


def test_a_tracker_is_added_listed_and_removed(client: httpx.Client, store: Desk) -> None:
    added = client.post("/trackers", json={"name": "Side effects", "query": '"side effects"', "promise_days": 7})
    assert added.status_code == 201
    tracker = added.json()
    assert (tracker["query"], tracker["promise_days"], tracker["last"]) == ('"side effects"', 7, None)
    assert client.get("/trackers").json() == {"items": [tracker]}

    assert client.delete(f"/trackers/{tracker['id']}").status_code == 204
    assert client.get("/trackers").json() == {"items": []}
    assert client.delete("/trackers/Side effects").status_code == 404
    with store.reading() as session:
        told = changes.after(session, 0)
    assert [(change.kind, change.subject, bool(change.body)) for change in told] == [
        ("tracker", tracker["id"], True),
        ("tracker", tracker["id"], False),
    ]


def test_a_tracker_promises_what_the_settings_say_unless_it_says_more(client: httpx.Client, shoes: str) -> None:
    assert client.get("/trackers").json()["items"][0]["promise_days"] == 30


def test_the_same_name_twice_is_a_conflict(client: httpx.Client, shoes: str) -> None:
    answer = client.post("/trackers", json={"name": "shoes", "query": "boot*"})

    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)
    assert answer.json()["title"] == "Conflict"


def test_a_query_that_does_not_parse_says_where(client: httpx.Client) -> None:
    answer = client.post("/trackers", json={"name": "x", "query": "(a OR"})

    assert answer.status_code == 400
    assert "column" in answer.json()["detail"]
    assert "expected" in answer.json()["hint"].lower()
    assert client.get("/trackers").json()["items"] == []


def test_fields_that_do_not_exist_are_refused_by_name(client: httpx.Client) -> None:
    answer = client.post("/trackers", json={"name": "x", "query": "y", "colour": "red"})

    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert [error["where"] for error in answer.json()["errors"]] == ["body.colour"]


def test_trackers_with_an_open_alert_come_first(client: httpx.Client, store: Desk, shoes: str) -> None:
    client.post("/trackers", json={"name": "Boots", "query": "boot*"})
    close_window(store, shoes, 0, 3)
    close_window(store, shoes, 1, 5)
    alert = open_alert(store, 1, shoes)

    first, second = client.get("/trackers").json()["items"]

    assert (first["name"], first["open_alert"], first["last"]["count"]) == ("Shoes", alert, 5)
    assert (second["name"], second["open_alert"], second["last"]) == ("Boots", None, None)


def test_a_series_reaches_back_from_the_newest_window(client: httpx.Client, store: Desk, shoes: str) -> None:
    for number in range(30):
        close_window(store, shoes, number, number)

    shown = client.get(f"/trackers/{shoes}/series", params={"hours": 1}).json()

    assert [window["count"] for window in shown["items"]] == list(range(18, 30))
    assert (shown["posts"], shown["window_s"]) == (sum(range(18, 30)), 300)
    assert client.get("/trackers/Shoes/series", params={"hours": 1}).json() == shown


def test_all_series_come_at_once_those_without_windows_too(client: httpx.Client, store: Desk, shoes: str) -> None:
    other = client.post("/trackers", json={"name": "Boots", "query": "boot*"}).json()["id"]
    close_window(store, shoes, 0, 3)

    shown = client.get("/series").json()

    assert {each["tracker"]: len(each["items"]) for each in shown["items"]} == {shoes: 1, other: 0}
    assert shown["until"] == "2023-11-14T22:20:00Z"
    assert shown["since"] == "2023-11-14T10:20:00Z"


def test_alerts_come_newest_first_page_by_page(client: httpx.Client, store: Desk, shoes: str) -> None:
    for number in range(7):
        open_alert(store, number, shoes, closed=number % 2 == 0)

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get("/alerts", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        seen += [alert["id"] for alert in page["items"]]
        assert page["open"] == 3
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == [f"alert{number:02}" for number in reversed(range(7))]


@pytest.mark.parametrize(("state", "found"), [("open", ["alert01"]), ("closed", ["alert02", "alert00"])])
def test_alerts_are_chosen_by_state(
    client: httpx.Client, store: Desk, shoes: str, state: str, found: list[str]
) -> None:
    for number in range(3):
        open_alert(store, number, shoes, closed=number != 1)

    items = client.get("/alerts", params={"state": state}).json()["items"]

    assert [alert["id"] for alert in items] == found


def test_alerts_of_a_removed_tracker_are_still_found_by_its_name(client: httpx.Client, store: Desk, shoes: str) -> None:
    open_alert(store, 0, shoes, closed=True)
    client.delete(f"/trackers/{shoes}")

    assert len(client.get("/alerts", params={"tracker": "Shoes"}).json()["items"]) == 1
    assert client.get("/alerts", params={"tracker": "Boots"}).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "1", "x.alert"])
def test_what_is_no_cursor_is_refused(client: httpx.Client, cursor: str) -> None:
    assert client.get("/alerts", params={"cursor": cursor}).status_code == 400


def test_an_alert_opens_to_its_evidence(client: httpx.Client, store: Desk, shoes: str) -> None:
    alert = open_alert(store, 0, shoes)

    shown = client.get(f"/alerts/{alert}").json()

    assert shown["evidence"]["authors_total"] == 58
    assert (shown["headline"], shown["detail"]) == ("6.3 times as often as usual", "63 posts in 5 minutes")
    assert (shown["ratio"], shown["authors"], shown["tracker_name"]) == (6.3, 58, "Shoes")


def test_a_verdict_is_kept_told_and_taken_back(client: httpx.Client, store: Desk, shoes: str) -> None:
    alert = open_alert(store, 0, shoes)

    assert client.put(f"/alerts/{alert}/verdict", json={"verdict": "real"}).json()["verdict"] == "real"
    with store.reading() as session:
        told = changes.after(session, 0)[-1]
    assert (told.kind, told.body["verdict"], "evidence" in told.body) == ("alert", "real", False)
    assert client.put(f"/alerts/{alert}/verdict", json={"verdict": None}).json()["verdict"] is None
    assert client.put(f"/alerts/{alert}/verdict", json={"verdict": "maybe"}).status_code == 422


@pytest.mark.parametrize("path", ["/alerts/none", "/alerts/none/posts", "/trackers/none/series", "/nothing", "/docs/x"])
def test_what_does_not_exist_is_a_problem_document(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json()["status"] == 404
    assert answer.json()["instance"].endswith(path)


def test_a_wrong_method_says_which_are_right(client: httpx.Client) -> None:
    answer = client.get("/records")

    assert (answer.status_code, answer.headers["allow"], answer.headers["content-type"]) == (405, "POST", PROBLEM)


def test_posts_of_an_empty_home_are_none(client: httpx.Client) -> None:
    shown = client.get("/posts", params={"q": "shoe*"}).json()

    assert (shown["items"], shown["lake_version"], shown["query"]) == ([], None, "shoe*")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"q": "(a OR"}, 400),
        ({"since": "2024-01-02T00:00:00Z", "until": "2024-01-01T00:00:00Z"}, 400),
        ({"sort": "fame"}, 422),
        ({"limit": 0}, 422),
        ({"since": "yesterday"}, 422),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(client: httpx.Client, query: dict[str, Any], status: int) -> None:
    assert client.get("/posts", params=query).status_code == status


def test_the_status_counts_what_came(served: Any, shoes: str, until: Any) -> None:
    served.client.post("/records", content=b'{"id": "1"}\n' * 50)
    until(lambda: served.services.pace.per_second > 0, what="the pace")

    status = served.client.get("/status").json()

    assert (status["trackers"], status["open_alerts"], status["runner"], status["seq"]) == (1, 0, "none", 1)
    (source,) = status["sources"]
    assert (source["name"], source["connected"]) == ("push", True)
    assert source["records_per_s"] == status["posts_per_s"] > 0


def test_health_names_every_part(client: httpx.Client) -> None:
    answer = client.get("/health")

    assert answer.status_code == 200
    assert [part["name"] for part in answer.json()["parts"]] == ["desk", "journal", "lake", "watch", "channels"]


def test_health_says_what_is_broken(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served.services.journal.close()
    answer = served.client.get("/health")
    monkeypatch.undo()

    broken = {part["name"]: part["detail"] for part in answer.json()["parts"] if not part["ok"]}
    assert answer.status_code == 503
    assert list(broken) == ["journal"]


def test_what_nobody_expected_is_logged_and_not_shown(
    served: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_search: object) -> None:
        what = "the salt of the sea"
        raise RuntimeError(what)

    monkeypatch.setattr(served.services.search, "run", fail)
    answer = served.client.get("/posts")

    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "salt" not in answer.text
    assert "Traceback" not in answer.text
    assert [record.getMessage() for record in caplog.records if record.name == "groundswell.web"] == [
        "GET /api/v1/posts failed"
    ]
