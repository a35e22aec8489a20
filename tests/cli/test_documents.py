"""What every verb really prints with `--json` is the document that its schema describes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.documents import DOCUMENTS, file_of, schema_of

Run = Callable[..., Any]
#: Two records that are no posts: one is not JSON, one has no known form.
DIRT = '{"broken": \n{"unknown": true}\n'


def check(verb: str, ran: Any, code: int = 0) -> Any:
    assert ran.code == code, ran.err
    # Strict: an id that is printed as a number, or a count as a text, is wrong.
    DOCUMENTS[verb].model_validate_json(ran.out, strict=True)
    return ran.document


@pytest.fixture
def simulated(cli: Run, tmp_path: Path) -> Path:
    out = tmp_path / "posts.ndjson"
    document = check("simulate", cli("simulate", "--posts", "30000", "--days", "3", "--out", out, "--json"))
    assert document["posts"] == 30_000
    with out.open("a", encoding="utf-8") as file:
        file.write(DIRT)
    return out


def test_a_whole_session_prints_what_the_schemas_say(cli: Run, simulated: Path) -> None:
    summary = check("import", cli("import", simulated, "--json"))
    assert summary["read"] == sum(summary[name] for name in ("stored", "known", "rejected", "ignored"))
    assert summary["rejected"] == 2
    assert check("posts", cli("posts", "--json"))["found"] == 50
    assert check("trends", cli("trends", "--json"))["items"]
    assert check("ledger", cli("ledger", "--json"))["quarters"]
    assert check("daily", cli("daily", "--json"))["state"] == "done"
    tested = check("backtest", cli("backtest", '"aurora cola"', "--days", "1", "--json"))
    assert 0 < tested["posts"] < tested["stream_posts"]
    check("config", cli("config", "--json"))
    check("doctor", cli("doctor", "--json"))

    held = check("quarantine list", cli("quarantine", "list", "--json"))
    assert held["held"] == 2
    check("quarantine show", cli("quarantine", "show", held["rows"][0]["id"], "--json"))
    assert check("quarantine retry", cli("quarantine", "retry", "--json"))["held"] == 2

    made = check("token create", cli("token", "create", "script", "--json"))
    assert check("token list", cli("token", "list", "--json"))["items"][0]["id"] == made["id"]
    assert check("token revoke", cli("token", "revoke", made["id"], "--json"))["revoked_at"] is not None


def test_a_replay_and_its_alerts_print_what_the_schemas_say(cli: Run, simulated: Path, tmp_path: Path) -> None:
    truth = json.loads(Path(f"{simulated}.truth.json").read_text())
    query = next(event["query"] for event in truth["events"] if event["kind"] == "crisis")
    check("watch add", cli("watch", "add", "Crisis", query, "--json"))
    check("watch list", cli("watch", "list", "--json"))
    check("watch run", cli("watch", "run", "--replay", simulated, "--json"))
    found = check("alerts list", cli("alerts", "list", "--json"))["items"]
    assert found, "the injected crisis was not found"
    name = found[0]["id"]
    check("alerts show", cli("alerts", "show", name, "--json"))
    again = check("alerts show", cli("alerts", "show", name, "--recompute", "--json"))["recomputed"]
    assert (again["state"], again["differences"]) == ("equal", [])
    assert check("alerts ack", cli("alerts", "ack", name, "--by", "Maya", "--json"))["acknowledged_by"] == "Maya"
    assert check("alerts snooze", cli("alerts", "snooze", name, "--for", "2h", "--json"))["snoozed_until"] is not None
    assert check("alerts comment", cli("alerts", "comment", name, "seen", "--json"))["comments"] == 1
    judged = check("alerts verdict", cli("alerts", "verdict", name, "real", "--note", "it is", "--json"))
    assert (judged["verdict"], judged["verdict_note"]) == ("real", "it is")
    report = check("alerts report", cli("alerts", "report", "--json"))
    assert report["all"]["verdicts"]["real"] == 1
    assert report["trackers"][0]["precision"] == 1.0
    check("watch remove", cli("watch", "remove", "Crisis", "--json"))


@pytest.mark.parametrize("verb", sorted(DOCUMENTS))
def test_a_schema_closes_every_object_and_explains_itself(verb: str) -> None:
    schema = schema_of(verb)
    assert schema["$schema"].endswith("2020-12/schema")
    objects = [part for part in [schema, *schema.get("$defs", {}).values()] if part.get("type") == "object"]
    assert objects
    assert all(part["additionalProperties"] is False for part in objects)
    assert schema["description"]
    assert file_of(verb).islower()
