"""Instagram posts as CrowdTangle exported them: Account, User Name, Post Created, Likes, Views, URL, Description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.instagram.common import shortcode_in
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, known
from groundswell.platforms.written import ungrouped

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS: Final = (
    *("Account", "User Name", "Followers at Posting", "Post Created", "Created", "Post Created Date"),
    *("Post Created Time", "Type", "Total Interactions", "Likes", "Comments", "Views", "URL", "Link", "Photo"),
    *("Title", "Description", "Image Text", "Sponsor Id", "Sponsor Name"),
)
_KINDS: Final = {"Photo": "image", "Album": "carousel", "Carousel": "carousel", "Video": "video", "IGTV": "video"}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the columns of that export are there."""
    return {"Account", "User Name", "Followers at Posting", "URL"} <= record.keys() and "Facebook Id" not in record


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `metrics` holds the interactions that CrowdTangle summed."""
    kind = raw.Type
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "post_id": ibis.coalesce(shortcode_in(raw.URL), raw.URL.nullif("")),
            "url": raw.URL.nullif(""),
            "author_name": handle(raw["User Name"]),
            "created_at": casts.moment("Post Created", any_of(raw["Post Created"], raw.Created)),
            "text": casts.text(any_of(raw.Description, raw.Title)),
            "kind": ibis.cases(*((kind == name, here) for name, here in _KINDS.items()), (kind == "Reel", "video")),
            "views": casts.integer("Views", ungrouped(raw.Views)),
            "likes": casts.integer("Likes", ungrouped(raw.Likes)),
            "comments": casts.integer("Comments", ungrouped(raw.Comments)),
            "media_urls": known(ibis.array([raw.Photo])),
            "followers": casts.integer("Followers at Posting", ungrouped(raw["Followers at Posting"])),
        },
        metrics=[casts.integer("interactions", ungrouped(raw["Total Interactions"]))],
        extra={
            "author_display_name": raw.Account.nullif(""),
            "image_text": raw["Image Text"].nullif(""),
            "sponsor": raw["Sponsor Name"].nullif(""),
        },
        required=["post_id", "text"],
        reject_unread={"created_at": "Post Created is not a plausible time"},
    )


CROWDTANGLE: Final = Layout(
    platform="instagram",
    name="crowdtangle",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="CrowdTangle export of Instagram posts: Account, User Name, Post Created, Likes, Views, URL",
)
