"""Reach tables that an account exports of its own posts: impressions by source, saves, profile visits, follows.

They name no post and no account: a row is known by its date, caption and counters. Impressions are not views; they
are in `metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.written import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: The name in `metrics` of each column.
METRICS: Final = {
    "Impressions": "impressions",
    "Reach": "reach",
    "From Home": "impressions_from_home",
    "From Hashtags": "impressions_from_hashtags",
    "From Explore": "impressions_from_explore",
    "From Profile": "impressions_from_profile",
    "From Other": "impressions_from_other",
    "Profile Visits": "profile_visits",
    "Follows": "follows",
}
COLUMNS: Final = ("Date", *METRICS, "Saves", "Comments", "Shares", "Likes", "Conversion Rate", "Caption", "Hashtags")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether impressions stand beside one of their sources."""
    return "Impressions" in record and bool({"From Home", "From Hashtags", "From Explore"} & record.keys())


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `metrics` holds impressions by source, profile visits and follows."""
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "created_at": casts.moment("Date", raw.Date),
            "text": casts.text(raw.Caption),
            "hashtags": listed(raw.Hashtags),
            "likes": casts.integer("Likes", raw.Likes),
            "comments": casts.integer("Comments", raw.Comments),
            "shares": casts.integer("Shares", raw.Shares),
            "saves": casts.integer("Saves", raw.Saves),
        },
        metrics=[casts.integer(name, raw[column]) for column, name in METRICS.items()],
        extra={"conversion_rate": raw["Conversion Rate"].nullif("")},
        rejects=[
            (
                raw.Impressions.isnull() & raw.Caption.isnull() & raw.Hashtags.isnull(),
                "no impressions, caption or hashtags",
            )
        ],
        reject_unread={"created_at": "Date is not a plausible time"},
    )


REACH: Final = Layout(
    platform="instagram",
    name="reach",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="reach table of an Instagram account: Impressions by source, Saves, Profile Visits, Follows, Caption",
)
