"""How the server shares time and memory among its threads: settings of the interpreter and of the allocator."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
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


def settle() -> None:
    """Make this process one of many threads that are quick to answer and give back what they do not need.

    To be called before there are threads. Where the system's allocator knows no such limits, it keeps its own.
    """
    sys.setswitchinterval(SWITCH_S)
    with contextlib.suppress(OSError, AttributeError):
        limit = ctypes.CDLL(None).mallopt
        for number, value, variable in _LIMITS:
            if variable not in os.environ:
                limit(number, value)
