"""The id of a post in its address, as the platform's own layouts know it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import ibis

from groundswell.platforms import casts

if TYPE_CHECKING:
    import ibis.expr.types as ir

_START: Final = "^(?:https?://)?(?:[a-zA-Z0-9-]+[.])*"
#: By platform: what stands before the id and the id itself, the likeliest first.
_IDS: Final[Mapping[str, tuple[str, ...]]] = {
    "tiktok": (_START + "tiktok[.]com/(?:@[^/?#]*/)?(?:video|photo|v)/([0-9]{6,})",),
    "x": (_START + "(?:twitter|x)[.]com/(?:[^/?#]+/)+status(?:es)?/([0-9]+)",),
    "youtube": (
        _START + "youtube[.]com/watch[?](?:[^#]*&)?v=([A-Za-z0-9_-]{11})(?:[&#].*)?$",
        _START + "(?:youtu[.]be|youtube[.]com/(?:shorts|live|embed|v))/([A-Za-z0-9_-]{11})(?:[/?#].*)?$",
    ),
    "instagram": (_START + "instagram[.]com/(?:[^/?#]+/)?(?:p|reel|reels|tv)/([A-Za-z0-9_-]+)",),
    "reddit": (
        _START + "reddit[.]com/(?:(?:r|user|u)/[^/?#]+/)?comments/([a-z0-9]+)(?:/[^/?#]*)?/?(?:[?#].*)?$",
        _START + "redd[.]it/([a-z0-9]+)/?(?:[?#].*)?$",
    ),
}
#: Platforms whose posts have a number too, which is not what they are known by.
_NUMBERED: Final = frozenset({"instagram"})


def id_in(address: ir.StringValue, platform: str) -> ir.StringValue | None:
    """The id in an address of a post on `platform`, null where there is none; null for a platform without such."""
    patterns = _IDS.get(platform)
    if patterns is None:
        return None
    return ibis.coalesce(*(address.strip().re_extract(pattern, 1).nullif("") for pattern in patterns))


def is_of_a_post(address: str) -> bool:
    """Whether an address is one of a post, on any of these platforms.

    >>> is_of_a_post("https://www.tiktok.com/@eva/video/7100000000000000001"), is_of_a_post("https://x.com/eva")
    (True, False)
    """
    return any(re.search(pattern, address.strip()) for patterns in _IDS.values() for pattern in patterns)


def known_id(cell: casts.Cell | None, address: ir.StringValue, platform: str) -> casts.Cell:
    """The id of a post that has an address, and maybe a column with an id: `cell`."""
    found, whole = id_in(address, platform), address.strip().nullif("")
    if cell is None:
        return casts.Cell("post_id", address, whole if found is None else ibis.coalesce(found, whole))
    if found is None:
        return cell
    first, second = (found, cell.value) if platform in _NUMBERED else (cell.value, found)
    return casts.Cell(cell.field, cell.raw, ibis.coalesce(first, second))
