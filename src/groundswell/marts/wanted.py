"""Which posts are wanted, as one thing that every question to the lake takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import ibis

from groundswell.errors import UsageError
from groundswell.marts.observations import STAMP

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.query import Query

#: Stands between an archive and its member in `origin`.
MEMBER: Final = "::"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts are wanted: those of `platforms` (none: all) created in [since, until) that `query` matches."""

    query: Query | None = None
    platforms: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    origin: str | None = None
    """Only what came from this file, or from a member of this archive."""

    def check(self) -> None:
        """Refuse a period that holds nothing.

        Raises:
            UsageError: `since` is not before `until`.
        """
        if self.since is not None and self.until is not None and self.since >= self.until:
            wrong = f"no time between {self.since.isoformat()} and {self.until.isoformat()}"
            raise UsageError(wrong, hint="--since must be before --until")

    def of(self, posts: ir.Table) -> ir.Table:
        """The rows of `posts` that are wanted. A post without a time is not in any period."""
        conditions: list[ir.BooleanValue] = []
        if self.platforms:
            conditions.append(posts["platform"].isin(list(self.platforms)))
        if self.since is not None:
            conditions.append(posts["created_at"] >= ibis.literal(self.since, STAMP))
        if self.until is not None:
            conditions.append(posts["created_at"] < ibis.literal(self.until, STAMP))
        if self.query is not None:
            conditions.append(self.query.to_ibis(posts))
        if self.origin is not None:
            member = posts["origin"].startswith(f"{self.origin}{MEMBER}")
            conditions.append((posts["origin"] == self.origin) | member)
        return posts.filter(conditions) if conditions else posts
