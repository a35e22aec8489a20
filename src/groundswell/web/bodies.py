"""x."""

from __future__ import annotations

from starlette.requests import Request


async def read_records(request: Request, max_record: int) -> list[bytes]:
    """x."""
    return []
