"""What Bluesky's layouts share: the record of a post (`app.bsky.feed.post`) as it stands in whatever wrapper.

A client writes `createdAt` as it likes; a time after the one at which the network saw the post is not true, so the
earlier of both counts, as in Bluesky's own app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.parts import first, known

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://bsky.app/profile/"
NO_TIME: Final = "createdAt is not a plausible time"
_PLACE: Final = "^at://([^/]+)/app[.]bsky[.]feed[.]post/([^/]+)$"

_MEDIA: Final = "images: array<struct<alt: string>>, external: struct<uri: string>, video: string"
RECORD: Final = (
    "struct<text: string, createdAt: string, langs: array<string>, tags: array<string>, "
    "facets: array<struct<features: array<struct<tag: string, uri: string, did: string>>>>, "
    f"reply: struct<parent: struct<uri: string>, root: struct<uri: string>>, embed: struct<{_MEDIA}, "
    f"record: string, media: struct<{_MEDIA}>>>"
)


def post_url(uri: ir.StringValue) -> ir.StringValue:
    """The page of a post from its `at://` address; null where it is none."""
    who, which = uri.re_extract(_PLACE, 1), uri.re_extract(_PLACE, 2)
    return ibis.cases((uri.re_search(_PLACE), SITE + who + "/post/" + which))


def author_of(uri: ir.StringValue) -> ir.StringValue:
    """The account in an `at://` address."""
    return uri.re_extract("^at://([^/]+)/", 1).nullif("")


def record_columns(record: Any, seen: casts.Cell) -> dict[str, Any]:
    """The columns that the record of a post gives; `seen` is when the network saw it."""
    features = record["facets"].map(lambda facet: facet.features).filter(lambda listed: listed.notnull()).flatten()
    tags = known(features.map(lambda feature: feature.tag))
    more = known(record["tags"])
    said = casts.moment("createdAt", record["createdAt"])
    return {
        "platform": ibis.literal("bluesky"),
        "created_at": casts.Cell(
            "createdAt", said.raw, ibis.cases((seen.value < said.value, seen.value), else_=said.value)
        ),
        "text": record["text"].nullif(""),
        "lang": first(record["langs"]).nullif(""),
        "hashtags": ibis.cases((more.notnull() & tags.notnull(), tags.concat(more)), else_=ibis.coalesce(tags, more)),
        "urls": known(features.map(lambda feature: feature.uri)),
        "kind": _kind(record["embed"]),
    }


def record_extra(record: Any) -> dict[str, ir.Value]:
    """What a post answers or quotes."""
    quoted = record["embed"].record.re_extract('"uri"[ ]*:[ ]*"(at://[^"]+)"', 1).nullif("")
    return {
        "reply_to": record["reply"].parent.uri.nullif(""),
        "thread": record["reply"].root.uri.nullif(""),
        "quote_of": quoted,
        "link": ibis.coalesce(record["embed"].external.uri, record["embed"].media.external.uri).nullif(""),
    }


def _kind(embed: ir.StructValue) -> ir.StringValue:
    images = ibis.coalesce(embed.images, embed.media.images)
    return ibis.cases(
        (ibis.coalesce(embed.video, embed.media.video).notnull(), "video"),
        (images.length() > 1, "carousel"),
        (images.length() == 1, "image"),
        (ibis.coalesce(embed.external.uri, embed.media.external.uri).notnull(), "link"),
        else_="text",
    )
