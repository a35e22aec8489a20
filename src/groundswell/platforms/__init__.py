"""Platforms: one folder a platform, one file a layout.

`registry()` gives what is installed, `recognise` says which layout a record is of, and an engine runs its
expression. A plug-in adds layouts by an entry point of the group `groundswell.platforms`.
"""

from __future__ import annotations

from groundswell.platforms.complete import complete, split_reject
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.registry import Registry, registry

__all__ = ["Layout", "Registry", "Shape", "complete", "registry", "split_reject"]
