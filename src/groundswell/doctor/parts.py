"""Checks of the configured parts: engine, lake, bus, desk, leases, page, address."""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from importlib import resources
from typing import Final

import pyarrow as pa
from deltalake import write_deltalake
from sqlalchemy import func, select, text

from groundswell.bus import Journal
from groundswell.bus.kafka_address import is_kafka, read_address
from groundswell.bus.kafka_clients import partitions_of
from groundswell.bus.lag import read_lag
from groundswell.desk import migrations, open_desk, tokens
from groundswell.desk.clock import moment, wall_us
from groundswell.desk.leases import describe, holder_of
from groundswell.desk.tables import RunRow
from groundswell.doctor.finding import Finding, fail, ok, warn
from groundswell.engines import open_engine
from groundswell.lake import Lake
from groundswell.lake.delta import options_of
from groundswell.lake.failures import told
from groundswell.settings import Settings
from groundswell.stores import Place, S3Path

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
#: A larger journal is not read through: that would take longer than anybody waits for a check.
_CHECKED_WHOLE: Final = 256 << 20
_LEASES: Final = ("watch", "lake")


def engine(settings: Settings) -> Finding:
    """The engine starts and computes a sum."""
    opened = open_engine(settings)
    try:
        numbers = opened.register("numbers", pa.table({"n": pa.array([1, 2, 39], pa.int64())}))
        total = opened.run(numbers.aggregate(total=numbers["n"].sum())).read_all()["total"][0].as_py()
    finally:
        opened.close()
    if total != 42:
        return fail("engine", f"{settings.engine} computed 1 + 2 + 39 = {total}", "reinstall its packages")
    return ok("engine", f"{settings.engine} runs, {settings.cores} threads, {settings.memory} MiB")


def lake(settings: Settings) -> Finding:
    """The lake opens, and a table can be made where it is."""
    opened = Lake.open(settings)
    if isinstance(opened.root, S3Path):
        with told("write there", opened.root):
            opened.root.store.patiently(f"write {opened.root}", lambda: _probe(opened.root))
    else:
        opened.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=opened.root) as probe:
            write_deltalake(probe, pa.table({"n": pa.array([1], pa.int64())}))
    held = f"{opened.count('posts'):,} observations, {opened.count('quarantine'):,} in quarantine"
    return ok("lake", f"{settings.lake or 'HOME/lake'}: {held}")


def _probe(root: Place) -> None:
    """Make a table in a store, and remove its files again."""
    probe = root / f".doctor-{secrets.token_hex(8)}"
    write_deltalake(str(probe), pa.table({"n": pa.array([1], pa.int64())}), storage_options=options_of(probe))
    files: list[Place] = [*probe.rglob("*")]
    for file in files:
        file.unlink(missing_ok=True)


def bus(settings: Settings) -> Finding:
    """The journal opens, is in WAL mode and undamaged; or Kafka answers and has the topic."""
    if is_kafka(settings.bus):
        address = read_address(settings.bus)
        count = len(partitions_of(address, wait_s=5.0))
        with open_desk(settings) as opened, opened.reading() as session:
            lags = [lag for lag in read_lag(session, wall_us()) if lag.topic == address.topic]
        behind = f", {sum(lag.behind for lag in lags):,} messages to read" if lags else ", not read yet"
        return ok("bus", f"{address.where}, {count} partitions{behind}")
    path = settings.journal_path
    with closing(Journal(path)) as journal:
        last = journal.last_block()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            small = path.stat().st_size < _CHECKED_WHOLE
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if small else "ok"
    if problem != "ok":
        return fail("bus", f"{path} is damaged: {problem}", "move the file away; what the lake has is not lost")
    if mode != "wal":
        return fail("bus", f"{path} is not in WAL mode but {mode}", "put the home on a local disk")
    return ok("bus", f"journal, WAL, block {last}")


def desk(settings: Settings) -> Finding:
    """The desk opens with the newest schema and can be written."""
    with open_desk(settings) as opened:
        with opened.session() as session:
            session.execute(text("SELECT 1"))
        return ok("desk", f"{opened.where if settings.desk else 'HOME/desk.sqlite'}, schema {migrations.HEAD}")


def leases(settings: Settings) -> Finding:
    """Who writes now: the watch and the lake each have one writer."""
    with open_desk(settings) as opened, opened.reading() as session:
        held = {name: holder for name in _LEASES if (holder := holder_of(session, name))}
    shown = [f"{name} by {describe(holder)}" for name, holder in held.items()]
    return ok("leases", f"held: {'; '.join(shown)}" if shown else "free")


def times(settings: Settings) -> Finding:
    """No run began in the future: the clock was not set back."""
    with open_desk(settings) as opened, opened.reading() as session:
        newest = session.scalar(select(func.max(RunRow.started_at)))
    if newest is not None and newest > wall_us():
        began = f"a run began at {moment(newest):%Y-%m-%d %H:%M} UTC, it is {datetime.now(UTC):%Y-%m-%d %H:%M} now"
        return warn("runs", began, "check the clock of this machine")
    return ok("runs", f"last began {moment(newest):%Y-%m-%d %H:%M} UTC" if newest else "none yet")


def page(_: Settings) -> Finding:
    """The web page is built into the package."""
    if resources.files("groundswell.web").joinpath("static", "index.html").is_file():
        return ok("page", "built")
    return warn("page", "the web page is not built; API and command line work", "run `make setup`")


def address(settings: Settings) -> Finding:
    """An address that others can reach needs a token."""
    where = f"{settings.host}:{settings.port}"
    if settings.host in _LOOPBACK:
        return ok("address", f"{where}, this computer only")
    with open_desk(settings) as opened, opened.reading() as session:
        if tokens.any_active(session):
            return ok("address", f"{where}, guarded by a token")
    return fail("address", f"{where} is reachable by others and no token exists", "groundswell token create NAME")
