"""Instagram posts as the browser extension Zeeschuimer collects them: items of the API, or nodes of GraphQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from groundswell.platforms.instagram import api_v1, graphql
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.wrapped import foreign, of_platform, raw_of, seen

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SOURCES: Final = ("instagram.com", "instagram")


def _is_node(data: Mapping[str, Any]) -> bool:
    return "shortcode" in data or "edge_media_to_caption" in data or "taken_at_timestamp" in data


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it is an item of the app's API."""
    data = of_platform(record, *_SOURCES)
    return data is not None and not _is_node(data)


def matches_node(record: Mapping[str, Any]) -> bool:
    """Whether it is a node of GraphQL."""
    data = of_platform(record, *_SOURCES)
    return data is not None and _is_node(data)


def ignores(record: Mapping[str, Any]) -> str | None:
    """An advertisement between the posts."""
    data = of_platform(record, *_SOURCES)
    if data is None:
        return None
    redirects = str(data.get("link") or "").startswith("https://www.facebook.com/ads/ig_redirect")
    return "an advertisement in the feed" if data.get("product_type") == "ad" or redirects else None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each item, seen when it was collected."""
    return api_v1.posts_of(raw, raw.data, seen(raw), foreign(raw, *_SOURCES))


def posts_of_nodes(raw: ir.Table) -> ir.Table:
    """One post for each node."""
    return graphql.posts_of(raw, raw.data, seen(raw), foreign(raw, *_SOURCES))


ITEMS: Final = Layout(
    platform="instagram",
    name="zeeschuimer",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(api_v1.RAW),
    matches=matches,
    posts=posts,
    description="Zeeschuimer NDJSON of Instagram: an instagram.api_v1 item under data",
    ignores=ignores,
)

NODES: Final = Layout(
    platform="instagram",
    name="zeeschuimer_graphql",
    version=1,
    shape=Shape.OBJECT,
    raw=raw_of(graphql.RAW),
    matches=matches_node,
    posts=posts_of_nodes,
    description="Zeeschuimer NDJSON of Instagram: an instagram.graphql node under data",
)
