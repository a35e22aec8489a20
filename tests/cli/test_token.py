from __future__ import annotations

from typing import Any

from groundswell.desk import open_desk, tokens
from groundswell.settings import load_settings


def test_a_secret_is_shown_once_and_only_its_digest_is_kept(cli: Any) -> None:
    made = cli("token", "create", "dashboard", "--json")

    secret = made.document["secret"]
    assert secret.startswith("gsw_")
    with open_desk(load_settings()) as desk, desk.reading() as session:
        row = tokens.find(session, secret)
        assert row is not None
        assert (row.id, row.name) == (made.document["id"], "dashboard")
    assert secret not in cli("token", "list", "--json").out


def test_only_the_secret_is_on_stdout(cli: Any) -> None:
    made = cli("token", "create", "a")

    assert made.out.strip().startswith("gsw_")
    assert "not shown again" in made.err


def test_a_revoked_token_is_listed_as_such(cli: Any) -> None:
    identity = cli("token", "create", "a", "--json").document["id"]

    assert cli("token", "revoke", identity).code == 0
    (shown,) = cli("token", "list", "--json").document["items"]
    assert shown["revoked_at"] is not None
    assert "revoked" in cli("token", "list").out


def test_a_token_that_does_not_exist_is_an_error(cli: Any) -> None:
    ended = cli("token", "revoke", "none")

    assert ended.code == 1
    assert "groundswell token list" in ended.err
