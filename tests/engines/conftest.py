"""What tests of readers share: the compiled kernels, and an engine beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from groundswell import kernels
from groundswell.engines.duckdb import DuckEngine
from groundswell.settings import Settings


@pytest.fixture(scope="module")
def compiled() -> Iterator[None]:
    kernels.load()
    yield
    kernels.unload()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = DuckEngine(Settings(home=tmp_path_factory.mktemp("home")))
    yield engine
    engine.close()
