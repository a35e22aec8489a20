"""Documents about queries: what an editor shows while one is typed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groundswell.query.check import Code, Kind
from groundswell.web.base_models import Document


class QueryToCheck(Document):
    """A query as it stands in an editor."""

    query: Annotated[str, Field(max_length=8000, examples=["nike (boycott OR scandal) likes:>100"])]
    for_tracker: Annotated[bool, Field(description="It will watch a stream of new posts.")] = False


class QueryWarning(Document):
    """Something that is allowed and probably not meant, and where it stands (characters, the first is 1)."""

    code: Code
    column: int
    length: int
    text: str


class QueryTerm(Document):
    """One part of a query as it is searched; `excluded` where it must not match."""

    kind: Kind
    text: str
    column: int
    length: int
    excluded: bool


class CheckedQuery(Document):
    """A query that parses (`canonical`), or where it does not (`column`) and what was `expected` there.

    Columns count characters (code points) from 1; that of an error may be one behind the end.
    """

    ok: bool
    canonical: str | None
    column: int | None
    expected: str | None
    message: str | None
    warnings: list[QueryWarning]
    terms: list[QueryTerm]


class QueryFilter(Document):
    """A filter that a query can have, for completion: its name and what may follow it."""

    name: str
    kind: Literal["text", "count", "choice"]
    choices: list[str]
    means: str


class QueryFilters(Document):
    """All filters, in the order in which they are offered."""

    items: list[QueryFilter]


_WARNING = {
    "code": "grows",
    "column": 27,
    "length": 10,
    "text": "a new post has next to no likes yet, so in a live stream `likes:>100` takes hardly any post; "
    "`followers:` is known from the start",
}
QUERY_EXAMPLES = {
    "QueryToCheck": {"query": "nike (boycott OR scandal) likes:>100", "for_tracker": True},
    "CheckedQuery": {
        "ok": True,
        "canonical": "nike (boycott OR scandal) likes:>100",
        "column": None,
        "expected": None,
        "message": None,
        "warnings": [_WARNING],
        "terms": [
            {"kind": "word", "text": "nike", "column": 1, "length": 4, "excluded": False},
            {"kind": "word", "text": "boycott", "column": 7, "length": 7, "excluded": False},
            {"kind": "word", "text": "scandal", "column": 18, "length": 7, "excluded": False},
            {"kind": "filter", "text": "likes:>100", "column": 27, "length": 10, "excluded": False},
        ],
    },
    "QueryFilters": {
        "items": [
            {"name": "kind", "kind": "choice", "choices": ["video", "image"], "means": "what kind of post it is"},
            {"name": "followers", "kind": "count", "choices": [], "means": "how many followers the author has"},
        ]
    },
}
