"""What the tests of the files in `deploy/` share."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from tests.web.conftest import served

__all__ = ["served"]

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"


def read_yaml(path: Path) -> Any:
    """A YAML file; its parser comes with the tools of the developers and has no types."""
    return importlib.import_module("yaml").safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def deploy() -> Path:
    return DEPLOY
