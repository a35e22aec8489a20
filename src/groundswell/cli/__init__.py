"""The command line: one file a verb, registered by importing it here."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from typing import Final

VERBS: Final = tuple(m.name for m in pkgutil.iter_modules(__path__) if m.name != "app")


def load_verbs() -> None:
    """Import every verb of this folder, which registers it."""
    for verb in VERBS:
        importlib.import_module(f"{__name__}.{verb}")


def main() -> None:
    """Load every verb and run the command line."""
    # Python looks for garbage among what is being loaded every 700 objects: a quarter of the start.
    gc.set_threshold(50_000, 20, 100)
    load_verbs()
    from groundswell.cli.app import run  # Typer is imported only when the command line runs

    run()
