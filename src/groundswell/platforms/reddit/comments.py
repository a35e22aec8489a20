"""Comments of Reddit: the API's listings, also one within the other, Pushshift's comments, and tables of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, resolved
from groundswell.platforms.reddit.common import NO_TIME, SITE, bare_id, expand, likes, page, score, there

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS: Final = (
    *(
        "id",
        "comment_id",
        "name",
        "body",
        "author",
        "author_fullname",
        "created_utc",
        "created",
        "score",
        "score_hidden",
    ),
    *(
        "link_id",
        "post_id",
        "submission_id",
        "parent_id",
        "permalink",
        "subreddit",
        "controversiality",
        "distinguished",
        "edited",
        "replies",
    ),
    *("retrieved_on", "retrieved_utc", "total_awards_received", "is_submitter", "title", "subreddit.name"),
)


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has a body and the post that it is under, or its community, and no title."""
    keys = record.keys()
    if record.get("kind") not in (None, "t1") or isinstance(record.get("data"), Mapping) or "title" in keys:
        return False
    community = bool({"subreddit", "subreddit.name"} & keys)
    return "body" in keys and ("link_id" in keys or (community and "created_utc" in keys))


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record; a comment that holds its replies is taken apart before."""
    votes = score(raw.score, raw.score_hidden)
    comment_id = bare_id(any_of(raw.comment_id, raw.id, raw["name"]))
    under = raw.permalink.re_extract("/comments/([0-9a-z]+)/", 1)
    post_id = bare_id(any_of(raw.link_id, raw.post_id, raw.submission_id, under))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("reddit"),
            "comment_id": comment_id,
            "post_id": post_id,
            "parent_id": bare_id(ibis.cases((raw.parent_id.startswith("t1_"), raw.parent_id))),
            "url": any_of(page(raw.permalink), SITE + "/comments/" + post_id + "/_/" + comment_id),
            "author_id": bare_id(raw.author_fullname),
            "author_name": there(raw.author),
            "created_at": casts.moment("created_utc", any_of(raw.created_utc, raw.created)),
            "observed_at": casts.moment("retrieved_on", any_of(raw.retrieved_on, raw.retrieved_utc)),
            "text": resolved(there(raw.body)),
            "likes": likes(votes),
        },
        metrics=[
            votes,
            casts.integer("controversiality", raw.controversiality),
            casts.integer("awards", raw.total_awards_received),
        ],
        extra={
            "subreddit": any_of(raw.subreddit, raw["subreddit.name"]),
            "distinguished": raw.distinguished.nullif(""),
            "edited_at": raw.edited.nullif("false").nullif("False").nullif(""),
        },
        rejects=[
            (raw.body.isnull() | raw.title.notnull(), "no body of a comment"),
            (raw.replies.startswith("{").fill_null(False), "a comment with its replies"),
        ],
        required=["comment_id", "text"],
        reject_unread={"created_at": NO_TIME},
    )


COMMENTS: Final = Layout(
    platform="reddit",
    name="comments",
    version=2,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=comments,
    description="comments of Reddit: API listings (t1) with their replies, Pushshift comments, tables of them",
    table="comments",
    expand=expand,
)
