"""The log of a process, on standard error: lines for people, or one JSON object a line for programs.

The names in JSON are those of the Elastic Common Schema, which OpenTelemetry has taken over: `@timestamp`,
`log.level`, `message`, `log.logger`, `error.type` and so on.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from groundswell import __version__
from groundswell.telemetry import stages, tracing

Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]

ECS: Final = "8.17.0"
#: Where `extra=` puts fields of the schema, as a mapping: `log.info("…", extra={"fields": {"url.path": "/"}})`.
FIELDS: Final = "fields"

_PLAIN: Final = "%(asctime)s %(levelname)s %(message)s"


class _ToStderr(logging.Handler):
    """Writes to what standard error is now, and counts what it writes."""

    def emit(self, record: logging.LogRecord) -> None:
        stages.count("log_messages", 1, record.levelname.lower())
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written must not stop the work, and there is nowhere to say so."""


class PlainLines(logging.Formatter):
    """`2026-11-20 12:00:00,000 WARNING text`, times UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(_PLAIN)


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; what cannot be said in JSON is said as text."""
        said: dict[str, Any] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "ecs.version": ECS,
            "log.logger": record.name,
            "service.name": "groundswell",
            "service.version": __version__,
            "process.pid": record.process,
            "process.thread.name": record.threadName,
            **tracing.ids(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            said["error.type"] = record.exc_info[0].__name__
            said["error.message"] = str(record.exc_info[1])
            said["error.stack_trace"] = self.formatException(record.exc_info)
        fields = getattr(record, FIELDS, None)
        if isinstance(fields, Mapping):
            said.update(fields)
        return json.dumps(said, ensure_ascii=False, default=str)


class Sentences(io.TextIOBase):
    """A text stream whose lines become lines of the log: for what a verb tells a person in the meantime."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._rest = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """No: nothing may be drawn over."""
        return False

    def write(self, text: str) -> int:
        """Log each line that is complete, without what surrounds it."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._logger.info("%s", line.strip())
        return len(text)


def configure(how: Format = "text", least: Level = "info") -> None:
    """Log to standard error from now on; called again, the last call counts.

    `least` is the lowest level of Groundswell's own lines; of libraries only warnings and errors are written.
    """
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _ToStderr)]:
        root.removeHandler(handler)
    handler = _ToStderr()
    handler.setFormatter(JsonLines() if how == "json" else PlainLines())
    root.addHandler(handler)
    # A library's level of its own (uvicorn's) would be stricter or laxer than what is asked for here.
    root.setLevel(logging.WARNING if least in {"debug", "info"} else least.upper())
    logging.getLogger("groundswell").setLevel(least.upper())


def sentences() -> TextIO:
    """A stream for `rich.Console` that logs what is printed."""
    return Sentences(logging.getLogger("groundswell.cli"))  # type: ignore[return-value]  # all of a TextIO that is used
