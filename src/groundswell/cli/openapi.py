"""`groundswell openapi`: the OpenAPI document of the REST API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from groundswell.cli.app import app, emit, messages


@app.command()
def openapi(
    out: Annotated[Path | None, typer.Option("--out", help="File to write; stdout if absent.", dir_okay=False)] = None,
) -> None:
    """Print the OpenAPI document of the REST API (the front end's types are made from it)."""
    from groundswell.settings import load_settings
    from groundswell.web.app import create_app
    from groundswell.web.openapi import document_of

    document = document_of(create_app(load_settings(), runner=False))
    if out is None:
        emit(document)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    messages.print(f"wrote {out}", soft_wrap=True)
