"""Importing a part of what files hold: what a query matches, a sample, a span of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import UsageError
from groundswell.marts.period import parse_moment
from groundswell.schema import POSTS
from groundswell.text.tokens import tokenise

if TYPE_CHECKING:
    from groundswell.query import Query

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_PERCENT: Final = re.compile(r"(\d+(?:[.]\d+)?)\s*%")
_SHARE: Final = re.compile(r"0?[.]\d+|1(?:[.]0*)?")


@dataclass(frozen=True)
class Part:
    """Which rows are imported. `said` names it for people, and with it the run.

    `sample` is a share from 0 to 1: the rows whose key, a hash, lies below it, so the same rows every time and in
    every file. `since` is included, `until` is not; a row without a time is outside of any span.
    """

    where: Query | None = None
    sample: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    said: str = ""

    @classmethod
    def of(
        cls,
        where: str | None = None,
        sample: str | None = None,
        since: str | None = None,
        until: str | None = None,
        *,
        tz: str = "UTC",
        now: datetime | None = None,
    ) -> Part | None:
        """The part that the texts of the command line name; null if they name none.

        Raises:
            QuerySyntaxError: the query does not parse.
            UsageError: the sample is no share, a time is no time, or the span is empty.
        """
        if not (where or sample or since or until):
            return None
        from groundswell.query import parse  # noqa: PLC0415 - builds a grammar, which only a query needs

        at = now or datetime.now(UTC)
        after = parse_moment(since, now=at, tz=tz) if since else None
        before = parse_moment(until, now=at, tz=tz, end=True) if until else None
        if after is not None and before is not None and after >= before:
            what = f"nothing lies between --since {since} and --until {until}"
            raise UsageError(what, hint="--until must be later than --since")
        query = parse(where) if where else None
        named = {"where": None if query is None else f"'{query}'", "sample": sample, "since": since, "until": until}
        said = " ".join(f"--{name} {value}" for name, value in named.items() if value)
        return cls(query, parse_share(sample) if sample else None, after, before, said)

    @property
    def reason(self) -> str:
        """Why a row that is left out is ignored."""
        return f"outside of {self.said}"

    def keep(self, rows: pa.Table, table: str) -> Mask:
        """Which derived rows of `table` (posts, authors, comments) belong to the part.

        A query means the same as for `posts`; a field that a table lacks matches nothing. Authors have no time
        of posting, so a span does not leave them out.
        """
        mask: Mask = np.ones(rows.num_rows, np.bool_)
        if self.sample is not None:
            mask &= _below(rows["key"], self.sample)
        if table != "authors":
            mask &= _within(rows["created_at"], self.since, self.until)
        if self.where is not None and mask.any():
            mask &= self.where.mask(_as_posts(rows))
        return mask


def parse_share(given: str) -> float:
    """A share: `1%`, `0.5 %`, `0.01`.

    >>> parse_share("2.5%")
    0.025

    Raises:
        UsageError: it is none, or not above 0 and at most 1.
    """
    text = given.strip()
    percent = _PERCENT.fullmatch(text)
    share = float(percent[1]) / 100 if percent else float(text) if _SHARE.fullmatch(text) else 0.0
    if not 0 < share <= 1:
        what = f"`{given}` is not a share"
        raise UsageError(what, hint="write a percentage above 0 and up to 100, as --sample 1%")
    return share


def _below(keys: pa.ChunkedArray, share: float) -> Mask:
    """Which keys, read as numbers, are in the first `share` of all that there can be."""
    if share >= 1:
        return np.ones(len(keys), np.bool_)
    whole = keys.cast(pa.binary(16)).combine_chunks()
    numbers = np.frombuffer(whole.buffers()[1], ">u8")[2 * whole.offset :: 2][: len(whole)]
    below: Mask = numbers < np.float64(share) * 2.0**64
    return below


def _within(times: pa.ChunkedArray, since: datetime | None, until: datetime | None) -> Mask:
    mask: Mask = np.ones(len(times), np.bool_)
    for bound, compare in ((since, pc.greater_equal), (until, pc.less)):
        if bound is not None:
            inside = compare(times, pa.scalar(bound, times.type))
            mask &= pc.fill_null(inside, False).combine_chunks().to_numpy(zero_copy_only=False)
    return mask


def _as_posts(rows: pa.Table) -> pa.Table:
    """The rows with all columns that a query may ask for."""
    columns = {}
    for field in POSTS:
        if field.name in rows.column_names:
            columns[field.name] = rows[field.name]
        elif field.name == "tokens" and "text" in rows.column_names:
            columns["tokens"] = tokenise(rows["text"].combine_chunks())
        else:
            columns[field.name] = pa.nulls(rows.num_rows, field.type)
    return pa.table(columns)
