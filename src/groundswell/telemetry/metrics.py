"""Metrics of this process for Prometheus: what `stages` are told, and what the interpreter and the system say.

What can be read from the home itself (ledger, journal, desk, lake) is not counted here but asked when somebody looks,
see `groundswell.web.metrics`; so it is right whichever process did the work, and after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from groundswell.telemetry import stages
from groundswell.telemetry.stages import Fact

#: Upper ends of the histograms, seconds: a step of the watch takes milliseconds, a file minutes.
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

# When a series began is what the restart of a process says, and half of all lines.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
REGISTRY: Final = CollectorRegistry(auto_describe=False)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

STAGE_SECONDS: Final = Histogram(
    "groundswell_stage_seconds",
    "Seconds that a stage of the work took in this process.",
    ["part", "stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
ERRORS: Final = Counter(
    "groundswell_errors", "Stages of the work that ended with an error.", ["part", "stage"], registry=REGISTRY
)
#: What `stages.count` knows, by the name that it is called with.
COUNTERS: Final = {
    "records_done": Counter(
        "groundswell_reader_records",
        "Records of the bus that a reader (watch, lake) of this process has done.",
        ["reader"],
        registry=REGISTRY,
    ),
    "windows_closed": Counter(
        "groundswell_windows_closed",
        "Windows of trackers that the watch of this process closed, by their length in seconds.",
        ["window_s"],
        registry=REGISTRY,
    ),
    "alerts_raised": Counter(
        "groundswell_alerts_raised", "Alerts that the watch of this process opened.", registry=REGISTRY
    ),
    "log_messages": Counter(
        "groundswell_log_messages", "Lines that this process logged, by level.", ["level"], registry=REGISTRY
    ),
    "http_requests": Counter(
        "groundswell_http_requests",
        "Requests that were answered, by method, route and status.",
        ["method", "route", "status"],
        registry=REGISTRY,
    ),
    "dead_letters": Counter(
        "groundswell_dead_letters",
        "Records of Kafka that could not be read and were set aside, by topic.",
        ["topic"],
        registry=REGISTRY,
    ),
}
#: What `stages.level` knows.
GAUGES: Final = {
    "kafka_lag": Gauge(
        "groundswell_kafka_lag_records",
        "Records of a partition of a Kafka topic that this process's consumer has not fetched yet.",
        ["topic", "partition"],
        registry=REGISTRY,
    ),
}
HTTP_SECONDS: Final = Histogram(
    "groundswell_http_request_seconds",
    "Seconds until a request was answered whole, by method and route.",
    ["method", "route"],
    buckets=_SECONDS,
    registry=REGISTRY,
)


class Source(Protocol):
    """What metrics can be collected from."""

    def collect(self) -> Iterable[Metric]:
        """Its metrics as they are now."""
        ...


class Together:
    """Several sources of metrics as one; no two may have a metric of the same name."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        """The metrics of all, one source after the other."""
        for source in self._sources:
            yield from source.collect()


def exposition(sources: Source, accept: str) -> tuple[bytes, str]:
    """All metrics of `sources` in the format that an `Accept` header asks for, and its content type."""
    encoder, content_type = choose_encoder(accept)
    body: bytes = encoder(sources)
    return body, content_type


class _Metrics:
    """The listener that keeps the metrics above."""

    def begin(self, part: str, name: str) -> object:
        return None

    def end(
        self,
        begun: object,
        part: str,
        name: str,
        seconds: float,
        facts: dict[str, Fact],
        error: BaseException | None,
    ) -> None:
        STAGE_SECONDS.labels(part, name).observe(seconds)
        if error is not None:
            ERRORS.labels(part, name).inc()

    def count(self, name: str, amount: float, labels: tuple[str, ...]) -> None:
        counter = COUNTERS[name]
        (counter.labels(*labels) if labels else counter).inc(amount)

    def level(self, name: str, value: float, labels: tuple[str, ...]) -> None:
        gauge = GAUGES[name]
        (gauge.labels(*labels) if labels else gauge).set(value)


_METRICS: Final = _Metrics()


def listen() -> None:
    """Count from now on."""
    stages.listen(_METRICS)


def leave() -> None:
    """Count no longer; what was counted stays."""
    stages.leave(_METRICS)
