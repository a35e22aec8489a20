"""Any table or flat JSON whose columns can be guessed or are named by a person."""

from __future__ import annotations

from groundswell.platforms.generic.columns import guess
from groundswell.platforms.generic.table import TABLE, table

LAYOUTS = (TABLE,)

__all__ = ["LAYOUTS", "guess", "table"]
