"""Files that people upload: taken, looked at, imported, given up."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from groundswell.errors import UsageError
from groundswell.web.import_models import Import, ImportOptions, Imports
from groundswell.web.imports import read_import, read_imports, upload_document
from groundswell.web.installed import known_layouts
from groundswell.web.services import Services, ServicesOf
from groundswell.web.spool import plain_name, spool
from groundswell.web.uploads import new_id

router = APIRouter(prefix="/imports", tags=["imports"])
ImportId = Annotated[str, Path(description="Id of the import.", max_length=32)]

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes, as they are: JSON, NDJSON, a table, Parquet, a workbook, packed or not.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("")
def list_imports(services: ServicesOf, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Imports:
    """Uploads and what the command line imported, newest first."""
    return read_imports(services, limit)


@router.post("", status_code=201, openapi_extra=_BODY)
async def upload_file(
    services: ServicesOf,
    request: Request,
    name: Annotated[str, Query(min_length=1, max_length=500, description="Name of the file.", examples=["posts.csv"])],
) -> Import:
    """Take a file. It is written to the disk as it comes, and then looked at: see `preview`, then start it."""
    identity, plain = new_id(), plain_name(name)
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdigit() else None
    folder = services.uploads.folder / identity
    try:
        spooled = await spool(request.stream(), folder, plain, size, services.settings.max_upload)
    except ClientDisconnect as error:
        what = "the connection broke before the whole file was here"
        raise UsageError(what, hint="send it again; nothing of it was kept") from error
    row = await asyncio.to_thread(services.uploads.add, identity, plain, spooled)
    return upload_document(services, row)


@router.get("/{identity}")
def show_import(services: ServicesOf, identity: ImportId) -> Import:
    """One import: its state, how far it is, how it would be read, what came of it."""
    return read_import(services, identity)


@router.post("/{identity}/preview")
def preview_import(services: ServicesOf, identity: ImportId, options: ImportOptions) -> Import:
    """Look at the file again, as it would be read with these options; `preview` is there once `state` is `ready`."""
    _check(services, options)
    return upload_document(services, services.uploads.look(identity, options))


@router.post("/{identity}/start", status_code=202)
def start_import(services: ServicesOf, identity: ImportId, options: ImportOptions | None = None) -> Import:
    """Import the file with these options (without a body: with those it has); an interrupted one is taken up."""
    if options is not None:
        _check(services, options)
    return upload_document(services, services.uploads.begin(identity, options))


@router.delete("/{identity}", status_code=204)
def cancel_import(services: ServicesOf, identity: ImportId) -> Response:
    """Give up an import (it stays listed as cancelled), or take one that does not run off the list.

    What was stored before it was given up stays stored, and is known when the file is imported again.
    """
    services.uploads.remove(identity)
    return Response(status_code=204)


def _check(services: Services, options: ImportOptions) -> None:
    if options.layout is not None:
        known_layouts(services.settings).get(options.layout)
    if options.tz is not None:
        try:
            ZoneInfo(options.tz)
        except (KeyError, ValueError, OSError) as error:
            what = f"no time zone `{options.tz}`"
            raise UsageError(what, hint="use an IANA name such as Europe/Paris") from error
    columns = [column for column in options.map.values() if column]
    double = next((column for column in columns if columns.count(column) > 1), None)
    if double is not None:
        what = f"the column `{double}` is mapped to two fields"
        raise UsageError(what, hint="a column can be one field only")
