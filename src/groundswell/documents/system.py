"""Documents about the installation: config, doctor, token, serve, daily."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from groundswell.documents.base import Printed, Seconds


class SettingLine(Printed):
    """One setting."""

    name: str
    variable: str
    value: str
    origin: Literal["default", "environment", "file", "option"]
    place: Annotated[str, Field(description="the variable, file or option that decides; empty for a default")]
    default: str
    accepts: str
    meaning: str


class ConfigDocument(Printed):
    """`groundswell config --json`."""

    home: str
    settings: list[SettingLine]


class CheckLine(Printed):
    """One check of `doctor`."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    hint: Annotated[str, Field(description="what to do; empty where nothing is to be done")]


class DoctorDocument(Printed):
    """`groundswell doctor --json`."""

    ok: Annotated[bool, Field(description="no check failed; a warning is no failure")]
    checks: list[CheckLine]


class TokenLine(Printed):
    """An API token, without its secret; also `groundswell token revoke --json`."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


class NewTokenDocument(TokenLine):
    """`groundswell token create --json`."""

    secret: Annotated[str, Field(description="shown only this once")]


class TokensDocument(Printed):
    """`groundswell token list --json`."""

    items: list[TokenLine]


class ServeDocument(Printed):
    """`groundswell serve --json`: printed when the server answers."""

    address: str
    home: str


class DailyStep(Printed):
    """One step of a day's work."""

    name: Annotated[str, Field(description="import, upkeep, indexes, baselines, summary, trends, warehouse, prune")]
    seconds: Seconds
    error: Annotated[str | None, Field(description="why it could not be done; it is tried again with the next call")]
    done: Annotated[
        dict[str, Any], Field(description="what it did, in its own counts; `skipped`: why there was nothing to do")
    ]


class DailyDocument(Printed):
    """`groundswell daily --json`."""

    date: date
    run: str
    state: Literal["done", "failed"]
    started_at: datetime
    steps: list[DailyStep]
