"""Build the page before the wheel, so that what is installed needs no Node."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `scripts/build_frontend.py` for wheels; an editable install builds the page by `make setup`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build into `src/groundswell/web/static`, which the wheel then takes up."""
        script = Path(self.root) / "scripts" / "build_frontend.py"
        if self.target_name != "wheel" or version == "editable" or not script.exists():
            return
        spec = importlib.util.spec_from_file_location("build_frontend", script)
        if spec is None or spec.loader is None:
            return
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.build(Path(self.root))
