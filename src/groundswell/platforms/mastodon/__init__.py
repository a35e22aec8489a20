"""Mastodon: statuses and accounts."""

from __future__ import annotations

from groundswell.platforms.mastodon.statuses import ACCOUNTS, STATUSES

LAYOUTS = (STATUSES, ACCOUNTS)

__all__ = ["LAYOUTS"]
