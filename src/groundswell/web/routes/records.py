"""Raw records pushed by other programs; they are durable before the answer is sent."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from groundswell.web.bodies import read_records
from groundswell.web.intake import push_hint
from groundswell.web.models import Received
from groundswell.web.quick_push import SOURCE
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["records"])

_EXAMPLE: Final = '{"id": "1", "text": "side effects of dose two", "created_at": "2026-11-20T08:15:00Z"}\n'
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "Raw records, as the platform gave them. `Content-Encoding: gzip` and `zstd` are understood.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}, "example": _EXAMPLE},
            "application/json": {
                "schema": {
                    "oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}],
                },
            },
        },
    }
}


@router.post("/records", status_code=202, openapi_extra=_BODY)
async def push_records(
    services: ServicesOf,
    request: Request,
    source: Annotated[str, Query(pattern=SOURCE, description="Name of the source.")] = ("push"),
    layout: Annotated[str | None, Query(description="Layout of the records; recognised from them if absent.")] = None,
    tz: Annotated[str | None, Query(description="Time zone of times that name none (IANA name).")] = None,
    field: Annotated[
        list[str] | None, Query(alias="map", description="For `generic.table`: `field=column`; may be repeated.")
    ] = None,
) -> Received:
    """Take records: one JSON object, an array of them, or one a line (NDJSON).

    The answer is sent once they are in the journal. A record that cannot be read later is set aside in the
    quarantine with its reason, so nothing is lost. 429 says that the journal is too far ahead of the watch or the lake.
    """
    hint = push_hint(layout, tz, field or ())
    services.intake.check_room()
    records = await read_records(request, services.settings.max_record)
    first, last = await services.intake.append(source, records, hint) or (None, None)
    return Received(received=len(records), first=first, last=last)
