"""Where a platform seems to have changed its format."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from groundswell.web.drift_models import Drift
from groundswell.web.installed import known_layouts
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["accounts"])


@router.get("/drift")
def show_drift(
    services: ServicesOf,
    layout: Annotated[str | None, Query(description="Only this layout.")] = None,
) -> Drift:
    """Fields that came to be filled less often, with what stands there instead, and how each layout is filled."""
    from groundswell.importing.drift import document  # noqa: PLC0415 - loads what an import needs

    if layout is not None:
        known_layouts(services.settings).get(layout)
    return Drift.model_validate(document(services.lake, services.desk, layout))
