"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How serious it is: fine, works with a limit, or does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `hint` says what to do and is empty where nothing is to be done."""

    name: str
    state: State
    detail: str
    hint: str = ""


def ok(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, detail)


def warn(name: str, detail: str, hint: str) -> Finding:
    """It works, but."""
    return Finding(name, State.WARN, detail, hint)


def fail(name: str, detail: str, hint: str) -> Finding:
    """It does not work."""
    return Finding(name, State.FAIL, detail, hint)
