"""OpenTelemetry traces, where a collector is configured by the variables that all programs share.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) names an OTLP/HTTP collector; `OTEL_SERVICE_NAME`,
`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and `OTEL_SDK_DISABLED` mean what they
mean elsewhere. Every stage is a span `part.stage`; a stage within a stage of the same thread is its child.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, cast

from groundswell import __version__
from groundswell.telemetry import stages
from groundswell.telemetry.stages import Fact

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger("groundswell.telemetry")

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
#: How a process that was started by another says which trace it belongs to (W3C Trace Context, as `env` names).
_PARENT: Final = "TRACEPARENT"


_active: Tracing | None = None


def active() -> Tracing | None:
    """What makes spans in this process; null while nothing does."""
    return _active


def is_wanted() -> bool:
    """Whether the environment names a collector."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)


def listen() -> Tracing | None:
    """Send spans from now on, where a collector is configured; else null, as without the extra `tracing`.

    The caller calls `close` of what it gets at its end, so that the last spans are sent.
    """
    if not is_wanted():
        return None
    try:
        return Tracing().listen()
    except ModuleNotFoundError as error:
        # Another program's collector is no reason to stop the watch.
        log.warning("no traces are sent (%s): pip install 'groundswell[tracing]'", error)
        return None


@dataclass(frozen=True, slots=True)
class _Open:
    """A span that has begun, and what to put back when it ends."""

    span: Any
    token: Any


class Tracing:
    """The listener that makes spans of stages."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        """`provider`: where spans go; null: to the collector of the environment.

        Raises:
            ModuleNotFoundError: the extra `tracing` is not installed.
        """
        from opentelemetry import context, propagate, trace  # noqa: PLC0415 - only where traces are wanted

        self._context, self._propagate, self._trace = context, propagate, trace
        self._provider = provider or _to_collector()
        self._tracer = self._provider.get_tracer("groundswell", __version__)
        self._outer = self._propagate.extract({"traceparent": os.environ.get(_PARENT, "")})

    def listen(self) -> Self:
        """Make spans from now on."""
        global _active  # noqa: PLW0603 - one for the process, like the listeners
        _active = self
        stages.listen(self)
        return self

    def close(self) -> None:
        """Send what is left and stop listening."""
        global _active  # noqa: PLW0603 - as above
        stages.leave(self)
        _active = None if _active is self else _active
        self._provider.shutdown()

    def begin(self, part: str, name: str) -> object:
        """Begin the span of a stage, within that of the stage around it."""
        current = self._trace.get_current_span()
        outer = None if current.get_span_context().is_valid else self._outer
        span = self._tracer.start_span(f"{part}.{name}", context=outer)
        return _Open(span, self._context.attach(self._trace.set_span_in_context(span, outer)))

    def end(
        self,
        begun: object,
        part: str,
        name: str,
        seconds: float,
        facts: dict[str, Fact],
        error: BaseException | None,
    ) -> None:
        """End the span with what is known of it now."""
        opened = cast("_Open", begun)
        self._context.detach(opened.token)
        self._finish(opened.span, {f"groundswell.{key}": value for key, value in facts.items()}, error)

    def _finish(self, span: Any, attributes: Mapping[str, Fact], error: BaseException | None) -> None:
        span.set_attributes(attributes)
        if error is not None:
            span.record_exception(error)
            span.set_status(self._trace.StatusCode.ERROR, str(error))
        span.end()

    def count(self, name: str, amount: float, labels: tuple[str, ...]) -> None:
        """Counters are no part of a trace."""

    def level(self, name: str, value: float, labels: tuple[str, ...]) -> None:
        """Nor are gauges."""

    def current(self) -> tuple[str, str] | None:
        """Trace id and span id, in hexadecimal digits, of what this thread does now; null outside of any span."""
        span = self._trace.get_current_span().get_span_context()
        return (f"{span.trace_id:032x}", f"{span.span_id:016x}") if span.is_valid else None

    def request(self, method: str, headers: Mapping[str, str]) -> _Open:
        """Begin the span of an HTTP request, as part of the caller's trace where `traceparent` names one."""
        outer = self._propagate.extract(headers)
        span = self._tracer.start_span(method, context=outer, kind=self._trace.SpanKind.SERVER)
        return _Open(span, self._context.attach(self._trace.set_span_in_context(span, outer)))

    def answered(self, begun: _Open, name: str, attributes: Mapping[str, Fact], *, failed: bool) -> None:
        """End the span of an HTTP request under its final name."""
        self._context.detach(begun.token)
        begun.span.update_name(name)
        if failed:
            begun.span.set_status(self._trace.StatusCode.ERROR)
        self._finish(begun.span, attributes, None)


def _to_collector() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra

    said: dict[str, str | int] = {"service.version": __version__, "process.pid": os.getpid()}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        said["service.name"] = "groundswell"
    provider = TracerProvider(resource=Resource.create(said))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def here() -> dict[str, str]:
    """Variables by which a process that is started now joins the current trace; empty where there is none."""
    span = _current()
    if span is None:
        return {}
    return {_PARENT: f"00-{span[0]}-{span[1]}-01"}


def ids() -> dict[str, str]:
    """`trace.id` and `span.id` of what is done now, for a line of the log; empty where nothing is traced."""
    span = _current()
    return {} if span is None else {"trace.id": span[0], "span.id": span[1]}


def _current() -> tuple[str, str] | None:
    return None if _active is None else _active.current()
