"""The state of the watch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class WatchState:
    """Plain data between two steps."""

    @classmethod
    def empty(cls) -> WatchState:
        """The state before the first record."""
        return cls()
