"""Posts as nodes of Instagram's GraphQL, as instaloader and scrapers keep them: `edge_media_to_caption` and so on.

They come alone, as `{"node": …}`, or in a list of a profile. A hidden count of likes is -1 there: it is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.instagram.common import link_of, shown_count
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import Rejects, any_of, first, known, nothing

if TYPE_CHECKING:
    import ibis.expr.types as ir

_COUNT: Final = "struct<count: string>"
_USER: Final = (
    "struct<id: string, username: string, full_name: string, is_verified: string, "
    "edge_followed_by: struct<count: string>, edge_follow: struct<count: string>>"
)
RAW: Final = {
    "__typename": "string",
    "id": "string",
    "shortcode": "string",
    "code": "string",
    "edge_media_to_caption": "struct<edges: array<struct<node: struct<text: string>>>>",
    "edge_media_to_comment": _COUNT,
    "edge_media_to_parent_comment": _COUNT,
    "edge_media_preview_comment": _COUNT,
    "edge_media_preview_like": _COUNT,
    "edge_liked_by": _COUNT,
    "taken_at_timestamp": "string",
    "display_url": "string",
    "video_url": "string",
    "is_video": "string",
    "video_view_count": "string",
    "video_play_count": "string",
    "video_duration": "string",
    "accessibility_caption": "string",
    "product_type": "string",
    "like_and_view_counts_disabled": "string",
    "username": "string",
    "owner": _USER,
    "user": _USER,
    "location": "struct<id: string, name: string, slug: string>",
    "edge_sidecar_to_children": "struct<edges: array<struct<node: struct<display_url: string>>>>",
    "edge_media_to_tagged_user": "struct<edges: array<struct<node: struct<user: struct<username: string>>>>>",
    "tags": "array<string>",
}
KINDS: Final = {
    **dict.fromkeys(("GraphSidecar", "XDTGraphSidecar"), "carousel"),
    **dict.fromkeys(("GraphVideo", "XDTGraphVideo"), "video"),
    **dict.fromkeys(("GraphImage", "XDTGraphImage"), "image"),
}
_OWN: Final = ("edge_media_to_caption", "edge_media_preview_like", "edge_liked_by", "edge_media_to_comment")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it has a shortcode or an id, and an edge or a time as only GraphQL names them."""
    own = [key for key in (*_OWN, "taken_at_timestamp") if key in record]
    return ("shortcode" in record or "id" in record) and bool(own)


def posts(raw: ir.Table) -> ir.Table:
    """One post for each node."""
    return posts_of(raw, raw)


def posts_of(
    raw: ir.Table, node: Any, more: Mapping[str, casts.Cell | ir.Value] | None = None, rejects: Rejects = ()
) -> ir.Table:
    """The same where the node's parts stand in `node` (the table itself or a struct); `more` columns go beside."""
    owner, user = node["owner"], node["user"]
    hidden = ibis.coalesce(node["like_and_view_counts_disabled"].lower() == "true", False)

    def count(*parts: str) -> ir.StringValue:
        return any_of(*(node[part]["count"] for part in parts))

    def unless_hidden(counter: ir.StringValue) -> ir.StringValue:
        return ibis.cases((~hidden, shown_count(counter)))

    shortcode = any_of(node["shortcode"], node["code"])
    kind = node["__typename"]
    video = node["is_video"].lower() == "true"
    children = node["edge_sidecar_to_children"]["edges"].map(lambda edge: edge["node"]["display_url"])
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "post_id": ibis.coalesce(shortcode, node["id"].nullif("")),
            "url": link_of(shortcode),
            "author_id": any_of(owner["id"], user["id"]),
            "author_name": any_of(owner["username"], user["username"], node["username"]),
            "created_at": casts.epoch("taken_at_timestamp", node["taken_at_timestamp"]),
            "text": first(node["edge_media_to_caption"]["edges"])["node"]["text"],
            "hashtags": known(node["tags"]),
            "kind": ibis.cases(
                *((kind == name, here) for name, here in KINDS.items()),
                (video, "video"),
                (node["is_video"].notnull(), "image"),
            ),
            "duration_s": casts.number("video_duration", node["video_duration"]),
            "views": casts.integer(
                "video_view_count", unless_hidden(any_of(node["video_view_count"], node["video_play_count"]))
            ),
            "likes": casts.integer("likes", unless_hidden(count("edge_media_preview_like", "edge_liked_by"))),
            "comments": casts.integer(
                "comments",
                count("edge_media_to_parent_comment", "edge_media_to_comment", "edge_media_preview_comment"),
            ),
            "location": node["location"]["name"].nullif(""),
            "media_urls": ibis.coalesce(known(children), known(ibis.array([node["display_url"], node["video_url"]]))),
            "followers": casts.integer("followers", any_of(*_edges(owner, user, "edge_followed_by"))),
            "following": casts.integer("following", any_of(*_edges(owner, user, "edge_follow"))),
            "verified": casts.boolean("is_verified", any_of(owner["is_verified"], user["is_verified"])),
        }
        | dict(more or {}),
        metrics=[casts.integer("plays", unless_hidden(node["video_play_count"]))],
        extra={
            "media_id": node["id"].nullif(""),
            "author_display_name": any_of(owner["full_name"], user["full_name"]),
            "image_description": node["accessibility_caption"].nullif(""),
            "product": node["product_type"].nullif(""),
            "tagged_users": known(
                node["edge_media_to_tagged_user"]["edges"].map(lambda edge: edge["node"]["user"]["username"])
            ),
        },
        rejects=[*rejects, (nothing(shortcode, node["taken_at_timestamp"]), "no node of GraphQL")],
        required=["post_id"],
        reject_unread={"created_at": "taken_at_timestamp is not a plausible time"},
    )


def _edges(owner: ir.StructValue, user: ir.StructValue, edge: str) -> tuple[ir.StringValue, ir.StringValue]:
    return owner[edge]["count"], user[edge]["count"]


GRAPHQL: Final = Layout(
    platform="instagram",
    name="graphql",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Instagram posts as GraphQL nodes: shortcode, edge_media_to_caption, taken_at_timestamp, owner",
    unwraps=(
        ("GraphImages",),
        ("graphql", "shortcode_media"),
        ("data", "shortcode_media"),
        ("data", "xdt_shortcode_media"),
    ),
)


def matches_node(record: Mapping[str, Any]) -> bool:
    """Whether such a node stands under `node`."""
    node = record.get("node")
    return isinstance(node, Mapping) and matches(node)


NODE: Final = Layout(
    platform="instagram",
    name="graphql_node",
    version=1,
    shape=Shape.OBJECT,
    raw={"node": f"struct<{', '.join(f'{name}: {kind}' for name, kind in RAW.items())}>"},
    matches=matches_node,
    posts=lambda raw: posts_of(raw, raw.node),
    description="the same nodes under node, as instaloader writes them and lists of edges have them",
    unwraps=(
        ("edge_owner_to_timeline_media", "edges"),
        ("data", "user", "edge_owner_to_timeline_media", "edges"),
        ("graphql", "user", "edge_owner_to_timeline_media", "edges"),
        ("data", "hashtag", "edge_hashtag_to_media", "edges"),
        ("graphql", "hashtag", "edge_hashtag_to_media", "edges"),
    ),
)
