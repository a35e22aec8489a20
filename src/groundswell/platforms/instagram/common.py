"""What Instagram's layouts share: a post is known by its shortcode, whatever else a source calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://www.instagram.com/"
_IN_LINK: Final = "/(p|reel|reels|tv)/([A-Za-z0-9_-]+)"


def shortcode_in(link: ir.StringValue) -> ir.StringValue:
    """The shortcode in a post's address; null where there is none."""
    return link.re_extract(_IN_LINK, 2).nullif("")


def link_of(shortcode: ir.StringValue) -> ir.StringValue:
    """The address of a post."""
    return SITE + "p/" + shortcode + "/"


def shown_count(raw: ir.StringValue) -> ir.StringValue:
    """A counter; one that the owner hides is written as -1 and is not there."""
    return ibis.cases((~raw.strip().re_search("^-1([.]0*)?$"), raw))
