"""How long a thread waits for a store at most, and what ends its waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

_MINE: Final = threading.local()


def hurried(seconds: float) -> AbstractContextManager[None]:
    """Within the block this thread waits no longer than so for a store: somebody wants an answer now."""
    return _told("seconds", seconds)


def until(stop: threading.Event) -> AbstractContextManager[None]:
    """Within the block this thread gives up waiting for a store as soon as `stop` is set."""
    return _told("stop", stop)


def at_most(seconds: float) -> float:
    """The lesser of `seconds` and what this thread was told."""
    return min(seconds, getattr(_MINE, "seconds", None) or seconds)


def ended() -> threading.Event:
    """Set when this thread is to wait no longer."""
    found: threading.Event | None = getattr(_MINE, "stop", None)
    return threading.Event() if found is None else found


@contextmanager
def _told(name: str, value: object) -> Iterator[None]:
    before = getattr(_MINE, name, None)
    setattr(_MINE, name, value)
    try:
        yield
    finally:
        setattr(_MINE, name, before)
