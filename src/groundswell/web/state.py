"""What works, what comes in and how far the watch is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from groundswell import __version__
from groundswell.bus.kafka_address import is_kafka, read_address
from groundswell.bus.lag import PartitionLag, read_lag
from groundswell.desk import alerts, changes, channels, checkpoints, outbox, trackers
from groundswell.desk.clock import moment
from groundswell.errors import GroundswellError, UnavailableError
from groundswell.stores import hurried
from groundswell.web.lags import reader_lags, silence
from groundswell.web.models import Health, PartHealth, PartitionStatus, ReaderStatus, Status
from groundswell.web.stock import PATIENCE_S

if TYPE_CHECKING:
    from groundswell.web.services import Services

_SECOND: Final = 1_000_000


def read_health(services: Services) -> Health:
    """Each part and whether it works."""
    parts = [
        _part("desk", lambda: _desk(services)),
        _part("journal", lambda: _bus(services)),
        _part("lake", lambda: _lake(services)),
        _part("watch", services.watching.describe),
        _part("channels", lambda: _channels(services)),
    ]
    return Health(status="ok" if all(part.ok for part in parts) else "degraded", version=__version__, parts=parts)


def _desk(services: Services) -> str:
    with services.desk.reading() as session:
        return f"{len(trackers.list_active(session)):,} trackers"


def _lake(services: Services) -> str:
    trouble = services.lake.trouble
    if trouble is not None:
        raise UnavailableError(trouble)
    with hurried(PATIENCE_S):
        return f"{services.lake.count():,} observations"


def _bus(services: Services) -> str:
    trouble = _bus_trouble(services)
    if trouble is not None:
        raise UnavailableError(trouble)
    return f"{services.journal.next_record():,} records received"


def _bus_trouble(services: Services) -> str | None:
    found = services.watching.bus_trouble() or services.journal.trouble()
    # Where no broker answers, the watch does not even start.
    return found or (services.watching.failure() if is_kafka(services.settings.bus) else None)


def _posts(services: Services) -> int | None:
    try:
        return services.stock.look().posts
    except UnavailableError:
        return None


def _lake_trouble(services: Services) -> str | None:
    """Why the lake is not written, or its store waited for."""
    status = services.watching.status()
    return services.lake.trouble or (None if status is None else status.trouble)


def _channels(services: Services) -> str:
    with services.desk.reading() as session:
        count, failing = len(channels.listed(session)), channels.failing(session)
    if failing:
        what = f"the channel {failing[0].name} does not work: {failing[0].trouble}"
        others = f"; {len(failing) - 1} more" if len(failing) > 1 else ""
        raise UnavailableError(what + others)
    return f"{count:,} channels"


def _part(name: str, look: Callable[[], str]) -> PartHealth:
    try:
        return PartHealth(name=name, ok=True, detail=look())
    except GroundswellError as error:
        return PartHealth(name=name, ok=False, detail=str(error))


def read_status(services: Services) -> Status:
    """What the head of the page says."""
    settings, pace = services.settings, services.pace
    with services.desk.reading() as session:
        mark = checkpoints.get(session, "watch")
        runner = services.watching.where(session)
        followed = len(trackers.list_active(session))
        opened, seq = alerts.open_count(session), changes.last_seq(session)
        lags = read_lag(session, services.now())
        clock = pace.clock_us or services.now()  # of a replay: what waits is as old as the stream says
        readers = reader_lags(session, services.journal, lags, clock, services.watching.block())
        failing, waiting = [row.name for row in channels.failing(session)], outbox.pending(session)
    watermark = None if mark is None else mark.watermark
    newest = None if watermark is None else watermark + settings.lateness * _SECOND
    return Status(
        runner=runner,
        posts_per_s=pace.per_second,
        newest_event_at=_moment(newest),
        watermark=_moment(watermark),
        clock=_moment(pace.clock_us),
        late_by_s=pace.late_s,
        window_s=settings.window,
        windows_s=list(settings.windows_s),
        budget_per_day=settings.budget or None,
        promise_days=settings.promise,
        trackers=followed,
        open_alerts=opened,
        posts_total=_posts(services),
        sources=list(pace.sources),
        channels_failing=failing,
        messages_waiting=waiting,
        bus=read_address(settings.bus).where if is_kafka(settings.bus) else settings.bus,
        bus_trouble=_bus_trouble(services) or (silence(lags) if runner == "elsewhere" else None),
        lake_trouble=_lake_trouble(services),
        readers=[ReaderStatus(reader=lag.reader, behind=lag.records, late_s=round(lag.seconds, 1)) for lag in readers],
        partitions=[partition_status(lag, services.now()) for lag in lags],
        seq=seq,
    )


def partition_status(lag: PartitionLag, now_us: int) -> PartitionStatus:
    """A partition as the page and `groundswell bus` show it."""
    late = lag.late_s(now_us)
    return PartitionStatus(
        consumer=lag.consumer,
        topic=lag.topic,
        partition=lag.partition,
        next_offset=lag.next_offset,
        end_offset=lag.end_offset,
        behind=lag.behind,
        late_s=None if late is None else round(late, 1),
        reading=lag.reading,
        owner=lag.owner,
        lost=lag.lost,
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)
