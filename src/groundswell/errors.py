"""Errors that a person can act on: what went wrong, where, and what to do.

Every expected failure is a `GroundswellError`. The command line prints its three parts and exits with
`exit_code`; the REST API turns it into a problem document (RFC 9457) with `status`. Anything else that
escapes is a defect and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path


class GroundswellError(Exception):
    """What went wrong (`what`), where (`where`) and the next step (`hint`).

    >>> str(GroundswellError("cannot read", where="a.csv", hint="check the path"))
    'cannot read: a.csv. Check the path.'
    """

    exit_code = 1
    status = 500

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        hint: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.hint = hint
        self.fields = dict(fields or {})
        super().__init__(what, where, hint)

    def __str__(self) -> str:
        head = self.what if self.where is None else f"{self.what}: {self.where}"
        if not self.hint:
            return head
        hint = self.hint[0].upper() + self.hint[1:]
        return f"{head}. {hint}" + ("" if hint[-1] in ".?!" else ".")


class UsageError(GroundswellError):
    """The request itself is wrong (exit code 2, HTTP 400)."""

    exit_code = 2
    status = 400


class NotFoundError(GroundswellError):
    """A named thing does not exist (exit code 1, HTTP 404)."""

    status = 404


class ConflictError(GroundswellError):
    """Another process or an earlier action stands in the way (exit code 1, HTTP 409)."""

    status = 409


class UnavailableError(GroundswellError):
    """A part that is needed cannot be reached or written (exit code 1, HTTP 503)."""

    status = 503


class UnreadableFileError(GroundswellError):
    """A file as a whole cannot be read; its rows are not accounted for (exit code 1)."""

    status = 422


class UnknownChoiceError(UsageError):
    """A name that is not among the valid ones, with the nearest and all choices.

    >>> str(UnknownChoiceError("column", "like", ["likes", "views"]))
    'no column `like`. Did you mean `likes`? Valid: likes, views.'
    """

    def __init__(self, kind: str, given: str, choices: Iterable[str]) -> None:
        valid = sorted(choices)
        near = difflib.get_close_matches(given, valid, n=1)
        guess = f"did you mean `{near[0]}`? " if near else ""
        super().__init__(
            f"no {kind} `{given}`",
            hint=f"{guess}Valid: {', '.join(valid) or 'none'}",
            fields={"kind": kind, "given": given, "choices": valid},
        )


class QuerySyntaxError(UsageError):
    """A query that does not parse: the column (from 1) and what was expected there."""

    def __init__(self, query: str, column: int, expected: str) -> None:
        super().__init__(
            f"the query does not parse at column {column}",
            where=query,
            hint=f"expected {expected}",
            fields={"query": query, "column": column, "expected": expected},
        )
        self.query = query
        self.column = column
        self.expected = expected
