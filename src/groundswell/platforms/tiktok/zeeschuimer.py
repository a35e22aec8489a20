"""TikTok and Douyin posts and comments as the browser extension Zeeschuimer collects them (NDJSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.tiktok import api, aweme, comments
from groundswell.platforms.wrapped import foreign, of_platform, raw_of, seen

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TIKTOK: Final = ("tiktok.com", "tiktok")
_DOUYIN: Final = ("douyin.com", "douyin")
_COMMENTS: Final = ("tiktok-comments", "tiktok.com-comments")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it is an item of TikTok whose author is an object."""
    data = of_platform(record, *_TIKTOK)
    return data is not None and "aweme_id" not in data and not isinstance(data.get("author"), str)


def matches_embedded(record: Mapping[str, Any]) -> bool:
    """Whether it is an item of TikTok whose author is a handle."""
    data = of_platform(record, *_TIKTOK)
    return data is not None and isinstance(data.get("author"), str)


def matches_mobile(record: Mapping[str, Any]) -> bool:
    """Whether it is an `aweme` of TikTok or Douyin."""
    data = of_platform(record, *_TIKTOK, *_DOUYIN)
    return data is not None and "aweme_id" in data and "cid" not in data


def matches_comment(record: Mapping[str, Any]) -> bool:
    """Whether it is a comment."""
    data = of_platform(record, *_COMMENTS, *_TIKTOK, *_DOUYIN)
    return data is not None and comments.matches(data)


def posts(raw: ir.Table) -> ir.Table:
    """One post for each item, seen when it was collected."""
    return api.posts_of(raw, raw.data, seen(raw), foreign(raw, *_TIKTOK))


def posts_embedded(raw: ir.Table) -> ir.Table:
    """The same with the author as a handle."""
    return api.posts_embedded_of(raw, raw.data, seen(raw), foreign(raw, *_TIKTOK))


def posts_mobile(raw: ir.Table) -> ir.Table:
    """One post for each `aweme`."""
    platform = ibis.cases((raw.source_platform.lower().contains("douyin"), "douyin"), else_="tiktok")
    return aweme.posts_of(raw, raw.data, platform, seen(raw), foreign(raw, *_TIKTOK, *_DOUYIN))


def comments_(raw: ir.Table) -> ir.Table:
    """One comment for each record."""
    return comments.comments_of(
        raw, raw.data, ibis.literal("tiktok"), seen(raw), foreign(raw, *_COMMENTS, *_TIKTOK, *_DOUYIN)
    )


ITEMS: Final = Layout(
    platform="tiktok",
    name="zeeschuimer",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(api.RAW),
    matches=lambda record: matches(record) and not matches_comment(record),
    posts=posts,
    description="Zeeschuimer NDJSON of TikTok: a tiktok.api item under data",
)

EMBEDDED: Final = Layout(
    platform="tiktok",
    name="zeeschuimer_embedded",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(api.RAW_EMBEDDED),
    matches=matches_embedded,
    posts=posts_embedded,
    description="Zeeschuimer NDJSON of TikTok: a tiktok.embedded item under data",
)

MOBILE: Final = Layout(
    platform="tiktok",
    name="zeeschuimer_aweme",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(aweme.RAW),
    matches=matches_mobile,
    posts=posts_mobile,
    description="Zeeschuimer NDJSON of Douyin (or TikTok): a tiktok.aweme post under data",
)

COMMENTS: Final = Layout(
    platform="tiktok",
    name="zeeschuimer_comments",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(comments.RAW),
    matches=matches_comment,
    posts=comments_,
    description="Zeeschuimer NDJSON of TikTok comments: a tiktok.comments record under data",
    table="comments",
)
