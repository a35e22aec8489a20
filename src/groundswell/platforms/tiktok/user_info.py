"""TikTok accounts as the web API gives them: `userInfo` with `user` and `stats`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SITE: Final = "https://www.tiktok.com/@"
_USER: Final = (
    "struct<id: string, uniqueId: string, nickname: string, signature: string, verified: string, language: string, "
    "region: string, createTime: string, privateAccount: string, secUid: string, bioLink: struct<link: string>>"
)
_STATS: Final = (
    "struct<followerCount: string, followingCount: string, heartCount: string, heart: string, videoCount: string, "
    "diggCount: string, friendCount: string>"
)
_PARTS: Final = {"user": _USER, "stats": _STATS, "statsV2": _STATS}
RAW: Final = _PARTS | {"userInfo": f"struct<{', '.join(f'{name}: {kind}' for name, kind in _PARTS.items())}>"}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether there is a `user` with a `uniqueId`, alone beside its `stats` or under `userInfo`."""
    inner = record.get("userInfo")
    part = inner if isinstance(inner, Mapping) else record
    user = part.get("user")
    return isinstance(user, Mapping) and "uniqueId" in user and ("stats" in part or "statsV2" in part)


def authors(raw: ir.Table) -> ir.Table:
    """One account for each record; `metrics` holds the likes that it gave and its friends."""

    def user(name: str) -> ir.StringValue:
        return any_of(raw.user[name], raw.userInfo.user[name])

    def stat(name: str) -> ir.StringValue:
        parts = (raw.statsV2, raw.stats, raw.userInfo.statsV2, raw.userInfo.stats)
        return any_of(*(part[name] for part in parts))

    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "author_id": user("id"),
            "author_name": user("uniqueId"),
            "display_name": user("nickname"),
            "url": _SITE + user("uniqueId"),
            "text": user("signature"),
            "lang": user("language"),
            "region": user("region"),
            "created_at": casts.epoch("createTime", user("createTime").nullif("0")),
            "followers": casts.integer("followerCount", stat("followerCount")),
            "following": casts.integer("followingCount", stat("followingCount")),
            "posts": casts.integer("videoCount", stat("videoCount")),
            "likes": casts.integer("heartCount", ibis.coalesce(stat("heartCount"), stat("heart"))),
            "verified": casts.boolean("verified", user("verified")),
        },
        metrics=[
            casts.integer("likes_given", stat("diggCount")),
            casts.integer("friends", stat("friendCount")),
        ],
        extra={
            "bio_url": any_of(raw.user.bioLink.link, raw.userInfo.user.bioLink.link),
            "sec_uid": user("secUid"),
            "private": ibis.cases((user("privateAccount").lower() == "true", "true")),
        },
        required=["author_id", "author_name"],
    )


USER_INFO: Final = Layout(
    platform="tiktok",
    name="user_info",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=authors,
    description="TikTok accounts of the web API: userInfo with user and stats",
    table="authors",
)
