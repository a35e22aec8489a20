"""What yt-dlp writes beside a video (`--write-info-json`, `--dump-json`), of YouTube or any other site that it knows.

`epoch` is when it looked. A playlist's document holds its videos under `entries`; comments that were fetched with a
video (`comments`) go to the table of comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import alone, any_of, handle, known, missing, titled
from groundswell.platforms.udfs import times_reader
from groundswell.platforms.youtube.common import WATCH

if TYPE_CHECKING:
    import ibis.expr.types as ir

_DAY: Final = "^([0-9]{4})([0-9]{2})([0-9]{2})$"
_WITH_COMMENTS: Final = "a video with its comments"
#: Sites whose extractors have names of their own.
_SITES: Final = (("^youtube", "youtube"), ("^tiktok", "tiktok"), ("^twitter", "x"), ("^x$", "x"))

RAW: Final = {
    **dict.fromkeys(("id", "title", "fulltitle", "description", "webpage_url", "original_url"), "string"),
    **dict.fromkeys(("uploader", "uploader_id", "channel", "channel_id", "channel_follower_count"), "string"),
    **dict.fromkeys(("channel_is_verified", "upload_date", "timestamp", "release_timestamp", "epoch"), "string"),
    **dict.fromkeys(("view_count", "like_count", "dislike_count", "comment_count", "repost_count"), "string"),
    **dict.fromkeys(("duration", "language", "location", "thumbnail", "extractor_key", "live_status"), "string"),
    **dict.fromkeys(("track", "artist", "save_count"), "string"),
    **dict.fromkeys(("tags", "categories"), "array<string>"),
    "comments": "array<struct<id: string>>",
}
COMMENT_RAW: Final = {
    "video_id": "string",
    "video_url": "string",
    "extractor_key": "string",
    "epoch": "string",
    "yt_dlp_comment": (
        "struct<id: string, parent: string, text: string, like_count: string, author_id: string, author: string, "
        "author_is_uploader: string, is_favorited: string, timestamp: string>"
    ),
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has an address, a title and what only yt-dlp writes."""
    keys = record.keys()
    return (
        "id" in keys
        and bool({"webpage_url", "original_url"} & keys)
        and bool({"extractor_key", "extractor", "upload_date"} & keys)
        and record.get("_type", "video") == "video"
    )


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A video without its comments, and each of them with the video's id."""
    found = record.get("comments")
    if not isinstance(found, list) or not found or not matches(record):
        return None
    video = {key: value for key, value in record.items() if key != "comments"}
    about = {"video_id": record.get("id"), "video_url": record.get("webpage_url")}
    about |= {key: record.get(key) for key in ("extractor_key", "epoch")}
    return [video, *({**about, "yt_dlp_comment": comment} for comment in found)]


def posts(raw: ir.Table) -> ir.Table:
    """One post for each video; `metrics` holds `dislikes`, `extra` tags and categories."""
    post_id = raw.id.nullif("")
    platform = _platform(raw.extractor_key)
    written = any_of(raw.timestamp, raw.release_timestamp, raw.upload_date)
    return casts.mapped(
        raw,
        {
            "platform": platform,
            "post_id": post_id,
            "url": any_of(raw.webpage_url, raw.original_url, ibis.cases((platform == "youtube", WATCH + post_id))),
            "author_id": any_of(raw.channel_id, ibis.cases((platform != "youtube", raw.uploader_id))),
            "author_name": handle(
                ibis.cases((platform == "youtube", any_of(raw.uploader_id, raw.uploader)), else_=raw.uploader)
            ),
            "created_at": casts.Cell("timestamp", written, _moment(written)),
            "observed_at": casts.epoch("epoch", raw.epoch),
            "text": titled(any_of(raw.fulltitle, raw.title), raw.description),
            "lang": raw.language.nullif(""),
            "kind": ibis.literal("video"),
            "duration_s": casts.number("duration", raw.duration),
            "views": casts.integer("view_count", raw.view_count),
            "likes": casts.integer("like_count", raw.like_count),
            "comments": casts.integer("comment_count", raw.comment_count),
            "shares": casts.integer("repost_count", raw.repost_count),
            "saves": casts.integer("save_count", raw.save_count),
            "music_title": raw.track.nullif(""),
            "music_author": raw.artist.nullif(""),
            "location": raw.location.nullif(""),
            "media_urls": alone(raw.thumbnail),
            "followers": casts.integer("channel_follower_count", raw.channel_follower_count),
            "verified": casts.boolean("channel_is_verified", raw.channel_is_verified),
        },
        metrics=[casts.integer("dislikes", raw.dislike_count)],
        extra={
            "channel": raw.channel.nullif(""),
            "tags": known(raw.tags),
            "categories": known(raw.categories),
            "live": raw.live_status.nullif("not_live").nullif(""),
        },
        rejects=[
            (missing(raw.webpage_url, raw.original_url), "no address of a video"),
            ((raw.comments.length() > 0).fill_null(False), _WITH_COMMENTS),
        ],
        required=["post_id"],
        reject_unread={"created_at": "the time of upload is not a plausible time"},
    )


def is_comment(record: Mapping[str, Any]) -> bool:
    """Whether the record is a comment that `expand` took out of a video."""
    return "yt_dlp_comment" in record


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record."""
    said = raw.yt_dlp_comment
    return casts.mapped(
        raw,
        {
            "platform": _platform(raw.extractor_key),
            "comment_id": said.id.nullif(""),
            "post_id": raw.video_id.nullif(""),
            "parent_id": said.parent.nullif("root").nullif(""),
            "url": raw.video_url + "&lc=" + said.id,
            "author_id": said.author_id.nullif(""),
            "author_name": handle(said.author),
            "created_at": casts.epoch("timestamp", said.timestamp),
            "observed_at": casts.epoch("epoch", raw.epoch),
            "text": said.text.nullif(""),
            "likes": casts.integer("like_count", said.like_count),
        },
        required=["comment_id"],
    )


def _platform(extractor: ir.StringValue) -> ir.StringValue:
    name = extractor.lower()
    return ibis.cases(
        *((name.re_search(pattern), platform) for pattern, platform in _SITES),
        (name.notnull(), name),
        else_="youtube",
    )


def _moment(written: ir.StringValue) -> ir.IntegerValue:
    day = written.re_extract(_DAY, 1) + "-" + written.re_extract(_DAY, 2) + "-" + written.re_extract(_DAY, 3)
    return times_reader("UTC")(ibis.cases((written.re_search(_DAY), day), else_=written))


INFO: Final = Layout(
    platform="youtube",
    name="yt_dlp",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="info JSON of yt-dlp (also of sites other than YouTube, which are then the post's platform)",
    unwraps=(("entries",),),
    expand=expand,
)

INFO_COMMENTS: Final = Layout(
    platform="youtube",
    name="yt_dlp_comments",
    version=1,
    shape=Shape.OBJECT,
    raw=COMMENT_RAW,
    matches=is_comment,
    posts=comments,
    description="comments that yt-dlp fetched with a video, taken out of its info JSON",
    table="comments",
)
