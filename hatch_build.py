"""Build the page before the wheel, so that what is installed needs no Node."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `scripts/build_frontend.py` for wheels; an editable install builds the page by `make setup`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build into `src/groundswell/web/static`, which the wheel then takes up.

        Raises:
            RuntimeError: the page is neither built nor can it be.
        """
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        script = root / "scripts" / "build_frontend.py"
        if script.exists():
            self._build(root, script)
        elif not (root / "src" / "groundswell" / "web" / "static" / "index.html").exists():
            # A source distribution carries the built page and not the script.
            what = "the page is not built; make the wheel from a checkout"
            raise RuntimeError(what)

    def _build(self, root: Path, script: Path) -> None:
        spec = importlib.util.spec_from_file_location("build_frontend", script)
        if spec is None or spec.loader is None:
            what = f"{script} cannot be loaded"
            raise RuntimeError(what)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        module.build(root)
