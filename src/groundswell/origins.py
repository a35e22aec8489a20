"""Where each setting's value comes from and what it accepts; what `groundswell config` and the reference show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import annotated_types
from dotenv import dotenv_values
from pydantic.fields import FieldInfo

from groundswell.settings import ENV_FILE, PREFIX, Settings

Origin = Literal["default", "environment", "file", "option"]

_KINDS: Final[Mapping[object, str]] = {
    **{str: "text", int: "whole number", float: "number", Path: "path", bool: "true or false"}
}
#: What a validator checks beyond type and bounds, in words.
_CHOICES: Final[Mapping[str, str]] = {
    "engine": "duckdb, local[N], spark://host:port or sc://host:port",
    "spark_jars": "paths, comma-separated, or empty",
    "spark_options": "name=value;name=value, or empty",
    "bus": "journal, or kafka://host:9092/topic",
    "schema_registry": "http(s)://host:port, or empty",
    "desk": "address of a database (sqlite:///… or postgresql://USER@HOST/DB), or empty",
    "lake": "path or s3://bucket/prefix, or empty",
    "warehouse": "postgresql://USER@HOST/DB, or empty",
    "tz": "IANA time zone",
    "inbox": "paths, comma-separated, or empty",
    "daily_at": "HH:MM, or empty",
    "s3_endpoint": "http(s)://host:port, or empty",
    "youtube_endpoint": "http(s)://host[:port]/, or empty",
    "public_url": "http(s)://host[:port][/path], or empty",
    "allowed_hosts": "host names, comma-separated, or empty",
    "log_format": "text or json",
    "log_level": "debug, info, warning or error",
}


@dataclass(frozen=True, slots=True)
class SettingOrigin:
    """One line of `groundswell config`."""

    name: str
    variable: str
    value: str
    origin: Origin
    place: str
    """What to change to change it: the variable, the file, the option; empty for a default."""

    default: str
    accepts: str
    meaning: str


def setting_origins(settings: Settings, *, home_option: bool = False) -> list[SettingOrigin]:
    """Every setting in the order of `Settings`, with what decided its value.

    `home_option` says that `--home` was given. The file is read where `Settings` reads it, in the working folder.
    """
    environment = {name.upper() for name in os.environ}
    path = Path(ENV_FILE)
    in_file = {name.upper() for name in dotenv_values(path)} if path.is_file() else set()
    lines = []
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        origin: Origin = "default"
        place = ""
        if name == "home" and home_option:
            origin, place = "option", "--home"
        elif variable in environment:
            origin, place = "environment", variable
        elif variable in in_file:
            origin, place = "file", str(path.absolute())
        lines.append(
            SettingOrigin(
                name=name,
                variable=variable,
                value=str(getattr(settings, name)),
                origin=origin,
                place=place,
                default=str(field.default),
                accepts=_CHOICES.get(name) or _accepts(field),
                meaning=field.description or "",
            )
        )
    return lines


def _accepts(field: FieldInfo) -> str:
    kind = _KINDS.get(field.annotation, "text")
    low = high = ""
    for bound in field.metadata:
        match bound:
            case annotated_types.Ge(ge=value):
                low = f"from {value:,}"
            case annotated_types.Gt(gt=value):
                low = f"above {value:,}"
            case annotated_types.Le(le=value):
                high = f"to {value:,}"
            case _:
                continue
    return " ".join(part for part in (kind, low, high) if part)
