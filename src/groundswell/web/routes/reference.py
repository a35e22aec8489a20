"""The OpenAPI document and the page that shows it, without anything from another server."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from groundswell.web.openapi import document_of

router = APIRouter(include_in_schema=False)

_FOLDER: Final = FilePath(__file__).parent.parent / "reference"
_FILES: Final = {"reference.js": "text/javascript", "reference.css": "text/css"}


@router.get("/openapi.json")
def show_document(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    state: Any = request.app.state
    if not hasattr(state, "openapi"):
        state.openapi = document_of(request.app)
    return JSONResponse(state.openapi, headers={"Cache-Control": "no-cache"})


@router.get("/docs")
def show_reference() -> FileResponse:
    """The API page."""
    return FileResponse(_FOLDER / "index.html", media_type="text/html", headers={"Cache-Control": "no-cache"})


@router.get("/docs/{name}")
def show_reference_file(name: str) -> Response:
    """A script or style of the API page."""
    if name not in _FILES:
        raise HTTPException(404)
    return FileResponse(_FOLDER / name, media_type=_FILES[name], headers={"Cache-Control": "no-cache"})
