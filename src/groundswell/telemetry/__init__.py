"""What the product says of itself while it works: stages, counts, logs and traces. It knows no other room.

Work is wrapped in a `stage`; who listens (`metrics.listen`, `tracing.listen`) is decided where the process starts, and
while nobody does, a stage costs a fraction of a microsecond and loads nothing.
"""

from __future__ import annotations

from groundswell.telemetry.stages import count, each, is_heard, level, stage

__all__ = ["count", "each", "is_heard", "level", "stage"]
