"""An OTLP/HTTP collector that keeps the spans that are sent to it, decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.services.receiver import Receiver, receiving


class Spans:
    """The spans that have arrived."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    @property
    def endpoint(self) -> str:
        """For `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return self._receiver.url.rstrip("/")

    def _exports(self) -> Iterator[Any]:
        for request in list(self._receiver.requests):
            assert request.path.endswith("/v1/traces")
            assert request.headers["content-type"] == "application/x-protobuf"
            yield from ExportTraceServiceRequest.FromString(request.body).resource_spans

    @property
    def resource(self) -> dict[str, Any]:
        """What the first sender says of itself."""
        return _values(next(self._exports()).resource.attributes)

    @property
    def all(self) -> list[Any]:
        """Every span, in the order of arrival."""
        return [span for export in self._exports() for scope in export.scope_spans for span in scope.spans]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [span.name for span in self.all]

    def one(self, name: str) -> Any:
        """The first span of that name."""
        return next(span for span in self.all if span.name == name)

    def facts(self, span: Any) -> dict[str, Any]:
        """Its attributes."""
        return _values(span.attributes)


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def collecting() -> Iterator[Spans]:
    """A collector that listens for the length of the block."""
    with receiving() as receiver:
        yield Spans(receiver)
