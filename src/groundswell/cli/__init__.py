"""The command line: one file a verb, registered by importing it here."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

VERBS: Final = tuple(m.name for m in pkgutil.iter_modules(__path__) if m.name != "app")


def main() -> None:
    """Load every verb of this folder and run the command line."""
    for verb in VERBS:
        importlib.import_module(f"{__name__}.{verb}")
    from groundswell.cli.app import run  # Typer is imported only when the command line runs

    run()
