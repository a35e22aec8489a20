"""Records that a collector wraps: Zeeschuimer's `{item_id, source_platform, timestamp_collected, data: {…}}`.

The post is under `data` as the platform gave it, so its layout reads it there. `timestamp_collected` is when the
browser saw it, in milliseconds: the time of the observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What stands around `data`, as far as it is read.
AROUND: Final = {
    "item_id": "string",
    "timestamp_collected": "string",
    "source_platform": "string",
    "source_platform_url": "string",
    "source_url": "string",
}


def of_platform(record: Mapping[str, Any], *sources: str) -> Mapping[str, Any] | None:
    """What is under `data` if the record says that it comes from one of `sources` (`tiktok.com`); else null."""
    source, data = record.get("source_platform"), record.get("data")
    if not isinstance(source, str) or not isinstance(data, Mapping):
        return None
    bare = source.lower().removeprefix("www.")
    return data if bare in sources else None


def raw_of(parts: Mapping[str, str]) -> dict[str, str]:
    """The raw record of a wrapper whose `data` is the raw record `parts`."""
    return AROUND | {"data": f"struct<{', '.join(f'{name}: {kind}' for name, kind in parts.items())}>"}


def foreign(raw: ir.Table, *sources: str) -> list[tuple[ir.BooleanValue, str]]:
    """Rejects what comes from elsewhere, so that in a file of many sources another layout reads it."""
    bare = raw.source_platform.lower().re_replace("^www[.]", "")
    return [(~ibis.coalesce(bare.isin(sources), False), "of another source_platform")]


def seen(raw: ir.Table) -> dict[str, casts.Cell | ir.Value]:
    """The columns that the wrapper itself gives."""
    return {"observed_at": casts.epoch("timestamp_collected", raw.timestamp_collected)}
