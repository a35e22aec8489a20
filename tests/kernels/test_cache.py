"""Where Numba keeps what it compiled, and that it is never that of other sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from groundswell import kernels

HERE = Path(kernels.__file__).parent


def chosen(package: Path, **environment: str) -> Path:
    """The folder that a fresh process chooses for the copy of the kernels in `package`."""
    code = "import os, kernels, sys; assert 'numba' not in sys.modules; print(os.environ['NUMBA_CACHE_DIR'])"
    known = {name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    known |= {"PYTHONPATH": str(package), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=known, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def copied(folder: Path) -> Path:
    """A package of its own, with the sources only."""
    (folder / "kernels").mkdir(parents=True)
    for file in HERE.glob("*.py"):
        shutil.copy(file, folder / "kernels")
    return folder


def test_compiled_code_lies_beside_the_sources_and_changes_with_any_of_them(tmp_path: Path) -> None:
    package = copied(tmp_path)
    before = chosen(package)
    assert before.parent == tmp_path / "kernels" / "__pycache__"
    assert chosen(package, NUMBA_CACHE_DIR=str(before)) == before
    with (package / "kernels" / "negbinomial.py").open("a") as file:
        file.write("# changed\n")
    after = chosen(package, NUMBA_CACHE_DIR=str(before))
    assert after.parent == before.parent
    assert after != before


def test_the_users_own_folder_comes_first(tmp_path: Path) -> None:
    assert chosen(copied(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "mine")).parent == tmp_path / "mine"


def test_where_nothing_can_be_written_a_folder_of_the_process_is_used(tmp_path: Path) -> None:
    package = copied(tmp_path)
    # A file in the place of a folder: not even root writes in it.
    (package / "kernels" / "__pycache__").touch()
    (tmp_path / "file").touch()
    assert chosen(package, XDG_CACHE_HOME=str(tmp_path / "cache")).parent == tmp_path / "cache" / "groundswell"
    (tmp_path / "tmp").mkdir()
    nowhere = {"HOME": str(tmp_path / "file"), "XDG_CACHE_HOME": str(tmp_path / "file")}
    found = chosen(package, **nowhere, TMPDIR=str(tmp_path / "tmp"))
    assert found.parent.parent == tmp_path / "tmp"
    assert not list((tmp_path / "tmp").iterdir()), "gone with the process"
