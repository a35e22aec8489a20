"""Running the checks: each by itself, so that one that fails hides no other."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from groundswell.doctor.finding import Finding, fail
from groundswell.errors import GroundswellError
from groundswell.settings import Settings

#: Module and function of every check, in the order shown. The function's name is the check's.
CHECKS: Final = (
    ("installation", "python"),
    ("installation", "packages"),
    ("installation", "settings_known"),
    ("installation", "clock"),
    ("installation", "home"),
    ("parts", "engine"),
    ("installation", "spark"),
    ("parts", "lake"),
    ("parts", "bus"),
    ("parts", "desk"),
    ("parts", "leases"),
    ("telling", "channels"),
    ("parts", "times"),
    ("parts", "address"),
    ("parts", "page"),
    ("installation", "node"),
    ("installation", "chromium"),
)
_NAMES: Final = {"settings_known": "settings", "times": "runs"}


def examine(settings: Settings) -> Iterator[Finding]:
    """Run every check and yield what it finds, as soon as it is known.

    A home that does not exist is not made: the parts are then tried in a temporary one.
    """
    with tempfile.TemporaryDirectory(prefix="groundswell-doctor-") as elsewhere:
        there = settings.home.exists()
        parts = settings if there else settings.model_copy(update={"home": Path(elsewhere)})
        for module, name in CHECKS:
            yield _examined(module, name, settings if module == "installation" else parts)


def _examined(module: str, name: str, settings: Settings) -> Finding:
    shown = _NAMES.get(name, name)
    try:
        check: Callable[[Settings], Finding] = getattr(importlib.import_module(f"groundswell.doctor.{module}"), name)
        return check(settings)
    except GroundswellError as error:
        where = f": {error.where}" if error.where else ""
        return fail(shown, f"{error.what}{where}", error.hint or "")
    except ImportError as error:
        return fail(shown, str(error), "a package is missing or broken: run `make setup`")
    except Exception as error:  # a check that breaks is itself a finding; the others must still run
        return fail(shown, f"{type(error).__name__}: {error}", "this is a defect, or the part is damaged: report it")
