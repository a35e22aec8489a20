"""Facebook posts as CrowdTangle gave them: the CSV exports of pages and groups, and posts of its API.

Times of an export carry the zone of its dashboard (`EDT`); those of the API are UTC. Both name a post
`page_post`, as the Graph API does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.facebook.live import kind_of
from groundswell.platforms.instagram.common import shortcode_in
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, known, titled
from groundswell.platforms.written import ungrouped, whole_id

if TYPE_CHECKING:
    import ibis.expr.types as ir

REACTIONS: Final = ("Love", "Wow", "Haha", "Sad", "Angry", "Care")
#: The name in `metrics` of each further counter.
METRICS: Final = {
    "Total Interactions": "interactions",
    "Total Views": "total_views",
    "Total Views For All Crossposts": "crosspost_views",
    "Likes at Posting": "page_likes",
} | {name: name.lower() for name in REACTIONS}
COLUMNS: Final = (
    *("Page Name", "Group Name", "User Name", "Facebook Id", "Page Category", "Page Admin Top Country"),
    *("Page Description", "Page Created", "Followers at Posting", "Post Created", "Created", "Type", "Likes"),
    *("Comments", "Shares", "Video Share Status", "Post Views", "Video Length", "URL", "Message", "Link"),
    *("Final Link", "Image Text", "Link Text", "Description", "Sponsor Name", *METRICS),
)
_ACTUAL: Final = (
    *("likeCount", "shareCount", "commentCount", "viewCount", "loveCount", "wowCount", "hahaCount", "sadCount"),
    *("angryCount", "thankfulCount", "careCount"),
)
RAW: Final = dict.fromkeys(
    (
        *("platformId", "platform", "date", "updated", "type", "title", "caption", "description", "message", "link"),
        *("expandedLink", "postUrl", "subscriberCount", "score", "languageCode", "videoLengthMS", "imageText"),
    ),
    "string",
) | {
    "media": "array<struct<full: string, url: string>>",
    "statistics": f"struct<actual: struct<{', '.join(f'{name}: string' for name in _ACTUAL)}>>",
    "account": (
        "struct<id: string, platformId: string, name: string, handle: string, subscriberCount: string, "
        "verified: string, pageAdminTopCountry: string, pageCreatedDate: string>"
    ),
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the columns of an export are there."""
    named = {"Page Name", "Group Name"} & record.keys()
    return bool(named) and "URL" in record and bool({"Facebook Id", "Total Interactions"} & record.keys())


def matches_api(record: Mapping[str, Any]) -> bool:
    """Whether it is a post of the API."""
    counts = record.get("statistics")
    return "platformId" in record and isinstance(counts, Mapping) and "actual" in counts


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row of an export; `metrics` holds reactions by kind, interactions and views of crossposts."""
    page = whole_id("Facebook Id", raw["Facebook Id"])
    number = raw.URL.re_extract("([0-9]{6,})/?([?].*)?$", 1).nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("facebook"),
            "post_id": ibis.coalesce(page.value + "_" + number, number, raw.URL.nullif("")),
            "url": raw.URL.nullif(""),
            "author_id": page,
            "author_name": any_of(raw["User Name"], raw["Page Name"], raw["Group Name"]),
            "created_at": casts.moment("Post Created", any_of(raw["Post Created"], raw.Created)),
            "text": titled(casts.text(raw.Message), titled(casts.text(raw["Link Text"]), casts.text(raw.Description))),
            "region": raw["Page Admin Top Country"].nullif(""),
            "urls": known(ibis.array([any_of(raw["Final Link"], raw.Link)])),
            "kind": kind_of(raw.Type),
            "duration_s": casts.Cell("Video Length", raw["Video Length"], _clock(raw["Video Length"])),
            "views": casts.integer("Post Views", ungrouped(raw["Post Views"])),
            "likes": casts.integer("Likes", ungrouped(raw.Likes)),
            "comments": casts.integer("Comments", ungrouped(raw.Comments)),
            "shares": casts.integer("Shares", ungrouped(raw.Shares)),
            "followers": casts.integer("Followers at Posting", ungrouped(raw["Followers at Posting"])),
            "author_created_at": casts.moment("Page Created", raw["Page Created"]),
        },
        metrics=[casts.integer(name, ungrouped(raw[column])) for column, name in METRICS.items()],
        extra={
            "author_display_name": any_of(raw["Page Name"], raw["Group Name"]),
            "page_category": raw["Page Category"].nullif(""),
            "image_text": raw["Image Text"].nullif(""),
            "video_status": raw["Video Share Status"].nullif(""),
            "sponsor": raw["Sponsor Name"].nullif(""),
        },
        required=["post_id", "text"],
        reject_unread={"created_at": "Post Created is not a plausible time"},
    )


def _clock(written: ir.StringValue) -> ir.FloatingValue:
    """Seconds of `01:02:03` or `02:03`; null where it is neither."""
    bare = written.strip()
    hours, minutes, seconds = (bare.re_extract("^(([0-9]+):)?([0-9]+):([0-9]{2})$", group) for group in (2, 3, 4))
    whole = ibis.coalesce(hours.try_cast("int64"), 0) * 3600 + minutes.try_cast("int64") * 60
    return (whole + seconds.try_cast("int64")).cast("float64")


def posts_of_api(raw: ir.Table) -> ir.Table:
    """One post for each record of the API, of Facebook or Instagram as it says."""
    account, counts = raw.account, raw.statistics.actual
    platform = raw.platform.lower().nullif("")
    milliseconds = casts.integer("videoLengthMS", raw.videoLengthMS)
    picture = raw.media.map(lambda part: ibis.coalesce(part.full.nullif(""), part.url))
    return casts.mapped(
        raw,
        {
            "platform": ibis.coalesce(platform, "facebook"),
            "post_id": ibis.cases(
                (platform == "instagram", ibis.coalesce(shortcode_in(raw.postUrl), raw.platformId.nullif(""))),
                else_=raw.platformId.nullif(""),
            ),
            "url": raw.postUrl.nullif(""),
            "author_id": any_of(account.platformId, account.id),
            "author_name": any_of(account.handle, account["name"]),
            "created_at": casts.moment("date", raw.date),
            "observed_at": casts.moment("updated", raw.updated),
            "text": titled(casts.text(raw.message), titled(casts.text(raw.title), casts.text(raw.description))),
            "lang": raw.languageCode.nullif("").nullif("und"),
            "region": account.pageAdminTopCountry.nullif(""),
            "urls": known(ibis.array([any_of(raw.expandedLink, raw.link)])),
            "kind": kind_of(raw.type),
            "duration_s": casts.Cell("videoLengthMS", raw.videoLengthMS, milliseconds.value.cast("float64") / 1000),
            "views": casts.integer("viewCount", counts.viewCount),
            "likes": casts.integer("likeCount", counts.likeCount),
            "comments": casts.integer("commentCount", counts.commentCount),
            "shares": casts.integer("shareCount", counts.shareCount),
            "media_urls": known(picture),
            "followers": casts.integer("subscriberCount", any_of(raw.subscriberCount, account.subscriberCount)),
            "verified": casts.boolean("verified", account.verified),
            "author_created_at": casts.moment("pageCreatedDate", account.pageCreatedDate),
        },
        metrics=[
            casts.integer(name, counts[f"{name}Count"])
            for name in ("love", "wow", "haha", "sad", "angry", "thankful", "care")
        ],
        extra={
            "author_display_name": account["name"].nullif(""),
            "image_text": raw.imageText.nullif(""),
            "overperforming": raw.score.nullif(""),
        },
        required=["post_id"],
        reject_unread={"created_at": "date is not a plausible time"},
    )


CROWDTANGLE: Final = Layout(
    platform="facebook",
    name="crowdtangle",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="CrowdTangle export of Facebook pages or groups: Page Name, Facebook Id, Post Created, Message, Love …",
)

API: Final = Layout(
    platform="facebook",
    name="crowdtangle_api",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches_api,
    posts=posts_of_api,
    description="posts of the CrowdTangle API (Facebook or Instagram): platformId, date, statistics.actual, account",
    unwraps=(("result", "posts"),),
)
