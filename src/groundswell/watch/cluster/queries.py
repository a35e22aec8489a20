"""A streaming query of Spark that is kept going: what may pass is waited for, what may not is said in words."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from groundswell.bus.kafka_address import KafkaAddress
from groundswell.desk import DeskLostError
from groundswell.errors import ConflictError, GroundswellError, UnavailableError
from groundswell.watch.history import StoppedError

log = logging.getLogger("groundswell.watch")

Batch = Callable[[Any, int], None]
"""Does a micro-batch: a frame, and Spark's number of it."""

#: How long a query rests before it is started again, seconds: at first, and at most.
REST_S: Final = 1.0
_LONGEST_S: Final = 15.0
#: What Java and Python say where somebody was away, who may come back.
_PASSES: Final = re.compile(
    r"Timeout|timed out|Disconnect|Connection|connect to|NotAvailable|NotLeader|NetworkException|RetriableException"
    r"|UnknownTopicOrPartition|ExecutorLost|Lost executor|No route to host|SocketException"
    r"|groundswell\.errors\.UnavailableError"
)
_LOST: Final = re.compile(r"data may have been (?:lost|missed)|failOnDataLoss|OffsetOutOfRange")
_SAID: Final = re.compile(r"groundswell\.errors\.UnavailableError: (.+)")


class QueryEndedError(UnavailableError):
    """A query that would end in the same way again."""


class Query:
    """A query that `begin` starts, whose micro-batches `do` takes; `live`: it is started again after what may pass."""

    def __init__(
        self,
        begin: Callable[[Batch], Any],
        do: Batch,
        address: KafkaAddress,
        *,
        live: bool,
        waits: bool = False,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        """`waits` for another process that stands in the way; `renew` is called before it is started again."""
        self._begin = begin
        self._do = do
        self._address = address
        self._live = live
        self._waits = waits
        self._renew = renew
        self._running: Any = None
        self._failure: Exception | None = None
        self._rest_s = REST_S
        self._again_at: float | None = None
        self.trouble: GroundswellError | None = None
        """Why it rests; null while all is well."""

    def start(self) -> None:
        """Start it.

        Raises:
            UnavailableError: Spark does not take it.
        """
        self._failure, self._again_at = None, None
        try:
            self._running = self._begin(self._batch)
        except Exception as error:
            raise trouble_of(error, self._address) from error

    def _batch(self, frame: Any, number: int) -> None:
        # What goes wrong here is told by Spark in many lines of Java; people want what was said at first.
        try:
            self._do(frame, number)
        except Exception as error:
            self._failure = error
            raise
        self._well()

    def _well(self) -> None:
        if self.trouble is not None:
            log.info("%s is read again", self._address.where)
        self.trouble, self._rest_s = None, REST_S

    @property
    def is_active(self) -> bool:
        """Whether it runs, or will again."""
        return self._again_at is not None or bool(self._running.isActive)

    @property
    def has_failed(self) -> bool:
        """Whether its last micro-batch was not done to its end."""
        return self._failure is not None

    def progress(self) -> Any:
        """What Spark says of its last trigger; null before the first since it was started."""
        return self._running.lastProgress

    def keep(self) -> None:
        """Start it again once it has rested, where it ended by what may pass.

        Raises:
            GroundswellError: it ended by something else.
        """
        if self._again_at is None:
            if self._running.isActive:
                if self.trouble is not None and self.progress() is not None:
                    self._well()
                return
            failed = self._running.exception()
            if failed is None or isinstance(self._failure, StoppedError):
                return
            self._rest(self._failure or failed)
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self._renew()
            self.start()

    def _rest(self, failed: Exception) -> None:
        mine = isinstance(failed, GroundswellError)
        found = failed if isinstance(failed, GroundswellError) else trouble_of(failed, self._address)
        if not self._live or not self._may_pass(found):
            raise found from (None if mine else failed)
        if self.trouble is None:
            log.error("%s; tried again until that has passed: %s", found.what, found.where)
        self.trouble = found
        self._again_at = time.monotonic() + self._rest_s
        self._rest_s = min(2 * self._rest_s, _LONGEST_S)

    def _may_pass(self, error: GroundswellError) -> bool:
        # A lost desk asks for more than a query that is started again.
        if isinstance(error, QueryEndedError | DeskLostError):
            return False
        return isinstance(error, UnavailableError) or (self._waits and isinstance(error, ConflictError))

    def stop(self) -> None:
        """End it after what it does just now."""
        if self._running is not None:
            self._running.stop()


def ends_of(progress: Any, topic: str) -> dict[int, int]:
    """The offset of each partition up to which a trigger has read everything."""
    found: dict[int, int] = {}
    for source in progress["sources"]:
        said = source["endOffset"]
        document = msgspec.json.decode(said) if isinstance(said, str) else said
        if isinstance(document, dict):
            found |= {int(number): int(offset) for number, offset in document.get(topic, {}).items()}
    return found


def trouble_of(error: Exception, address: KafkaAddress) -> UnavailableError:
    """What Spark says as one of our errors: what is wrong, where, and what to do."""
    text = str(error)
    if "kafka" in text and ("Failed to find data source" in text or "DATA_SOURCE_NOT_FOUND" in text):
        hint = "name its jars in GROUNDSWELL_SPARK_JARS, see docs/deploy/spark.md"
        return QueryEndedError("Spark has no connector for Kafka", where=address.where, hint=hint)
    if _LOST.search(text):
        what = "Kafka has removed messages before they were read, or the topic was made anew"
        hint = "keep them for longer (retention.ms); to go on with what is there, remove its folder in HOME/spark"
        return QueryEndedError(what, where=address.where, hint=hint)
    said = _SAID.search(text)
    if said is not None:
        return UnavailableError(f"a worker of Spark says: {said[1]}", where=address.where)
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    cause = next((line for line in lines if line.startswith("Caused by:") and _PASSES.search(line)), lines[0])
    hint = "is the address right, and do the brokers answer? What was done stays done; start again to go on"
    kind = UnavailableError if _PASSES.search(text) else QueryEndedError
    return kind(f"the query ended ({cause[:300]})", where=address.where, hint=hint)
