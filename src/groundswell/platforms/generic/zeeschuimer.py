"""Zeeschuimer's records of platforms without layouts of their own: what `data` says under names that many use.

LinkedIn, Imgur, 9gag, Pinterest, Truth, Gab, RedNote … A text, a time, an author and the usual counters are looked for;
the item's id and the time of collection stand around `data` and are always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, plain, titled
from groundswell.platforms.wrapped import AROUND, seen

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PERSON: Final = (
    "struct<id: string, username: string, acct: string, unique_id: string, name: string, nickname: string, "
    "full_name: string, followers_count: string, verified: string>"
)
#: The columns of each field in `data`, the likeliest first.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "pk", "urn", "rpid", "bvid", "note_id"),
    "title": ("title", "headline", "grid_title", "display_title"),
    "text": ("text", "body", "content", "desc", "description", "message", "caption"),
    "created": (
        *("created_at", "create_time", "createTime", "creationTs", "created_time", "createdAt", "published_at"),
        *("taken_at", "pubdate", "ctime", "timestamp", "time"),
    ),
    "url": ("url", "link", "permalink", "uri"),
    "likes": (
        "like_count",
        "likes",
        "favourites_count",
        "favorite_count",
        "upVoteCount",
        "upvote_count",
        "liked_count",
    ),
    "comments": ("comment_count", "comments_count", "replies_count", "reply_count", "commentsCount"),
    "shares": ("share_count", "shares", "reblogs_count", "repost_count", "repin_count"),
    "views": ("view_count", "views", "play_count"),
}
PEOPLE: Final = ("account", "user", "author", "creator", "pinner")
_DATA: Final = [name for names in NAMES.values() for name in names]
RAW: Final = AROUND | {
    "data": "struct<"
    + ", ".join(f"{name}: string" for name in dict.fromkeys(_DATA))
    + "".join(f", {name}: {_PERSON}" for name in PEOPLE)
    + ">"
}
#: Platforms with layouts of their own, and the key by which those know a record.
_OWN: Final = {
    "tiktok": "createTime",
    "douyin": "create_time",
    "instagram": "taken_at",
    "threads": "taken_at",
    "tiktok-comments": "create_time",
}
#: The first part of a host that says nothing.
_BEFORE: Final = "^(https?://)?(www[.]|m[.])?"


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it is wrapped as Zeeschuimer does it, from wherever."""
    data, source = record.get("data"), record.get("source_platform")
    wrapped = {"data", "timestamp_collected"} <= record.keys() and isinstance(source, str)
    return wrapped and (data is None or isinstance(data, Mapping))


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record whose text or author is found; else it is rejected, with its platform."""
    data = raw.data

    def cell(field: str) -> ir.StringValue:
        # A list or an object under that name is not what it stands for here.
        return any_of(*(ibis.cases((~data[name].re_search("^[\\[{]"), data[name])) for name in NAMES[field]))

    def person(*names: str) -> ir.StringValue:
        return any_of(*(data[who][name] for who in PEOPLE for name in names))

    host = raw.source_platform.lower().strip().re_replace(_BEFORE, "")
    platform = host.re_extract("^([a-z0-9-]+)", 1).nullif("")
    text = titled(cell("title"), plain(cell("text")))
    name = handle(person("username", "acct", "unique_id", "name", "nickname", "full_name"))
    link = cell("url")
    return casts.mapped(
        raw,
        {
            "platform": ibis.coalesce(platform, "unknown"),
            "post_id": any_of(raw.item_id, cell("id")),
            "url": ibis.cases((link.startswith("http"), link)),
            "author_id": person("id"),
            "author_name": name,
            "created_at": casts.moment("created", cell("created")),
            "text": text,
            "likes": casts.integer("likes", cell("likes")),
            "comments": casts.integer("comments", cell("comments")),
            "shares": casts.integer("shares", cell("shares")),
            "views": casts.integer("views", cell("views")),
            "followers": casts.integer("followers", person("followers_count")),
            "verified": casts.boolean("verified", person("verified")),
        }
        | seen(raw),
        extra={"source_url": raw.source_platform_url.nullif("")},
        rejects=[
            (_has_its_own(raw, platform), "of a platform with a layout of its own"),
            (
                text.isnull() & name.isnull(),
                "no text and no author are found in data: " + ibis.coalesce(raw.source_platform, "unknown"),
            ),
        ],
        required=["post_id"],
    )


def _has_its_own(raw: ir.Table, platform: ir.StringValue) -> ir.BooleanValue:
    """Whether another layout reads the record: in a file of many sources this one may be that of most."""
    known = ibis.or_(*((platform == name) & raw.data[key].notnull() for name, key in _OWN.items()))
    return ibis.coalesce(known | platform.isin(("x", "twitter")), False)


ZEESCHUIMER: Final = Layout(
    platform="generic",
    name="zeeschuimer",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Zeeschuimer NDJSON of any other platform: text, time, author and counters under names that many use",
)
