"""The layouts that are installed, and mappings that are saved as layouts."""

from __future__ import annotations

from fastapi import APIRouter

from groundswell.web.data_models import LayoutDocument, Layouts, NewLayout
from groundswell.web.installed import keep_mapping, known_layouts
from groundswell.web.services import Services, ServicesOf

router = APIRouter(tags=["imports"])


@router.get("/layouts")
def list_layouts(services: ServicesOf) -> Layouts:
    """Every layout: what it reads, and which table it fills. Saved mappings are among them, as `saved.NAME`."""
    return _layouts(services)


@router.post("/layouts", status_code=201)
def save_layout(services: ServicesOf, request: NewLayout) -> Layouts:
    """Save which column is which field under a name; it is a layout from then on, recognised by its columns."""
    keep_mapping(services.settings, request.name, request.map, request.platform, request.tz)
    return _layouts(services)


def _layouts(services: Services) -> Layouts:
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
            for layout in known_layouts(services.settings).layouts
        ]
    )
