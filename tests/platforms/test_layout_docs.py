"""The page about layouts is what the code says, and what importing the test data gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "layout_docs.py"


@pytest.fixture(scope="module")
def layout_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("layout_docs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_about_layouts_is_up_to_date(layout_docs: ModuleType) -> None:
    assert layout_docs.main(["--check"]) is None


@pytest.mark.slow
def test_every_row_of_the_test_data_is_accounted_for_as_the_page_says(
    layout_docs: ModuleType, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_docs, "DATA", data)
    files = layout_docs.imported()
    found = {name: file["read"] for name, file in files.items()}
    counted = {name: layout_docs.rows_in(data / name) or 0 for name in files}
    assert found == counted
    for file in files.values():
        assert file["read"] == file["stored"] + file["known"] + file["rejected"] + file["ignored"]
    monkeypatch.setattr(layout_docs, "imported", lambda: files)
    assert layout_docs.main(["--check-data"]) is None
