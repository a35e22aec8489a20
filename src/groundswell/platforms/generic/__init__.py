"""What has no layout of its own: any table or JSON whose columns can be guessed or are named, 4CAT's, Zeeschuimer's."""

from __future__ import annotations

from groundswell.platforms.generic.accounts import ACCOUNTS
from groundswell.platforms.generic.columns import guess, why_not
from groundswell.platforms.generic.fitting import fit, joined
from groundswell.platforms.generic.fourcat import FOURCAT
from groundswell.platforms.generic.table import TABLE, table
from groundswell.platforms.generic.zeeschuimer import ZEESCHUIMER

LAYOUTS = (ACCOUNTS, FOURCAT, TABLE, ZEESCHUIMER)

__all__ = ["ACCOUNTS", "FOURCAT", "LAYOUTS", "TABLE", "ZEESCHUIMER", "fit", "guess", "joined", "table", "why_not"]
