"""Leases: who may do a thing that only one may do, with an epoch that fences off a holder that slept.

A lease is renewed by a thread while it is held, so that a long step does not lose it; a holder that was
stopped (or whose machine slept) for longer than the time to live finds out by `Held.guard` in its next
transaction. A holder on the same host whose process is gone is replaced at once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from groundswell.desk.clock import Clock, wall_us
from groundswell.desk.database import Desk
from groundswell.desk.tables import LeaseRow
from groundswell.errors import ConflictError, GroundswellError

_SECOND = 1_000_000
_POLL_S = 0.05
#: Asked in every transaction of a holder: made once, and past the mapper.
_LEASES = LeaseRow.__table__.c
_EPOCH = select(_LEASES.epoch, _LEASES.holder).where(_LEASES.name == bindparam("name"))


def start_time_of(pid: int) -> str | None:
    """What tells a process from a later one with the same number; null if there is no such process.

    On Linux the start time in clock ticks since boot; elsewhere only whether the process exists ("").
    """
    proc = Path("/proc/self/stat")
    if proc.exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        state, *fields = stat.rpartition(")")[2].split()
        # A zombie has ended; only its parent has not asked yet.
        return None if state in "ZX" else fields[18]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


@lru_cache(maxsize=1)
def _host() -> str:
    # Containers may share a host name but not their process numbers.
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{namespace}"


def this_process() -> str:
    """`host:pid:start time` of this process, as a lease names its holder."""
    return f"{_host()}:{os.getpid()}:{start_time_of(os.getpid())}"


def is_dead(holder: str) -> bool:
    """Whether the holder ran on this host and its process is gone; false when that cannot be known."""
    host, _, rest = holder.partition(":")
    pid, _, started = rest.partition(":")
    if host != _host() or not pid.isdigit():
        return False
    return start_time_of(int(pid)) != started


class Held:
    """A lease that this process holds, with its `epoch`."""

    def __init__(self, desk: Desk, name: str, epoch: int, ttl_s: float, now: Clock) -> None:
        self.name = name
        self.epoch = epoch
        self._desk = desk
        self._ttl_us = round(ttl_s * _SECOND)
        self._now = now

    def guard(self, session: Session) -> None:
        """Make sure, inside a transaction, that nobody has taken the lease over.

        Raises:
            ConflictError: somebody has; the transaction must not be committed.
        """
        row = session.connection().execute(_EPOCH, {"name": self.name}).one_or_none()
        if row is None or row.epoch != self.epoch:
            raise self._lost(None if row is None else row.holder)

    def renew(self) -> None:
        """Hold on for another time to live.

        Raises:
            ConflictError: somebody has taken the lease over.
        """
        with self._desk.session() as session:
            self.guard(session)
            session.execute(
                update(LeaseRow).where(LeaseRow.name == self.name).values(expires_at=self._now() + self._ttl_us)
            )

    def release(self) -> None:
        """Give the lease back, if it is still ours."""
        with self._desk.session() as session:
            session.execute(
                update(LeaseRow)
                .where(LeaseRow.name == self.name, LeaseRow.epoch == self.epoch)
                .values(holder="", expires_at=0)
            )

    def _lost(self, holder: str | None) -> ConflictError:
        by = f" by {describe(holder)}" if holder else ""
        what = f"the `{self.name}` lease was taken over{by}"
        return ConflictError(what, hint="this process was stopped for too long; start it again")


def describe(holder: str) -> str:
    """A holder as people read it: `process 4711 on host`."""
    host, _, rest = holder.partition(":")
    return f"process {rest.partition(':')[0]} on {host.partition('/')[0]}"


def holder_of(session: Session, name: str, now: Clock = wall_us) -> str | None:
    """Who holds a lease now; null if nobody does."""
    row = session.get(LeaseRow, name)
    return row.holder if row is not None and _is_held(row, now()) else None


def _is_held(row: LeaseRow, now_us: int) -> bool:
    return bool(row.holder) and row.expires_at > now_us and not is_dead(row.holder)


def _take(desk: Desk, name: str, ttl_s: float, now: Clock) -> Held | str:
    """The lease, or who holds it."""
    try:
        return _take_once(desk, name, ttl_s, now)
    except IntegrityError:
        return _take_once(desk, name, ttl_s, now)  # two made its row at once; now there is one


def _take_once(desk: Desk, name: str, ttl_s: float, now: Clock) -> Held | str:
    until = now() + round(ttl_s * _SECOND)
    with desk.session() as session:
        row = session.scalars(select(LeaseRow).where(LeaseRow.name == name).with_for_update()).one_or_none()
        if row is None:
            row = LeaseRow(name=name, holder="", epoch=0, expires_at=0)
            session.add(row)
        elif _is_held(row, now()):
            return row.holder
        row.holder, row.epoch, row.expires_at = this_process(), row.epoch + 1, until
        return Held(desk, name, row.epoch, ttl_s, now)


@contextmanager
def hold(desk: Desk, name: str, *, wait_s: float = 0.0, ttl_s: float = 10.0, now: Clock = wall_us) -> Iterator[Held]:
    """Hold the lease `name` for the length of the block, waiting up to `wait_s` seconds for it.

    Raises:
        ConflictError: another process (or another thread of this one) holds it; names the holder.
    """
    deadline = time.monotonic() + wait_s
    pause = threading.Event()
    while isinstance(got := _take(desk, name, ttl_s, now), str):
        if time.monotonic() >= deadline:
            what = f"the `{name}` lease is held by {describe(got)}"
            raise ConflictError(
                what,
                where=desk.where,
                hint="wait until it is done or stop it; two of them on one home would overwrite each other",
                fields={"lease": name, "holder": got},
            )
        pause.wait(_POLL_S)
    stop = threading.Event()
    renewer = threading.Thread(target=_keep, args=(got, stop, ttl_s / 3), name=f"lease-{name}", daemon=True)
    renewer.start()
    try:
        yield got
    finally:
        stop.set()
        renewer.join()
        got.release()


def _keep(held: Held, stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        try:
            held.renew()
        except ConflictError:
            return  # the holder learns it from its next `guard` or `renew`
        except GroundswellError:
            continue  # a locked or full desk: the next turn may do; if not, the lease lapses as it should
