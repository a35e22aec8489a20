"""What X's layouts share: the parts of a tweet as the API v1.1 names them, in whatever they are wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.parts import any_of, first, known, resolved

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://x.com/"
NO_TIME: Final = "created_at is not a plausible time"
_DIGITS: Final = "^[0-9]+$"

ENTITIES: Final = (
    "struct<hashtags: array<struct<text: string>>, user_mentions: array<struct<screen_name: string>>, "
    "urls: array<struct<expanded_url: string, url: string>>, "
    "media: array<struct<media_url_https: string, type: string>>>"
)
MEDIA: Final = (
    "struct<media: array<struct<media_url_https: string, type: string, video_info: struct<duration_millis: string>>>>"
)
USER: Final = (
    "struct<id_str: string, id: string, screen_name: string, name: string, followers_count: string, "
    "friends_count: string, verified: string, created_at: string, location: string>"
)
PLACE: Final = "struct<full_name: string, country_code: string>"


def whole(*ids: ir.StringValue) -> ir.StringValue:
    """The first id that is all digits: one that went through a float is none."""
    return ibis.coalesce(*(ibis.cases((text.re_search(_DIGITS), text)) for text in ids))


def status_url(handle: ir.StringValue, post_id: ir.StringValue) -> ir.StringValue:
    """The address of a post; it works without the author's handle, too."""
    return SITE + ibis.coalesce(handle, "i") + "/status/" + post_id


def retweet_text(own: ir.StringValue, handle: ir.StringValue, original: ir.StringValue) -> ir.StringValue:
    """`RT @handle: …` with the whole text of the original, which the retweet itself cuts short."""
    head = ibis.coalesce(own.re_extract("^(RT @[A-Za-z0-9_]+: )", 1).nullif(""), "RT @" + handle + ": ")
    return ibis.coalesce(head + original, own)


def kind_of(media: ir.ArrayValue, kind: ir.StringValue, links: ir.ArrayValue) -> ir.StringValue:
    """What a post is, by the number of its media, the kind of the first, and its links."""
    return ibis.cases(
        (kind.isin(("video", "animated_gif")), "video"),
        (media.length() > 1, "carousel"),
        (media.length() == 1, "image"),
        (links.length() > 0, "link"),
        else_="text",
    )


def tags_of(entities: ir.StructValue) -> ir.ArrayValue:
    """The hashtags of a v1.1 `entities`."""
    return known(entities.hashtags.map(lambda tag: tag.text))


def mentions_of(entities: ir.StructValue) -> ir.ArrayValue:
    """The handles in a v1.1 `entities`, lower-case."""
    return known(entities.user_mentions.map(lambda user: user.screen_name.lower()))


def links_of(entities: ir.StructValue) -> ir.ArrayValue:
    """The links of a v1.1 `entities`, as they were before they were shortened."""
    return known(entities.urls.map(lambda url: ibis.coalesce(url.expanded_url, url.url)))


def counted(is_retweet: ir.BooleanValue, field: str, raw: ir.StringValue) -> casts.Cell:
    """A counter, null in a retweet: there it is the original's, or a 0 that nobody counted."""
    return casts.integer(field, ibis.cases((is_retweet, ibis.null("string")), else_=raw))


def status_columns(status: Any, post_id: ir.StringValue, user: Any, is_retweet: ir.BooleanValue) -> dict[str, Any]:
    """The columns that a v1.1 status gives, wherever it stands; the text is the caller's.

    Args:
        status: a table or struct with the keys of a v1.1 status.
        post_id: its id.
        user: the struct of its author (`USER`).
        is_retweet: whether it is one.
    """
    handle = user.screen_name.nullif("")
    media = ibis.coalesce(status["extended_entities"].media.map(lambda m: m.media_url_https), _plain_media(status))
    kinds = ibis.coalesce(
        status["extended_entities"].media.map(lambda m: m["type"]), status["entities"].media.map(lambda m: m["type"])
    )
    entities = status["entities"]
    millis = first(status["extended_entities"].media).video_info.duration_millis
    return {
        "platform": ibis.literal("x"),
        "post_id": post_id,
        "url": status_url(handle, post_id),
        "author_id": whole(user.id_str, user.id),
        "author_name": handle,
        "created_at": casts.moment("created_at", status["created_at"]),
        "lang": status["lang"].nullif("und").nullif(""),
        "region": status["place"].country_code.nullif(""),
        "hashtags": ibis.cases((is_retweet, ibis.null("array<string>")), else_=tags_of(entities)),
        "mentions": mentions_of(entities),
        "urls": links_of(entities),
        "kind": kind_of(media, first(kinds), entities.urls),
        "duration_s": casts.Cell("duration_millis", millis, casts.number("", millis).value / 1000),
        "likes": counted(is_retweet, "favorite_count", status["favorite_count"]),
        "comments": counted(is_retweet, "reply_count", status["reply_count"]),
        "shares": counted(is_retweet, "retweet_count", status["retweet_count"]),
        "location": status["place"].full_name.nullif(""),
        "media_urls": known(media),
        "followers": casts.integer("followers_count", user.followers_count),
        "following": casts.integer("friends_count", user.friends_count),
        "verified": casts.boolean("verified", user.verified),
        "author_created_at": casts.moment("user_created_at", user.created_at),
    }


def _plain_media(status: Any) -> ir.ArrayValue:
    return status["entities"].media.map(lambda m: m.media_url_https)


def text_of(*texts: ir.StringValue) -> ir.StringValue:
    """The first text that is there, with its signs (`&amp;`) as they were typed."""
    return resolved(any_of(*texts))
