"""The layouts that are installed."""

from __future__ import annotations

from fastapi import APIRouter

from groundswell.web.data_models import LayoutDocument, Layouts
from groundswell.web.installed import installed_layouts

router = APIRouter(tags=["imports"])


@router.get("/layouts")
def list_layouts() -> Layouts:
    """Every layout: what it reads, and which table it fills."""
    return Layouts(
        items=[
            LayoutDocument(
                id=layout.id,
                platform=layout.platform,
                name=layout.name,
                version=layout.version,
                table=layout.table,
                description=layout.description,
            )
            for layout in installed_layouts().layouts
        ]
    )
