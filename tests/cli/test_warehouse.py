"""`groundswell warehouse sync` as a person runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.servers import Postgres

from groundswell.documents import DOCUMENTS

FIXTURES = Path(__file__).parents[1] / "fixtures" / "layouts"


@pytest.mark.service
def test_everything_that_was_imported_is_in_the_warehouse(
    cli: Callable[..., Any], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(postgres.new_database())
    stored = cli("import", FIXTURES, "--json").document["stored"]
    monkeypatch.setenv("GROUNDSWELL_WAREHOUSE", url)
    ran = cli("warehouse", "sync", "--json")
    assert ran.code == 0, ran.err
    DOCUMENTS["warehouse sync"].model_validate(ran.document)
    assert 50 < ran.document["rows"]["posts"] <= ran.document["read"]["posts"] <= stored
    assert ran.document["rows"]["creators"] > 0
    again = cli("warehouse", "sync", "--full")
    assert again.code == 0, again.err
    assert f"{ran.document['rows']['posts']:,}" in again.err
    assert url not in ran.out + ran.err + again.err


def test_without_an_address_it_asks_for_one(cli: Callable[..., Any]) -> None:
    ran = cli("warehouse", "sync")
    assert ran.code == 2
    assert "GROUNDSWELL_WAREHOUSE" in ran.err
