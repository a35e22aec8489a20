"""Instagram posts as a table of fourteen columns, among them `owner_id`, `shortcode`, `caption` and `imageUrl`.

`username`, `followers` and `following` are those of the profile that was read. Ids that a spreadsheet has rounded
(`1.2E+10`) are unread, not guessed. `location` may be the text of a Python dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.instagram.common import link_of, shown_count
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle
from groundswell.platforms.written import links, named, whole_id

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS: Final = (
    "owner_id",
    "owner_username",
    "shortcode",
    "is_video",
    "caption",
    "comments",
    "likes",
    "created_at",
    "location",
    "imageUrl",
    "multiple_images",
    "username",
    "followers",
    "following",
)
_YES: Final = "^(true|1|1[.]0|yes|t)$"


def matches(record: Mapping[str, Any]) -> bool:
    """Whether a shortcode stands beside two of the columns that only this table has."""
    own = {"owner_id", "owner_username", "imageUrl", "multiple_images", "is_video"} & record.keys()
    return "shortcode" in record and len(own) > 1 and "taken_at_timestamp" not in record


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row."""
    shortcode = raw.shortcode.strip().nullif("")
    video = ibis.coalesce(raw.is_video.strip().lower().re_search(_YES), False)
    several = ibis.coalesce(raw.multiple_images.strip().lower().re_search(_YES), False)
    unknown = any_of(raw.is_video, raw.multiple_images, raw.imageUrl).isnull()
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "post_id": shortcode,
            "url": link_of(shortcode),
            "author_id": whole_id("owner_id", raw.owner_id),
            "author_name": handle(any_of(raw.owner_username, raw.username)),
            "created_at": casts.moment("created_at", raw.created_at),
            "text": casts.text(raw.caption),
            "kind": ibis.cases((several, "carousel"), (video, "video"), (unknown, None), else_="image"),
            "likes": casts.integer("likes", shown_count(raw.likes)),
            "comments": casts.integer("comments", shown_count(raw.comments)),
            "location": named(raw.location, "name"),
            "media_urls": links(raw.imageUrl),
            "followers": casts.integer("followers", raw.followers),
            "following": casts.integer("following", raw.following),
        },
        required=["post_id", "text"],
        reject_unread={"created_at": "created_at is not a plausible time"},
    )


POST_TABLE: Final = Layout(
    platform="instagram",
    name="post_table",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="table of Instagram posts with owner_id, shortcode, is_video, caption, imageUrl, multiple_images",
)
