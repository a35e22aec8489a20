"""What Reddit's layouts share: listings taken apart, scores, ids without their kind, what was removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://www.reddit.com"
NO_TIME: Final = "created_utc is not a plausible time"
_GONE: Final = ("[deleted]", "[removed]", "[ Removed by Reddit ]", "[deleted by user]")
_SCORE: Final = "^[ ]*-?[0-9]{1,18}([.]0*)?[ ]*$"

#: Things of the API that are neither posts nor comments.
_KINDS: Final = {
    "t2": "an account, not a post",
    "t4": "a message, not a post",
    "t5": "a community, not a post",
    "t6": "an award, not a post",
    "more": "a stub of further comments",
}


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The things in a listing, and in the listings of replies within, each with its kind; null for a plain thing."""
    if not _is_thing(record) and not _is_listing(record.get("replies")):
        return None
    found: list[dict[str, Any]] = []
    waiting: list[Any] = [record]
    while waiting:
        thing = waiting.pop()
        if not isinstance(thing, Mapping):
            found.append({"unread": thing})
        elif _is_listing(thing):
            children = thing["data"].get("children")
            waiting.extend(reversed(children if isinstance(children, list) else []))
        else:
            inner = {"kind": thing["kind"], **thing["data"]} if _is_thing(thing) else dict(thing)
            replies = inner.pop("replies", None)
            found.append(inner)
            if _is_listing(replies):
                waiting.append(replies)
    return found


def ignores(record: Mapping[str, Any]) -> str | None:
    """What the record is if it is neither a post nor a comment."""
    kind = record.get("kind")
    return _KINDS.get(kind) if isinstance(kind, str) else None


def _is_thing(record: Mapping[str, Any]) -> bool:
    kind = record.get("kind")
    return isinstance(kind, str) and (kind in _KINDS or kind in ("t1", "t3", "Listing")) and _has_data(record)


def _is_listing(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("kind") == "Listing" and _has_data(value)


def _has_data(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("data"), Mapping)


def there(text: ir.StringValue) -> ir.StringValue:
    """The text, unless it is blank or only says that it was deleted or removed."""
    return ibis.cases((~text.strip().isin(_GONE), casts.text(text)))


def score(raw: ir.StringValue, hidden: ir.StringValue) -> casts.Cell:
    """Votes for less votes against, which may be negative; null while Reddit hides it."""
    shown = ibis.cases((hidden.lower() == "true", ibis.null("string")), else_=raw)
    whole = shown.strip().re_replace("[.]0*$", "").try_cast("int64")
    return casts.Cell("score", shown, ibis.cases((shown.re_search(_SCORE), whole)))


def likes(votes: casts.Cell) -> casts.Cell:
    """The score where it is a count; a negative one is no number of likes."""
    return casts.integer("score", ibis.cases((~votes.raw.strip().startswith("-"), votes.raw)))


def bare_id(full: ir.StringValue) -> ir.StringValue:
    """An id without its kind: `s9i9bw` of `t3_s9i9bw`."""
    return full.strip().re_replace("^t[0-9]_", "").nullif("")


def shown_in(address: ir.StringValue) -> ir.StringValue:
    """The community in a post's address: `nba` of `/r/nba/comments/abc123/`."""
    return address.re_extract("/r/([A-Za-z0-9_]+)/comments/", 1).nullif("")


def page(permalink: ir.StringValue) -> ir.StringValue:
    """The address that a permalink is the path of."""
    return ibis.cases((permalink.startswith("/"), SITE + permalink), (permalink.startswith("http"), permalink))
