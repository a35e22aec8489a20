"""The claims table of TikTok videos: transcripts with counters, without authors and dates.

The rows whose last columns are empty are posts with missing fields. `video_id` is kept although the set
repeats none; there is no address, because the numbers are not those of tiktok.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS: Final = (
    "claim_status",
    "video_id",
    "video_duration_sec",
    "video_transcription_text",
    "verified_status",
    "author_ban_status",
    "video_view_count",
    "video_like_count",
    "video_share_count",
    "video_download_count",
    "video_comment_count",
)


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the columns that only this table has are there."""
    return {"video_transcription_text", "video_id", "claim_status"} <= record.keys()


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `metrics` holds `downloads`, `extra` the claim and ban status."""
    badge = raw.verified_status
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "post_id": raw.video_id.re_replace("[.]0*$", "").strip().nullif(""),
            "text": casts.text(raw.video_transcription_text),
            "kind": ibis.literal("video"),
            "duration_s": casts.number("video_duration_sec", raw.video_duration_sec),
            "views": casts.integer("video_view_count", raw.video_view_count),
            "likes": casts.integer("video_like_count", raw.video_like_count),
            "comments": casts.integer("video_comment_count", raw.video_comment_count),
            "shares": casts.integer("video_share_count", raw.video_share_count),
            "verified": casts.Cell(
                "verified_status", badge, ibis.cases((badge == "verified", True), (badge == "not verified", False))
            ),
        },
        metrics=[casts.integer("downloads", raw.video_download_count)],
        extra={
            "claim_status": casts.text(raw.claim_status),
            "author_ban_status": casts.text(raw.author_ban_status),
        },
        required=["post_id", "text"],
    )


CLAIMS: Final = Layout(
    platform="tiktok",
    name="claims",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="CSV of TikTok videos with claim_status and video_transcription_text",
)
