"""Engines run Ibis expressions: DuckDB in process, or Spark. One contract, see `contract.py`."""

from __future__ import annotations

from groundswell.engines.contract import RECORD, Engine
from groundswell.settings import Settings

__all__ = ["RECORD", "Engine", "open_engine"]


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name; imported only now, so that nobody pays for the other one.

    Raises:
        UnavailableError: the engine's extra is not installed or it does not start.
    """
    if settings.engine == "duckdb":
        from groundswell.engines.duckdb import DuckEngine  # noqa: PLC0415 - loads one engine and not the other

        return DuckEngine(settings)
    from groundswell.engines.spark import SparkEngine  # noqa: PLC0415 - loads one engine and not the other

    return SparkEngine(settings)
