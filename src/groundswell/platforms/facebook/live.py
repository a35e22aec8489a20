"""Facebook posts as tables of the page-post scrapers: `status_id`, `num_reactions`, reactions by kind.

The set of Facebook Live sellers has these columns without text; the scraper's own tables have `status_message` and
`link_name` too. `num_likes` is one of the reactions; all reactions and the other kinds are in `metrics`. Columns
that a spreadsheet left empty (`Column1`) are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import known, titled
from groundswell.platforms.written import ungrouped

if TYPE_CHECKING:
    import ibis.expr.types as ir

REACTIONS: Final = {
    "num_reactions": "reactions",
    "num_loves": "love",
    "num_wows": "wow",
    "num_hahas": "haha",
    "num_sads": "sad",
    "num_angrys": "angry",
    "num_cares": "care",
    "num_special": "special",
}
COLUMNS: Final = (
    *("status_id", "status_message", "status_author", "link_name", "status_type", "status_link", "permalink_url"),
    *("status_published", "num_comments", "num_shares", "num_likes", *REACTIONS),
)
_KINDS: Final = {
    **dict.fromkeys(("video", "live", "native_video", "live_video_complete", "live_video_scheduled"), "video"),
    **dict.fromkeys(("photo", "cover_photo", "profile_media"), "image"),
    **dict.fromkeys(("link", "share", "shared_story", "event", "offer", "note"), "link"),
    **dict.fromkeys(("status", "mobile_status_update"), "text"),
    **dict.fromkeys(("album", "added_photos"), "carousel"),
}


def kind_of(written: ir.StringValue) -> ir.StringValue:
    """The kind of a post by Facebook's own names of types; null where it is none of them."""
    name = written.strip().lower().replace(" ", "_")
    return ibis.cases(*((name == theirs, here) for theirs, here in _KINDS.items()), (name == "youtube", "video"))


def matches(record: Mapping[str, Any]) -> bool:
    """Whether `status_id` stands beside the time or the reactions."""
    return "status_id" in record and bool({"status_published", "num_reactions"} & record.keys())


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; the page is the first half of its id."""
    status = raw.status_id.strip().nullif("")
    page = status.re_extract("^([0-9]+)_[0-9]+$", 1).nullif("")
    link = raw.status_link.nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("facebook"),
            "post_id": status,
            "url": ibis.coalesce(raw.permalink_url.nullif(""), "https://www.facebook.com/" + status),
            "author_id": page,
            "author_name": raw.status_author.nullif(""),
            "created_at": casts.moment("status_published", raw.status_published),
            "text": titled(casts.text(raw.status_message), casts.text(raw.link_name)),
            "urls": known(ibis.array([link])),
            "kind": kind_of(raw.status_type),
            "likes": casts.integer("num_likes", ungrouped(raw.num_likes)),
            "comments": casts.integer("num_comments", ungrouped(raw.num_comments)),
            "shares": casts.integer("num_shares", ungrouped(raw.num_shares)),
        },
        metrics=[casts.integer(name, ungrouped(raw[column])) for column, name in REACTIONS.items()],
        required=["post_id"],
        reject_unread={"created_at": "status_published is not a plausible time"},
    )


LIVE: Final = Layout(
    platform="facebook",
    name="live",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="table of Facebook posts with status_id, status_published and reactions by kind (num_loves …)",
)
