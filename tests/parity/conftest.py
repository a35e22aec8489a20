"""The history and what the embedded way makes of it, once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.parity.way import Outcome, Places, Way, go, write_history


@pytest.fixture
def places(request: pytest.FixtureRequest) -> Iterator[Places]:
    """Servers by name, started when a way needs them."""
    before = dict(os.environ)
    try:
        yield Places(request.getfixturevalue)
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one fixture of all ways."""
    return write_history(tmp_path_factory.mktemp("parity") / "posts.ndjson")


@pytest.fixture(scope="session")
def embedded(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What comes out of the embedded parts when nothing happens on the way."""

    def no_server(name: str) -> object:
        raise AssertionError(name)

    return go(Way(), Places(no_server), tmp_path_factory.mktemp("embedded") / "home", history)
