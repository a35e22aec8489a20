"""A schema registry: gives registered schemas by their number, as Confluent's and Apicurio's do."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import fastavro
from tests.services.listening import QuietHandler, listening


@dataclass
class SchemaRegistry:
    """What it has and what was asked; `refuse` is a status with which everything is answered."""

    url: str = ""
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refuse: int | None = None

    def register(self, number: int, schema: Mapping[str, Any], **more: Any) -> None:
        """Have a schema under a number."""
        self.documents[f"/schemas/ids/{number}"] = {"schema": json.dumps(schema), **more}

    def refer(self, subject: str, version: int, schema: Mapping[str, Any]) -> None:
        """Have a schema that others refer to."""
        self.documents[f"/subjects/{subject}/versions/{version}"] = {"schema": json.dumps(schema)}


def wire(number: int, schema: Mapping[str, Any], record: Mapping[str, Any]) -> bytes:
    """A record in the wire format."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(dict(schema)), dict(record))
    return struct.pack(">bI", 0, number) + stream.getvalue()


@contextmanager
def serving() -> Iterator[SchemaRegistry]:
    """A registry that listens for the length of the block."""
    found = SchemaRegistry()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            document = found.documents.get(self.path)
            status = found.refuse or (404 if document is None else 200)
            said = json.dumps({"error_code": 40403} if document is None else document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    with listening(Handler) as address:
        found.url = address
        yield found
