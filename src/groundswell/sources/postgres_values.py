"""Values of PostgreSQL as text: as the server writes them, but for the types whose writing is its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg


def register_texts(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Have every value as the server writes it, but for the types whose writing is PostgreSQL's own."""
    from psycopg.types.string import TextLoader  # noqa: PLC0415 - an extra

    loaders = _loaders()
    loose = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
    if loose:
        # Nobody checked what such a database holds; what is not UTF-8 is set aside row by row.
        connection.execute("set client_encoding = 'SQL_ASCII'")
        connection.commit()
    plain = loaders["loose"] if loose else TextLoader
    adapters = connection.adapters
    adapters.register_loader(0, plain)
    for known in adapters.types:
        adapters.register_loader(known.oid, loaders.get(known.name, plain))
        if known.array_oid:
            adapters.register_loader(known.array_oid, _array_loader(known.oid, known.name, known.delimiter.encode()))


def register_arrays(connection: psycopg.Connection[tuple[Any, ...]], oids: Sequence[int]) -> None:
    """Have arrays of the database's own types (enumerations) as JSON too."""
    strange = [oid for oid in oids if connection.adapters.types.get(oid) is None]
    if strange:
        found = connection.execute(
            "select oid::int8, typelem::int8 from pg_type where oid = any(%s) and typcategory = 'A'", [strange]
        )
        for oid, element in found:
            connection.adapters.register_loader(int(oid), _array_loader(int(element), "text", b","))


_NUMBERS: Final = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
_AS_THEY_ARE: Final = _NUMBERS | {"bool", "json", "jsonb"}


def _loaders() -> dict[str, Any]:
    from psycopg.adapt import Loader  # noqa: PLC0415 - an extra

    class Zoned(Loader):
        """`2026-01-02 03:04:05.5+00` as `2026-01-02T03:04:05.5Z`."""

        def load(self, data: Any) -> str:
            text = bytes(data).decode()
            return text.replace(" ", "T", 1)[:-3] + "Z" if text.endswith("+00") else text

    class Boolean(Loader):
        """`true` or `false`."""

        def load(self, data: Any) -> str:
            return "true" if bytes(data) == b"t" else "false"

    class Bytes(Loader):
        """Base64."""

        def load(self, data: Any) -> str:
            return base64.b64encode(bytes.fromhex(bytes(data)[2:].decode())).decode()

    class Loose(Loader):
        """Text of a database that does not know its encoding."""

        def load(self, data: Any) -> str:
            return bytes(data).decode("utf-8", "surrogateescape")

    return {"timestamptz": Zoned, "bool": Boolean, "bytea": Bytes, "loose": Loose}


def _array_loader(element: int, name: str, between: bytes) -> Any:
    """A loader of arrays as JSON: numbers, booleans and JSON as they are, everything else as text."""
    from psycopg.types.array import ArrayLoader  # noqa: PLC0415 - an extra

    def written(value: Any) -> str:
        if value is None:
            return "null"
        if isinstance(value, list):
            return "[" + ",".join(map(written, value)) + "]"
        bare = name in _AS_THEY_ARE and value not in ("NaN", "Infinity", "-Infinity")
        return str(value) if bare else json.dumps(value, ensure_ascii=False)

    class JsonArray(ArrayLoader):
        delimiter = between
        base_oid = element

        def load(self, data: Any) -> Any:
            return written(super().load(data))

    return JsonArray
