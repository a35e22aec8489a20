"""Comments as the YouTube Data API v3 gives them: `commentThreads.list`, `comments.list`, and the tables of Kaggle.

A thread is its first comment with the number of its replies; the replies that an answer brings along are comments
of their own. `likeCount` of a comment nobody liked is 0, which is a count. A rating is by the answer's moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, other_than, plain
from groundswell.platforms.youtube.common import WATCH

if TYPE_CHECKING:
    import ibis.expr.types as ir

_THREAD: Final = "youtube#commentThread"
_COMMENT: Final = "youtube#comment"
_WITH_REPLIES: Final = "a thread with its replies"

_SNIPPET: Final = (
    "struct<authorDisplayName: string, authorChannelUrl: string, authorChannelId: struct<value: string>, "
    "channelId: string, videoId: string, textDisplay: string, textOriginal: string, parentId: string, "
    "likeCount: string, publishedAt: string, updatedAt: string>"
)
COMMENT_RAW: Final = {"kind": "string", "id": "string", "snippet": _SNIPPET}
THREAD_RAW: Final = {
    "kind": "string",
    "id": "string",
    "snippet": (
        f"struct<videoId: string, channelId: string, totalReplyCount: string, "
        f"topLevelComment: struct<id: string, snippet: {_SNIPPET}>>"
    ),
    "replies": "struct<comments: array<struct<id: string>>>",
}
ROW_COLUMNS: Final = ("video_id", "comment_text", "likes", "replies")


def is_thread(record: Mapping[str, Any]) -> bool:
    """Whether the record is a thread of comments."""
    if record.get("kind") == _THREAD:
        return True
    snippet = record.get("snippet")
    return "kind" not in record and isinstance(snippet, Mapping) and "topLevelComment" in snippet


def is_comment(record: Mapping[str, Any]) -> bool:
    """Whether the record is one comment."""
    if record.get("kind") == _COMMENT:
        return True
    snippet = record.get("snippet")
    return "kind" not in record and isinstance(snippet, Mapping) and {"textDisplay", "likeCount"} <= snippet.keys()


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A thread without its replies, and its replies with the video's id."""
    replies = record.get("replies")
    if not is_thread(record) or not isinstance(replies, Mapping):
        return None
    thread = {key: value for key, value in record.items() if key != "replies"}
    found = replies.get("comments")
    snippet = record.get("snippet")
    video = snippet.get("videoId") if isinstance(snippet, Mapping) else None
    return [thread, *(_reply(comment, video) for comment in (found if isinstance(found, list) else ()))]


def _reply(comment: Any, video: Any) -> dict[str, Any]:
    if not isinstance(comment, Mapping):
        return {"kind": _COMMENT, "unread": comment}
    snippet = comment.get("snippet")
    if video is None or not isinstance(snippet, Mapping) or snippet.get("videoId"):
        return dict(comment)
    return {**comment, "snippet": {**snippet, "videoId": video}}


def _columns(snippet: ir.StructValue, comment_id: ir.StringValue, post_id: ir.StringValue) -> dict[str, Any]:
    written = any_of(snippet.textOriginal, plain(snippet.textDisplay))
    return {
        "platform": ibis.literal("youtube"),
        "comment_id": comment_id,
        "post_id": post_id,
        "parent_id": snippet.parentId.nullif(""),
        "url": WATCH + post_id + "&lc=" + comment_id,
        "author_id": any_of(
            snippet.authorChannelId.value, snippet.authorChannelUrl.re_extract("channel/([A-Za-z0-9_-]+)", 1)
        ),
        "author_name": handle(snippet.authorDisplayName),
        "created_at": casts.moment("publishedAt", snippet.publishedAt),
        "text": written,
        "likes": casts.integer("likeCount", snippet.likeCount),
    }


def _edited(snippet: ir.StructValue) -> ir.StringValue:
    return ibis.cases((snippet.updatedAt != snippet.publishedAt, snippet.updatedAt))


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record; an id of a reply begins with that of the comment that it answers."""
    snippet = raw.snippet
    comment_id = raw.id.nullif("")
    columns = _columns(snippet, comment_id, snippet.videoId.nullif(""))
    above = ibis.cases((comment_id.contains("."), comment_id.re_replace("[.].*$", "")))
    columns["parent_id"] = any_of(snippet.parentId, above)
    return casts.mapped(
        raw,
        columns,
        extra={"edited_at": _edited(snippet)},
        rejects=[(other_than(raw.kind, _COMMENT), "a resource that is no comment")],
        required=["comment_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


def threads(raw: ir.Table) -> ir.Table:
    """The first comment of each thread, with the number of replies; threads that carry replies are taken apart."""
    first = raw.snippet.topLevelComment
    comment_id = any_of(first.id, raw.id)
    columns = _columns(first.snippet, comment_id, any_of(raw.snippet.videoId, first.snippet.videoId))
    columns["replies"] = casts.integer("totalReplyCount", raw.snippet.totalReplyCount)
    return casts.mapped(
        raw,
        columns,
        extra={"edited_at": _edited(first.snippet)},
        rejects=[
            (other_than(raw.kind, _THREAD), "a resource that is no thread of comments"),
            ((raw.replies.comments.length() > 0).fill_null(False), _WITH_REPLIES),
        ],
        required=["comment_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


def is_row(record: Mapping[str, Any]) -> bool:
    """Whether the record has the columns of the tables of comments."""
    return {"video_id", "comment_text"} <= record.keys()


def rows(raw: ir.Table) -> ir.Table:
    """One comment for each row of a table without ids and times."""
    post_id = raw.video_id.strip().nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": post_id,
            "url": WATCH + post_id,
            "text": casts.text(raw.comment_text),
            "likes": casts.integer("likes", raw.likes),
            "replies": casts.integer("replies", raw.replies),
        },
        required=["text"],
    )


THREADS: Final = Layout(
    platform="youtube",
    name="comment_threads",
    version=1,
    shape=Shape.OBJECT,
    raw=THREAD_RAW,
    matches=is_thread,
    posts=threads,
    description="YouTube Data API v3: threads of comments (commentThreads.list) with the replies that they carry",
    unwraps=(("items",),),
    table="comments",
    expand=expand,
)

COMMENTS: Final = Layout(
    platform="youtube",
    name="comments_list",
    version=1,
    shape=Shape.OBJECT,
    raw=COMMENT_RAW,
    matches=is_comment,
    posts=comments,
    description="YouTube Data API v3: comments (comments.list, and replies in threads)",
    unwraps=(("items",),),
    table="comments",
)

COMMENT_ROWS: Final = Layout(
    platform="youtube",
    name="comments_csv",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(ROW_COLUMNS, "string"),
    matches=is_row,
    posts=rows,
    description="table of comments with video_id and comment_text, likes and replies",
    table="comments",
)
