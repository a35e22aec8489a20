"""The layouts that the watch reads from raw bytes, by their id."""

from __future__ import annotations

from typing import Final

from groundswell.importing.fast.jetstream import JETSTREAM
from groundswell.importing.fast.posts import FastLayout
from groundswell.importing.fast.tiktok import NESTED

FAST: Final[dict[str, FastLayout]] = {layout.id: layout for layout in (JETSTREAM, NESTED)}
