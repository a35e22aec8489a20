"""Compiled kernels over bytes and arrays, and whether this process uses them; what comes out is the same without.

Each has a plain twin that defines it, and a test that holds them together. They release the interpreter's lock.
Loading them takes about half a second (several, where they must be compiled first), so a command that reads a
few rows does without, and one that reads much calls `load` before it begins.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import ModuleType
from typing import Final

#: Bytes of input from which loading the kernels pays for itself.
WORTH_WHILE: Final = 256 << 20

_loaded: list[ModuleType] = []
_live: list[ModuleType] = []
_turn: Final = threading.Lock()


def load(cache: Path | None = None) -> None:
    """Load the kernels, compiling them where that has not been done on this machine; later calls do nothing.

    `cache` is the folder for what was compiled, where the package's own folder cannot be written.
    """
    with _turn:
        if _loaded:
            return
        if cache is not None and not os.access(Path(__file__).parent, os.W_OK):
            os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))
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
