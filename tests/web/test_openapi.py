from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundswell.settings import Settings
from groundswell.web import (
    alert_models,
    analysis_models,
    channel_models,
    data_models,
    drift_models,
    import_models,
    models,
    multiples,
    raw_models,
)
from groundswell.web.app import create_app
from groundswell.web.channel_examples import CHANNEL_EXAMPLES
from groundswell.web.data_examples import DATA_EXAMPLES
from groundswell.web.examples import EXAMPLES
from groundswell.web.openapi import document_of

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "src" / "groundswell" / "web" / "reference"


@pytest.fixture
def document(settings: Settings) -> dict[str, Any]:
    return document_of(create_app(settings, runner=False))


def test_the_front_end_is_built_against_this_very_document(document: dict[str, Any]) -> None:
    kept = json.loads((ROOT / "frontend" / "openapi.json").read_text(encoding="utf-8"))

    assert kept == document, "run `groundswell openapi --out frontend/openapi.json`"


def test_making_the_document_touches_no_home(settings: Settings, document: dict[str, Any]) -> None:
    assert not settings.home.exists()


@pytest.mark.parametrize("name", sorted(EXAMPLES | DATA_EXAMPLES | CHANNEL_EXAMPLES))
def test_examples_are_valid(name: str) -> None:
    (model,) = {
        getattr(room, name)
        for room in (
            models,
            alert_models,
            data_models,
            import_models,
            analysis_models,
            channel_models,
            drift_models,
            raw_models,
            multiples,
        )
        if hasattr(room, name)
    }
    model.model_validate((EXAMPLES | DATA_EXAMPLES | CHANNEL_EXAMPLES)[name])


def test_every_answer_has_an_example_and_a_problem(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["description"], where
            assert "application/problem+json" in operation["responses"]["default"]["content"], where
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    name = content["schema"]["$ref"].rpartition("/")[2]
                    assert schemas[name]["examples"], f"{where}: {name}"


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_the_document_is_served(client: httpx.Client, document: dict[str, Any]) -> None:
    assert client.get("/openapi.json").json() == document


def test_the_api_page_needs_no_other_server(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for address in re.findall(r'(?:href|src)="(/api[^"]+)"', page.text):
        assert client.get(address.removeprefix("/api/v1")).status_code == 200, address
    for file in REFERENCE.iterdir():
        assert not re.search(r"https?://", file.read_text(encoding="utf-8")), file


def test_the_guide_names_every_route(document: dict[str, Any]) -> None:
    guide = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    missing = [path for path in [*document["paths"], "/api/v1/live"] if path.removeprefix("/api/v1") not in guide]
    assert not missing
