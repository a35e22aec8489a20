from __future__ import annotations

import io
from pathlib import Path

import pytest

from groundswell.errors import NotFoundError
from groundswell.sources.files import find_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.json", "deep/er/c.ndjson", ".hidden/d.csv", ".e.csv"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "in"


def names(paths: list[str], tmp: Path) -> list[str]:
    return [Path(file.name).name for file in find_files(paths, tmp)]


def test_a_folder_stands_for_all_visible_files_under_it(folder: Path, tmp_path: Path) -> None:
    assert names([str(folder)], tmp_path) == ["a.json", "b.csv", "c.ndjson"]


def test_a_glob_and_a_path_give_each_file_once(folder: Path, tmp_path: Path) -> None:
    assert names([f"{folder}/*.csv", f"{folder}/b.csv", f"{folder}/**/*.ndjson"], tmp_path) == ["b.csv", "c.ndjson"]


@pytest.mark.parametrize("path", ["nope.csv", "*.nope", "empty"])
def test_what_names_no_file_is_said(path: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match=path.replace("*", r"\*")):
        find_files([str(tmp_path / path)], tmp_path)


def test_standard_input_is_copied(tmp_path: Path) -> None:
    (file,) = find_files(["-"], tmp_path / "tmp", io.BytesIO(b"{}\n"))
    assert (file.name, file.path.read_bytes(), file.size, file.kept) == ("-", b"{}\n", 3, False)


def test_a_changed_file_has_another_identity(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a")
    (before,) = find_files([str(path)], tmp_path)
    path.write_text("ab")
    (after,) = find_files([str(path)], tmp_path)
    assert before.identity != after.identity
