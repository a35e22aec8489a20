"""The layouts that the watch reads from raw bytes, by their id."""

from __future__ import annotations

from typing import Final

from groundswell.watch.fast.jetstream import JETSTREAM
from groundswell.watch.fast.posts import FastLayout
from groundswell.watch.fast.tiktok import NESTED

FAST: Final[dict[str, FastLayout]] = {layout.id: layout for layout in (JETSTREAM, NESTED)}
