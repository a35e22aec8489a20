"""Compiled kernels over bytes and arrays, and whether this process uses them; what comes out is the same without.

Each has a plain twin that defines it, and a test that holds them together. They release the interpreter's lock.
Loading them takes about half a second (several, where they must be compiled first), so a command that reads a
few rows does without, and one that reads much calls `load` before it begins.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final

#: Bytes of input from which loading the kernels pays for itself.
WORTH_WHILE: Final = 256 << 20

_HERE: Final = Path(__file__).parent
_VARIABLE: Final = "NUMBA_CACHE_DIR"
_NAME: Final = "groundswell-kernels-"

_loaded: list[ModuleType] = []
_live: list[ModuleType] = []
_turn: Final = threading.Lock()
_temporary: list[Path] = []


def _keep_in(folders: Iterable[Path]) -> None:
    """Let Numba keep what it compiles in the first of the folders that can be written.

    It compares the file of a kernel only, not those that the kernel calls, so the folder is one of these very sources.
    """
    sources = hashlib.blake2b(digest_size=6)
    for file in sorted(_HERE.glob("*.py")):
        sources.update(file.read_bytes())
    for folder in folders:
        own = folder / f"{_NAME}{sources.hexdigest()}"
        with suppress(OSError):
            own.mkdir(parents=True, exist_ok=True)
            if os.access(own, os.W_OK | os.X_OK):
                os.environ[_VARIABLE] = str(own)
                return


def _folders() -> Iterator[Path]:
    given = os.environ.get(_VARIABLE)
    if given:
        # A parent process may have chosen it here.
        yield Path(given).parent if Path(given).name.startswith(_NAME) else Path(given)
    yield _HERE / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "groundswell"
    with suppress(OSError):  # then nothing can be kept, and Numba says so where it is needed
        yield _temporary_folder()


def _temporary_folder() -> Path:
    """A folder of this process: nobody else may put compiled code there."""
    import atexit  # noqa: PLC0415 - only where nothing else can be written
    import shutil  # noqa: PLC0415 - only where nothing else can be written
    import tempfile  # noqa: PLC0415 - only where nothing else can be written

    folder = Path(tempfile.mkdtemp(prefix="groundswell-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _temporary.append(folder)
    return folder


# Numba reads the variable when it is imported, which every module of kernels does.
_keep_in(_folders())


def load(cache: Path | None = None) -> None:
    """Load the kernels, compiling them where that has not been done on this machine; later calls do nothing.

    `cache` is the folder for what was compiled, where neither the package's own nor the user's can be written.
    """
    with _turn:
        if _loaded:
            return
        if cache is not None and _temporary and "numba" not in sys.modules:
            _keep_in([cache])
        from groundswell.kernels import compiled  # noqa: PLC0415 - loads Numba

        compiled.warm()
        _loaded.append(compiled)


def load_live(cache: Path | None = None) -> None:
    """Load the kernels of the live way too: the matcher and what reads raw records. Later calls do nothing."""
    load(cache)
    with _turn:
        if _live:
            return
        from groundswell.kernels import live  # noqa: PLC0415 - compiles a good deal

        live.warm()
        _live.append(live)


def loaded_live() -> ModuleType | None:
    """The module `groundswell.kernels.live` once it is loaded, else null."""
    return _live[0] if _live else None


def loaded() -> ModuleType | None:
    """The module `groundswell.kernels.compiled` once it is loaded, else null."""
    return _loaded[0] if _loaded else None


def unload() -> None:
    """Go back to the plain twins."""
    _loaded.clear()
    _live.clear()
