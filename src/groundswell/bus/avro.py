"""Values in the wire format of a schema registry: a zero byte, the id of a schema (4 bytes), and the record.

Schemas never change, so each is asked for once, and kept in the home: a registry that is away stops nothing that was
read before. https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec

from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_records import NOT_JSON, Decode, PoisonError
from groundswell.errors import UnavailableError

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: Variables of the environment with the login of a registry.
USER: Final = "GROUNDSWELL_REGISTRY_USER"
PASSWORD: Final = "GROUNDSWELL_REGISTRY_PASSWORD"  # noqa: S105 - the name of a variable
_HEAD: Final = struct.Struct(">bI")
_PATIENCE_S: Final = 10.0
_DEEPEST: Final = 20


def decoder_for(address: KafkaAddress, settings: Settings) -> Decode | None:
    """What reads the Avro values of a topic; null where neither address nor settings name a registry."""
    url = address.options.get("registry") or settings.schema_registry
    return None if not url else AvroDecoder(Registry(url, settings.home / "cache" / "schemas"))


class Registry:
    """The schemas of a registry, each asked for once; `folder` keeps them. Threads may share it."""

    def __init__(self, url: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        variables = os.environ if environment is None else environment
        login = (variables.get(USER, ""), variables.get(PASSWORD, ""))
        self._login = login if login[0] else None
        self._folder = folder / hashlib.sha256(self.url.encode()).hexdigest()[:16]
        self._lock = threading.Lock()
        self._found: dict[str, dict[str, Any]] = {}

    def schema(self, number: int) -> dict[str, Any]:
        """The registry's document of a schema: `schema`, `schemaType`, `references`.

        Raises:
            PoisonError: the registry has no such schema.
            UnavailableError: it cannot be reached.
        """
        return self._get(f"schemas/ids/{number}")

    def referred(self, subject: str, version: int) -> dict[str, Any]:
        """The document of a schema that another refers to."""
        return self._get(f"subjects/{subject}/versions/{version}")

    def _get(self, path: str) -> dict[str, Any]:
        with self._lock:
            if path not in self._found:
                self._found[path] = self._read(path)
            return self._found[path]

    def _read(self, path: str) -> dict[str, Any]:
        file = self._folder / f"{path.replace('/', '-')}.json"
        if file.exists():
            document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return document
        try:
            answer = httpx.get(f"{self.url}/{path}", auth=self._login, timeout=_PATIENCE_S)
        except httpx.HTTPError as error:
            what = f"the schema registry cannot be reached ({error or type(error).__name__})"
            raise UnavailableError(what, where=self.url, hint="check its address and that it runs") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            what = "Avro: the schema registry does not have its schema"
            raise PoisonError(what, path)
        if answer.status_code != httpx.codes.OK:
            what = f"the schema registry answers {answer.status_code}"
            hint = f"check its address, and {USER} and {PASSWORD} in the environment"
            raise UnavailableError(what, where=self.url, hint=hint)
        document = answer.json()
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(document), encoding="utf-8")
        partial.replace(file)
        return document


class AvroDecoder:
    """Gives the JSON of a value: times as RFC 3339, bytes as base64, decimals as text."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._parsed: dict[int, Any] = {}

    def __call__(self, value: bytes) -> bytes:
        """The JSON of a value in the wire format.

        Raises:
            PoisonError: it does not fit its schema, or there is no such schema.
            UnavailableError: the registry cannot be reached, or fastavro is not installed.
        """
        if len(value) < _HEAD.size:
            what = "Avro: too short for the id of a schema"
            raise PoisonError(what)
        number = _HEAD.unpack_from(value)[1]
        body = value[_HEAD.size :]
        document = self._registry.schema(number)
        kind = document.get("schemaType", "AVRO")
        if kind == "JSON":
            return _checked(body)
        if kind != "AVRO":
            what = f"a schema of the type {kind}, which is not read"
            raise PoisonError(what, f"schema {number}")
        return self._decode(number, document, body)

    def _decode(self, number: int, document: Mapping[str, Any], body: bytes) -> bytes:
        fastavro = _fastavro()
        try:
            if number not in self._parsed:
                named: dict[str, Any] = {}
                self._refer(document, named, 0)
                self._parsed[number] = fastavro.parse_schema(json.loads(document["schema"]), named)
            stream = io.BytesIO(body)
            record = fastavro.schemaless_reader(stream, self._parsed[number], None)
            if stream.read(1):
                what = "Avro: more bytes than its schema has"
                raise PoisonError(what, f"schema {number}")
            return msgspec.json.encode(record)
        except (PoisonError, UnavailableError):
            raise
        except Exception as error:  # whatever a strange value makes of the reader
            what = "Avro: it does not fit its schema"
            raise PoisonError(what, f"schema {number}: {type(error).__name__}: {error}") from error

    def _refer(self, document: Mapping[str, Any], named: dict[str, Any], depth: int) -> None:
        """Parse the schemas that a schema refers to before it."""
        if depth > _DEEPEST:
            what = "Avro: schemas refer to each other too deeply"
            raise PoisonError(what)
        for reference in document.get("references") or ():
            other = self._registry.referred(reference["subject"], reference["version"])
            self._refer(other, named, depth + 1)
            _fastavro().parse_schema(json.loads(other["schema"]), named)


def _checked(body: bytes) -> bytes:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PoisonError(NOT_JSON, str(error)) from error
    return body


def _fastavro() -> Any:
    try:
        import fastavro  # noqa: PLC0415 - an extra
    except ImportError as error:
        what = "Avro needs a package that is not installed"
        raise UnavailableError(what, hint="pip install 'groundswell[kafka]'") from error
    return fastavro
