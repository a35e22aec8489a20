"""Zeeschuimer's records of platforms without layouts of their own: what `data` says under names that many use.

Imgur, 9gag, Pinterest, Truth, Gab … A text, a time, an author and the usual counters are looked for; the item's id and
the time of collection stand around `data` and are always there. LinkedIn and RedNote say the same one object deeper. A
post of LinkedIn has no time (only "2 days ago"), but the first 41 bits of its id are the milliseconds at which it was
made.
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
_TEXT: Final = "struct<text: string>"
#: LinkedIn's texts and counters, as its feed nests them.
_LINKEDIN: Final = {
    "commentary": "struct<text: struct<text: string>>",
    "actor": f"struct<name: {_TEXT}, navigationContext: struct<actionTarget: string>>",
    "socialDetail": (
        "struct<totalSocialActivityCounts: struct<numLikes: string, numComments: string, numShares: string>>"
    ),
}
_COUNTS: Final = (
    "struct<liked_count: string, comment_count: string, shared_count: string, share_count: string, "
    "collected_count: string>"
)
#: A note of RedNote, as its API has it (`note_card`) and as its pages do (`noteCard`).
_NOTE: Final = (
    "struct<title: string, display_title: string, desc: string, type: string, time: string, "
    f"user: struct<user_id: string, nickname: string, nick_name: string>, interact_info: {_COUNTS}>"
)
_NOTE_OF_PAGES: Final = (
    "struct<title: string, displayTitle: string, desc: string, type: string, time: string, "
    "user: struct<userId: string, nickname: string>, "
    "interactInfo: struct<likedCount: string, commentCount: string, sharedCount: string, collectedCount: string>>"
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
    + "".join(f", {name}: {kind}" for name, kind in _LINKEDIN.items())
    + f", note_card: {_NOTE}, noteCard: {_NOTE_OF_PAGES}>"
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
    counts, note, page = data.socialDetail.totalSocialActivityCounts, data.note_card, data.noteCard
    found, shown = note.interact_info, page.interactInfo
    text = titled(
        any_of(cell("title"), note["title"], note.display_title, page["title"], page.displayTitle),
        any_of(plain(cell("text")), data.commentary.text.text, note["desc"], page["desc"]),
    )
    # A profile's address has the handle that its other posts are known by.
    profile = data.actor.navigationContext.actionTarget.re_extract("linkedin[.]com/(in|company|school)/([^/?#]+)", 2)
    name = handle(
        any_of(
            person("username", "acct", "unique_id", "name", "nickname", "full_name"),
            *(profile, data.actor["name"]["text"]),
            *(note.user.nickname, note.user.nick_name, page.user.nickname),
        )
    )
    link = cell("url")
    numbered = raw.item_id.re_extract("urn:li:(activity|ugcPost|share):([0-9]{19})", 2).try_cast("int64")
    made = (numbered >> 22).cast("string")
    return casts.mapped(
        raw,
        {
            "platform": ibis.coalesce(platform, "unknown"),
            "post_id": any_of(raw.item_id, cell("id")),
            "url": ibis.cases(
                (link.startswith("http"), link),
                (numbered.notnull(), "https://www.linkedin.com/feed/update/" + raw.item_id + "/"),
            ),
            "author_id": any_of(person("id"), note.user.user_id, page.user.userId),
            "author_name": name,
            "created_at": casts.moment("created", any_of(cell("created"), made, note["time"], page["time"])),
            "text": text,
            "likes": casts.integer(
                "likes", any_of(cell("likes"), counts.numLikes, found.liked_count, shown.likedCount)
            ),
            "comments": casts.integer(
                "comments", any_of(cell("comments"), counts.numComments, found.comment_count, shown.commentCount)
            ),
            "shares": casts.integer(
                "shares",
                any_of(cell("shares"), counts.numShares, found.shared_count, found.share_count, shown.sharedCount),
            ),
            "saves": casts.integer("saves", any_of(found.collected_count, shown.collectedCount)),
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
    version=2,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Zeeschuimer NDJSON of any other platform: text, time, author and counters under names that many use",
)
