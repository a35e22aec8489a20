"""Posts of Reddit: the API's listings, Pushshift's submissions, and tables with the same names.

`likes` is the score where it is not negative; `metrics.score` has it in either case. Title and text come with their
signs escaped (`&amp;`), which is undone; a text that only says `[removed]` is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import alone, any_of, resolved, titled
from groundswell.platforms.reddit.common import (
    NO_TIME,
    SITE,
    bare_id,
    expand,
    ignores,
    likes,
    page,
    score,
    shown_in,
    there,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS: Final = (
    *(
        "id",
        "post_id",
        "name",
        "title",
        "selftext",
        "body",
        "author",
        "author_fullname",
        "created_utc",
        "created",
        "timestamp",
    ),
    *("score", "hide_score", "num_comments", "comms_num", "num_crossposts", "total_awards_received", "upvote_ratio"),
    *("permalink", "full_link", "url", "url_overridden_by_dest", "domain", "subreddit", "is_self", "is_video"),
    *("is_gallery", "post_hint", "link_flair_text", "over_18", "removed_by_category", "removed_by", "retrieved_on"),
    *("retrieved_utc", "utc_datetime_str", "author_flair_text", "subreddit.name", "type"),
)
_OWN: Final = frozenset(
    (
        *("subreddit", "comms_num", "subreddit_id", "link_flair_text", "num_crossposts", "selftext"),
        *("author_flair_text", "subreddit.name"),
    )
)
_PLACE: Final = "/comments/([0-9a-z]+)"
_IMAGE: Final = "(?i)(//i[.]redd[.]it/|//i[.]imgur[.]com/|[.](jpe?g|png|gif|webp)([?].*)?$)"
_VIDEO: Final = "(?i)(//v[.]redd[.]it/|//(www[.])?youtube[.]com/|//youtu[.]be/)"


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has a title, an id, and what only posts of Reddit have."""
    keys = record.keys()
    if record.get("kind") not in (None, "t3") or isinstance(record.get("data"), Mapping):
        return False
    return "title" in keys and bool({"id", "post_id", "name", "permalink", "full_link"} & keys) and bool(_OWN & keys)


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record; `metrics` holds `score`, `crossposts` and `awards`."""
    votes = score(raw.score, raw.hide_score)
    shown = any_of(raw.permalink, raw.full_link, raw.url).re_extract(_PLACE, 1)
    post_id = bare_id(any_of(raw.id, raw.post_id, raw["name"], shown))
    body = there(any_of(raw.selftext, raw.body))
    target = any_of(raw.url_overridden_by_dest, raw.url)
    own_page = target.re_search("(?i)//([a-z]+[.])?reddit[.]com/r/[^/]+/comments/")
    outside = ibis.cases((target.startswith("http") & ~own_page, target))
    is_image = (raw.post_hint == "image").fill_null(False) | outside.re_search(_IMAGE).fill_null(False)
    is_video = (raw.is_video.lower() == "true").fill_null(False) | outside.re_search(_VIDEO).fill_null(False)
    written = any_of(raw.created_utc, raw.created, raw.utc_datetime_str, raw.timestamp)
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("reddit"),
            "post_id": post_id,
            "url": any_of(
                page(raw.permalink), raw.full_link, ibis.cases((own_page, target)), SITE + "/comments/" + post_id
            ),
            "author_id": bare_id(raw.author_fullname),
            "author_name": there(raw.author),
            "created_at": casts.moment("created_utc", written),
            "observed_at": casts.moment("retrieved_on", any_of(raw.retrieved_on, raw.retrieved_utc)),
            "text": titled(resolved(there(raw.title)), resolved(body)),
            "kind": ibis.cases(
                ((raw.is_gallery.lower() == "true").fill_null(False), "carousel"),
                (is_video, "video"),
                (is_image, "image"),
                (outside.notnull(), "link"),
                else_="text",
            ),
            "likes": likes(votes),
            "comments": casts.integer("num_comments", any_of(raw.num_comments, raw.comms_num)),
            "media_urls": ibis.cases((is_image, alone(outside))),
        },
        metrics=[
            votes,
            casts.integer("crossposts", raw.num_crossposts),
            casts.integer("awards", raw.total_awards_received),
        ],
        extra={
            "subreddit": any_of(raw.subreddit, raw["subreddit.name"], shown_in(any_of(raw.permalink, raw.full_link))),
            "flair": raw.link_flair_text.nullif(""),
            "link": outside,
            "upvote_ratio": raw.upvote_ratio.nullif(""),
            "over_18": ibis.cases((raw.over_18.lower() == "true", "true")),
            "removed_by": any_of(raw.removed_by_category, raw.removed_by),
        },
        rejects=[((raw.title.isnull() | (raw["type"] == "comment").fill_null(False)), "no title")],
        required=["post_id"],
        reject_unread={"created_at": NO_TIME},
    )


POSTS: Final = Layout(
    platform="reddit",
    name="posts",
    version=2,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="posts of Reddit: API listings (t3), Pushshift submissions, tables with comms_num or subreddit",
    ignores=ignores,
    expand=expand,
)
