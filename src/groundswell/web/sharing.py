"""How the server shares time and memory among its threads: settings of the interpreter and of the allocator."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Sequence
from typing import Final

#: A thread that waits for the interpreter asks the one that has it to let go after so long, seconds. Python's own 5 ms
#: add up where news goes through several threads while the lake is written.
SWITCH_S: Final = 0.001
#: Arenas of glibc's allocator. By default there are eight a core, and each keeps what its threads once needed.
ARENAS: Final = 2
#: Blocks of this size are given back to the system when they are freed, bytes.
MAPPED: Final = 1 << 20
#: Free memory at the end of an arena that is kept, bytes.
_KEPT: Final = 32 << 20
#: Numbers of <malloc.h>: a limit, and the variable by which who starts the process says otherwise.
_LIMITS: Final = (
    (-8, ARENAS, "MALLOC_ARENA_MAX"),
    (-3, MAPPED, "MALLOC_MMAP_THRESHOLD_"),
    (-1, _KEPT, "MALLOC_TRIM_THRESHOLD_"),
)
#: Arrow's own allocator keeps much of what a commit to the lake once needed; the system's gives it back.
_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"


def settle() -> None:
    """Make this process one of many threads that are quick to answer and give back what they do not need.

    To be called before there are threads, and before Arrow is loaded. Where the system's allocator knows no such
    limits, it keeps its own; who sets the variables of an allocator has the last word.
    """
    sys.setswitchinterval(SWITCH_S)
    limit_allocator()
    _use_one_allocator()


def settle_for_streams() -> None:
    """Make this process of many threads smaller where that costs no time: what is freed is kept, but in one place.

    To be called as `settle`.
    """
    _limit(_LIMITS[:1])
    _use_one_allocator()


def _use_one_allocator() -> None:
    if _POOL not in os.environ:
        os.environ[_POOL] = "system"
        try:
            import pyarrow as pa  # noqa: PLC0415 - reads the variable when it is loaded

            pa.default_memory_pool()
        finally:
            del os.environ[_POOL]  # processes that are started from here, such as imports, choose for themselves


def limit_allocator() -> None:
    """Make the system's allocator give back what a thread freed; an import of long texts is a third smaller by that."""
    _limit(_LIMITS)


def _limit(limits: Sequence[tuple[int, int, str]]) -> None:
    with contextlib.suppress(OSError, AttributeError):
        limit = ctypes.CDLL(None).mallopt
        for number, value, variable in limits:
            if variable not in os.environ:
                limit(number, value)
