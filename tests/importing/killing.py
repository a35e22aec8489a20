"""A process that is killed around a commit of the lake, without a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from groundswell.lake import Appender, raw


class KilledError(BaseException):
    """Stands for SIGKILL: nothing handles it."""


def dying_at(number: int, *, before: bool) -> Callable[..., Any]:
    """`Appender.commit`, of which the n-th call ends the process: before it is made, or as soon as it is."""
    calls, real = 0, Appender.commit

    def dying(self: Appender, **arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != number:
            return real(self, **arguments)
        if not before:
            real(self, **arguments)
        raise KilledError

    return dying


@contextmanager
def killed_at_commit(number: int, *, before: bool) -> Iterator[None]:
    """What is done in the block ends just before its n-th commit, or as soon as that is made; nothing is cleaned up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Appender, "commit", dying_at(number, before=before))
        patch.setattr(Appender, "abort", lambda self: None)
        patch.setattr(raw.RawWriter, "abort", lambda self: None)
        patch.setattr("groundswell.importing.imports._Import._fail", lambda *_: None)
        with pytest.raises(KilledError):
            yield
