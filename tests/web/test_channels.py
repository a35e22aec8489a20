from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundswell.channels.messages import SAMPLE
from groundswell.desk import channels, outbox
from groundswell.desk.channels import Rules
from groundswell.settings import Settings, load_settings

SLACK: dict[str, Any] = {"name": "Team", "kind": "slack", "settings": {"url_secret": "SLACK"}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", threads=2, private_urls=True)


def plan(served: Any, channel: str, alert: str = "a1") -> str:
    with served.services.desk.session() as session:
        identity = outbox.message_id(channel, alert, "opened")
        body = {"alert": {**SAMPLE, "id": alert}}
        outbox.add(session, channel, "opened", body, identity=identity, alert_id=alert, now_us=1)
    return identity


def test_a_channel_is_added_shown_changed_paused_and_removed(client: httpx.Client) -> None:
    client.post("/trackers", json={"name": "Shoes", "query": "shoes"})
    quiet = {"start": "22:00", "end": "07:00", "tz": "Europe/Berlin"}
    made = client.post("/channels", json={**SLACK, "trackers": ["shoes"], "least_days": 30, "quiet": quiet})
    assert made.status_code == 201, made.text
    channel = made.json()
    assert (channel["state"], channel["target"]) == ("new", "the address in the secret SLACK")
    assert channel["trackers"][0]["name"] == "Shoes"
    assert channel["quiet"]["then"] == "digest"
    assert channel["secrets"] == [{"name": "SLACK", "variable": "GROUNDSWELL_SECRET_SLACK", "set": False}]

    changed = client.put("/channels/team", json={"events": ["closed", "opened"], "templates": {"text": "$headline"}})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["id"], changed.json()["events"]) == (channel["id"], ["opened", "closed"])
    assert changed.json()["settings"]["url_secret"] == SLACK["settings"]["url_secret"]
    assert changed.json()["trackers"] is None

    assert client.post("/channels/team/pause").json()["state"] == "paused"
    assert client.post("/channels/team/resume").json()["state"] == "new"
    assert client.get("/channels/team").json()["id"] == channel["id"]
    assert client.delete("/channels/team").status_code == 204
    assert client.get("/channels").json() == {"items": []}


def test_a_channel_can_be_changed_whose_tracker_was_removed(client: httpx.Client) -> None:
    shoes = client.post("/trackers", json={"name": "Shoes", "query": "shoes"}).json()["id"]
    client.post("/channels", json={**SLACK, "trackers": ["shoes"]})
    client.delete("/trackers/shoes")
    changed = client.put("/channels/team", json={"trackers": [shoes], "least_days": 30})
    assert changed.status_code == 200, changed.text
    assert [tracker["id"] for tracker in changed.json()["trackers"]] == [shoes]
    assert client.post("/channels", json={**SLACK, "name": "Other", "trackers": [shoes]}).status_code == 404


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ({**SLACK, "settings": {}}, 400, "needs `url_secret`"),
        ({**SLACK, "settings": {"url": "https://hooks.example/x"}}, 400, "no setting of a channel of kind slack `url`"),
        ({**SLACK, "settings": {"url_secret": "https://hooks.example/T0/x"}}, 400, "not the name of a secret"),
        ({**SLACK, "trackers": ["nobody"]}, 404, "no tracker `nobody`"),
        ({**SLACK, "report_to": "team"}, 404, "no channel `team`"),
        ({**SLACK, "templates": {"text": "$nothing"}}, 400, "no field `nothing`"),
        ({**SLACK, "templates": {"body": "{}"}}, 400, "no template of a channel of kind slack `body`"),
        ({**SLACK, "quiet": {"start": "25:00", "end": "07:00"}}, 400, "not a time of the day"),
        ({**SLACK, "quiet": {"start": "22:00", "end": "07:00", "tz": "Mars/Olympus"}}, 400, "no time zone"),
        (
            {"name": "x", "kind": "file", "settings": {"path": "/etc/cron.d/x"}},
            400,
            "only be added at the command line",
        ),
        ({"name": "x", "kind": "command", "settings": {"argv": ["/bin/sh"]}}, 400, "only be added at the command line"),
        ({"name": "x", "kind": "webhook", "settings": {"url": "https://me:pw@example.org"}}, 400, "a login in it"),
        ({"name": "x", "kind": "webhook", "settings": {"url": "file:///etc/passwd"}}, 400, "not an http or https"),
        ({"name": "x", "kind": "pigeon", "settings": {}}, 422, "kind"),
    ],
)
def test_what_is_not_valid_is_refused_with_the_reason(
    client: httpx.Client, request_: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post("/channels", json=request_)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert "hooks.example/T0" not in answer.text
    assert "me:pw" not in answer.text


def test_over_the_network_a_login_is_only_sent_to_the_host_that_it_is_bound_to(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"host": "smtp.example", "sender": "a@b.org", "to": ["c@d.org"], "user": "me", "password_secret": "MAIL"}
    wish = {"name": "Mail", "kind": "email", "settings": settings}
    assert "GROUNDSWELL_SECRET_MAIL_HOST=smtp.example" in client.post("/channels", json=wish).json()["hint"]
    monkeypatch.setenv("GROUNDSWELL_SECRET_MAIL_HOST", "other.example")
    assert client.post("/channels", json=wish).status_code == 400
    monkeypatch.setenv("GROUNDSWELL_SECRET_MAIL_HOST", "smtp.example")
    assert client.post("/channels", json=wish).status_code == 201
    moved = client.put("/channels/mail", json={"settings": {**settings, "host": "evil.example"}})
    assert "may not be sent to evil.example" in moved.json()["detail"]


def test_over_the_network_messages_are_only_signed_for_the_host_that_the_key_is_bound_to(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = {
        "name": "Hook",
        "kind": "webhook",
        "settings": {"url": "https://hooks.example/x", "signing_secret": "SIGN"},
    }
    assert "GROUNDSWELL_SECRET_SIGN_HOST=hooks.example" in client.post("/channels", json=wish).json()["hint"]
    monkeypatch.setenv("GROUNDSWELL_SECRET_SIGN_HOST", "hooks.example")
    assert client.post("/channels", json=wish).status_code == 201
    moved = client.put("/channels/hook", json={"settings": {"url": "https://evil.example", "signing_secret": "SIGN"}})
    assert "may not be sent to evil.example" in moved.json()["detail"]


def test_what_a_channel_of_this_machine_runs_cannot_be_changed_over_the_network(served: Any, tmp_path: Path) -> None:
    with served.services.desk.session() as session:
        channels.add(session, "log", "file", {"path": str(tmp_path / "log")}, Rules())
    assert served.client.put("/channels/log", json={"least_days": 3.0}).status_code == 200
    answer = served.client.put("/channels/log", json={"settings": {"path": "/etc/passwd"}})
    assert answer.status_code == 400
    assert served.client.get("/channels/log").json()["settings"]["path"] == str(tmp_path / "log")


def test_a_test_says_what_came_of_it(served: Any, tmp_path: Path) -> None:
    with served.services.desk.session() as session:
        channels.add(session, "log", "file", {"path": str(tmp_path / "log")}, Rules())
    assert served.client.post("/channels/log/test").json()["ok"] is True
    assert json.loads((tmp_path / "log").read_text())["title"].startswith("Test: ")
    served.client.post("/channels", json=SLACK)
    tried = served.client.post("/channels/team/test").json()
    assert (tried["ok"], tried["error"]) == (False, "the secret SLACK is not set")
    assert "GROUNDSWELL_SECRET_SLACK" in tried["hint"]


def test_kinds_and_a_preview_are_what_a_form_needs(client: httpx.Client) -> None:
    kinds = client.get("/channels/kinds").json()
    assert [kind["kind"] for kind in kinds["items"] if kind["local"]] == ["command", "file", "kafka"]
    assert {field["name"] for field in kinds["fields"]} >= {"headline", "link", "observed"}
    shown = client.post("/channels/preview", json={"kind": "slack", "templates": {"text": "<$tracker> $observed"}})
    assert json.loads(shown.json()["text"])["text"] == "&lt;Side effects&gt; 63"
    mail = client.post("/channels/preview", json={"kind": "email"}).json()["text"]
    assert "To: team@example.org" in mail
    hook = {"kind": "webhook", "settings": {"url_secret": "HOOK"}, "templates": {"body": '{"n": "$observed"}'}}
    assert json.loads(client.post("/channels/preview", json=hook).json()["text"]) == {"n": 63}
    wrong = client.post("/channels/preview", json={"kind": "webhook", "templates": {"body": "{$headline}"}})
    assert "not JSON" in wrong.json()["detail"]


def test_the_outbox_is_listed_page_by_page_and_what_was_given_up_goes_again(served: Any) -> None:
    channel = served.client.post("/channels", json=SLACK).json()["id"]
    ids = [plan(served, channel, f"a{n}") for n in range(3)]
    first = served.client.get("/channels/outbox", params={"limit": 2}).json()
    assert [each["id"] for each in first["items"]] == ids[:0:-1]
    rest = served.client.get("/channels/outbox", params={"limit": 2, "cursor": first["next"]}).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (ids[:1], None)
    assert first["counts"]["waiting"] == 3
    assert served.client.get("/status").json()["messages_waiting"] == 3
    assert served.client.get("/channels/outbox", params={"alert": "a1"}).json()["items"][0]["id"] == ids[1]
    assert served.client.post(f"/channels/outbox/{ids[0]}/retry").status_code == 409
    with served.services.desk.session() as session:
        outbox.bury(session, 2, 3)
    assert served.client.get("/channels/outbox", params={"state": "dead"}).json()["counts"]["dead"] == 3
    assert served.client.post(f"/channels/outbox/{ids[0]}/retry").json()["state"] == "waiting"
    for wrong in ("x", "²", "9" * 19):
        assert served.client.get("/channels/outbox", params={"cursor": wrong}).status_code == 400
    assert served.client.get("/channels/outbox", params={"cursor": "9" * 5_000}).status_code == 422


def test_a_channel_that_fails_is_in_status_and_health(served: Any) -> None:
    channel = served.client.post("/channels", json=SLACK).json()["id"]
    assert served.client.get("/status").json()["channels_failing"] == []
    with served.services.desk.session() as session:
        channels.failed(channels.find(session, channel), "hooks.example says 404 Not Found", 5, 6)
    assert served.client.get("/status").json()["channels_failing"] == ["Team"]
    health = served.client.get("/health").json()
    (part,) = [part for part in health["parts"] if part["name"] == "channels"]
    assert (health["status"], part["ok"]) == ("degraded", False)
    assert "the channel Team does not work: hooks.example says 404" in part["detail"]
    assert served.client.get("/channels").json()["items"][0]["state"] == "fails"
