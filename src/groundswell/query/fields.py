"""The filters of the query language as data, for completion and the documentation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from groundswell.query.ast import COUNT_FIELDS, HAS, IS
from groundswell.schema import KINDS


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: the name before its colon, what may follow, and what it means."""

    name: str
    kind: Literal["text", "count", "choice"]
    choices: tuple[str, ...]
    means: str


_MEANS: Final = {
    "platform": "where it was posted",
    "lang": "in this language (en takes en-GB)",
    "author": "written by this handle",
    "kind": "what kind of post it is",
    "region": "country or region as the platform states it",
    "domain": "links to this site or a part of it",
    "url": "has a link with this in it",
    "has": "something that the post has",
    "is": "something that the post or its author is",
    "followers": "how many followers the author has",
    "views": "how many views it has, as last seen",
    "likes": "how many likes it has, as last seen",
    "comments": "how many comments it has, as last seen",
    "shares": "how many shares it has, as last seen",
    "saves": "how many times it was saved, as last seen",
}


def filters(*, platforms: Collection[str] = ()) -> list[Filter]:
    """Every filter, in the order in which an editor offers them."""
    choices = {"platform": tuple(sorted(platforms)), "kind": KINDS, "has": tuple(HAS), "is": tuple(IS)}
    return [
        Filter(
            name,
            "count" if name in COUNT_FIELDS else "choice" if choices.get(name) else "text",
            choices.get(name, ()),
            means,
        )
        for name, means in _MEANS.items()
    ]
