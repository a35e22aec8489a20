"""TikTok: the nested layout of collectors, and the claims table of a course."""

from __future__ import annotations

from groundswell.platforms.tiktok.claims import CLAIMS
from groundswell.platforms.tiktok.nested import NESTED

LAYOUTS = (NESTED, CLAIMS)

__all__ = ["CLAIMS", "LAYOUTS", "NESTED"]
