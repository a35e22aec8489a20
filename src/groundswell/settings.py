"""Where everything lives and which engine, lake, bus and desk are used.

One object, read from the environment (`GROUNDSWELL_…`) or a file `groundswell.env` in the working folder;
nothing else in the code asks where it runs.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from groundswell.errors import UsageError

ENV_FILE: Final = "groundswell.env"
PREFIX: Final = "GROUNDSWELL_"
MiB: Final = 1 << 20


class Settings(BaseSettings):
    """Every setting of Groundswell; `groundswell config` prints them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True)

    home: Annotated[Path, Field(description="folder that holds everything; removing it removes everything")] = Path(
        "groundswell-data"
    )
    engine: Annotated[
        str, Field(description="runs expressions: duckdb; or Spark by local[N], spark://host:port, sc://host:port")
    ] = "duckdb"
    spark_jars: Annotated[
        str, Field(description="jars that Spark loads (connectors of Kafka, S3): files or folders, comma-separated")
    ] = ""
    spark_options: Annotated[
        str, Field(description="further options of Spark, as name=value, semicolons between them")
    ] = ""
    lake: Annotated[str, Field(description="folder of the Delta tables, or s3://bucket/prefix; empty: HOME/lake")] = ""
    bus: Annotated[
        str, Field(description="durable raw records of streams: journal, or a topic of Kafka (kafka://host:9092/topic)")
    ] = "journal"
    schema_registry: Annotated[
        str, Field(description="address of the schema registry of Avro values in Kafka; empty: none")
    ] = ""
    desk: Annotated[
        str, Field(description="SQLAlchemy address of the application database; empty: HOME/desk.sqlite")
    ] = ""
    warehouse: Annotated[
        str, Field(description="PostgreSQL database that `warehouse sync` brings up to date; empty: none")
    ] = ""
    tz: Annotated[str, Field(description="time zone of times that name none (IANA name)")] = "UTC"
    memory: Annotated[int, Field(ge=128, description="memory of the engine, MiB")] = 400
    threads: Annotated[int, Field(ge=0, description="threads of the engine; 0: all cores")] = 0
    max_record: Annotated[int, Field(ge=1024, description="largest record, bytes; a larger one is quarantined")] = (
        16 * MiB
    )
    max_ratio: Annotated[int, Field(ge=2, description="a packed file may unpack to so many times its size")] = 250
    max_unpacked: Annotated[int, Field(ge=1, description="an archive may unpack to so much in all, MiB")] = 1 << 20
    max_members: Annotated[int, Field(ge=1, description="files that one archive may hold")] = 1_000_000
    max_columns: Annotated[int, Field(ge=1, description="columns that a table may have")] = 2_000
    max_download: Annotated[int, Field(ge=1, description="largest file that a URL may give, MiB")] = 65_536
    private_urls: Annotated[
        bool, Field(description="whether a URL or a channel may name an address that is not public")
    ] = False
    windows: Annotated[
        str,
        Field(
            description="lengths of the watch's windows, seconds, comma-separated, each a multiple of the first; "
            "only `window` where that alone is set"
        ),
    ] = "60,300,900,3600"
    window: Annotated[
        int,
        Field(ge=60, le=86_400, description="length of the windows that are shown first, seconds; among `windows`"),
    ] = 300
    budget: Annotated[
        float, Field(ge=0, description="at most about so many alerts a day over all trackers; 0: no such limit")
    ] = 5.0
    topics: Annotated[
        float, Field(ge=0, description="at most about so many emerging topics a day by chance; 0: none are looked for")
    ] = 2.0
    lateness: Annotated[int, Field(ge=0, description="how late an event may come and still count, seconds")] = 60
    promise: Annotated[
        float, Field(gt=0, description="at most about one false alert in this many days per tracker")
    ] = 30.0
    inbox: Annotated[
        str,
        Field(
            description="files, folders, globs and s3://… that the daily work imports when they are new, "
            "comma-separated; {date}, {year}, {month}, {day} stand for its date; empty: none"
        ),
    ] = ""
    daily_at: Annotated[
        str, Field(description="time of day (HH:MM, in TZ) after which `serve` does the day's work; empty: never")
    ] = ""
    commit_every: Annotated[float, Field(gt=0, description="seconds between lake commits of a stream")] = 30.0
    journal_keep: Annotated[
        float, Field(ge=0, description="hours that the journal keeps what the lake already has")
    ] = 24.0
    import_commit: Annotated[
        int, Field(ge=1, description="content of one file after which an import commits and could go on, MiB")
    ] = 2048
    keep_raw: Annotated[bool, Field(description="keep the raw content of what is imported (zstd), for `remap`")] = True
    raw_days: Annotated[
        float, Field(ge=0, description="days that raw content is kept after its import; 0: for ever")
    ] = 0.0
    s3_endpoint: Annotated[
        str,
        Field(description="address of an S3 server that is not Amazon's; its keys are found as AWS tools find them"),
    ] = ""
    s3_patience: Annotated[
        float, Field(ge=0, description="seconds that an S3 store is waited for when it stops answering")
    ] = 120.0
    host: Annotated[str, Field(description="address that `serve` listens on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="port that `serve` listens on; 0: any free one")] = 8765
    max_upload: Annotated[int, Field(ge=1024, description="largest file that the page takes, bytes")] = 20_480 * MiB
    youtube_quota: Annotated[
        int, Field(ge=0, description="units of the YouTube Data API that collectors may spend in a Pacific day")
    ] = 10_000
    youtube_endpoint: Annotated[str, Field(description="address of the YouTube Data API; empty: Google's")] = ""
    max_behind: Annotated[
        int,
        Field(ge=1_000, description="pushed records that may wait for the watch and the lake; more is told to wait"),
    ] = 5_000_000
    public_url: Annotated[
        str, Field(description="address at which people open the page, for links in messages; empty: no links")
    ] = ""
    outbox_days: Annotated[
        float, Field(gt=0, description="days after which a message that could not be sent is given up")
    ] = 3.0
    allowed_hosts: Annotated[
        str, Field(description="further host names that the server answers to, comma-separated")
    ] = ""
    log_format: Annotated[
        Literal["text", "json"], Field(description="how lines of the log look: for people, or one JSON object a line")
    ] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="least level that Groundswell logs")
    ] = "info"

    @model_validator(mode="before")
    @classmethod
    def _windows_agree(cls, values: Any) -> Any:
        """Who sets one of `window` and `windows` has set the other."""
        if not isinstance(values, dict):
            return values
        if "window" in values and "windows" not in values:
            return {**values, "windows": str(values["window"])}
        if "windows" in values and "window" not in values:
            sizes = str(values["windows"]).replace(" ", "").split(",")
            return {**values, "window": "300" if "300" in sizes else sizes[0]}
        return values

    @field_validator("windows")
    @classmethod
    def _windows_fit(cls, value: str) -> str:
        try:
            sizes = [int(size) for size in value.split(",")]
        except ValueError:
            sizes = []
        fit = sizes and min(sizes) >= 60 and max(sizes) <= 86_400 and sizes == sorted(set(sizes))
        if not fit or any(size % sizes[0] for size in sizes):
            message = "whole seconds from 60 to 86400, ascending, each a multiple of the first; such as 60,300,900,3600"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _window_is_counted(self) -> Self:
        if self.window not in self.windows_s:
            message = f"window={self.window} is none of windows={self.windows}; add it there, or set only one of them"
            raise ValueError(message)
        return self

    @field_validator("engine")
    @classmethod
    def _engine_is_known(cls, value: str) -> str:
        if value == "duckdb" or re.fullmatch(r"local(\[(\d+|\*)\])?|(spark|sc)://\S+", value):
            return value
        message = "not an engine; valid: duckdb, local[N], spark://host:port, sc://host:port"
        raise ValueError(message)

    @field_validator("spark_options")
    @classmethod
    def _spark_options_fit(cls, value: str) -> str:
        for option in filter(None, (part.strip() for part in value.split(";"))):
            if not re.fullmatch(r"spark\.[^=\s]+=.*", option, re.DOTALL):
                message = f"`{option}` is no option of Spark; write spark.executor.memory=4g;spark.cores.max=8"
                raise ValueError(message)
        return value

    @field_validator("bus")
    @classmethod
    def _bus_is_known(cls, value: str) -> str:
        if value == "journal":
            return value
        if value.startswith("kafka://"):
            return value  # what else it says is read by who opens it
        message = "not a bus; valid: journal, kafka://host:9092/topic"
        raise ValueError(message)

    @field_validator("daily_at")
    @classmethod
    def _is_time_of_day(cls, value: str) -> str:
        if value and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII) is None:
            message = f"`{value}` is no time of day; write HH:MM such as 03:30, or leave it empty"
            raise ValueError(message)
        return value

    @field_validator("tz")
    @classmethod
    def _tz_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            message = f"no time zone `{value}`; use an IANA name such as Europe/Paris"
            raise ValueError(message) from error
        return value

    @property
    def spark_options_of(self) -> dict[str, str]:
        """The further options of Spark, by name."""
        found = (part.strip().partition("=") for part in self.spark_options.split(";") if part.strip())
        return {name: value for name, _, value in found}

    @property
    def windows_s(self) -> tuple[int, ...]:
        """Lengths of the watch's windows, seconds, ascending."""
        return tuple(int(size) for size in self.windows.split(","))

    @property
    def lake_is_remote(self) -> bool:
        """Whether the Delta tables lie in an S3 store."""
        return self.lake.startswith("s3://")

    @property
    def lake_cache(self) -> Path:
        """Folder for what is kept here of a lake in a store, and can be made again: key files, indexes, counts."""
        name = hashlib.blake2b(f"{self.s3_endpoint}|{self.lake}".encode(), digest_size=8).hexdigest()
        return self.home.absolute() / "cache" / f"lake-{name}"

    @property
    def lake_path(self) -> Path:
        """Folder of the Delta tables; of a lake in a store that of its cache."""
        if self.lake_is_remote:
            return self.lake_cache
        return Path(self.lake).absolute() if self.lake else self.home.absolute() / "lake"

    @property
    def desk_url(self) -> str:
        """SQLAlchemy address of the desk."""
        return self.desk or f"sqlite:///{self.home.absolute() / 'desk.sqlite'}"

    @property
    def journal_path(self) -> Path:
        """File of the journal."""
        return self.home.absolute() / "journal.sqlite"

    @property
    def state_path(self) -> Path:
        """Folder of the detector's snapshots."""
        return self.home.absolute() / "state"

    @property
    def raw_path(self) -> Path:
        """Folder of the raw content that is kept."""
        return self.lake_path / "raw"

    @property
    def tmp_path(self) -> Path:
        """Folder for what may be removed at any time that no process runs."""
        return self.home.absolute() / "tmp"

    @property
    def cores(self) -> int:
        """Threads that the engine may use."""
        return self.threads or os.cpu_count() or 1


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; `overrides` win over the environment and the file.

    Raises:
        UsageError: a value is not valid; names the variable and what it accepts.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        what = str(first["msg"]).removeprefix("Value error, ")
        wrong = f"{PREFIX}{name.upper()}={first.get('input')!r} is not valid"
        raise UsageError(
            wrong,
            hint=f"{what}. `groundswell config` lists every setting",
        ) from error


@lru_cache(maxsize=1)
def current_settings() -> Settings:
    """The settings of this process, read once; only the outermost layer (CLI, server) calls it."""
    return load_settings()
