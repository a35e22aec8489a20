from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from groundswell.desk import Desk, leases
from groundswell.desk.tables import LeaseRow
from groundswell.errors import ConflictError


def test_a_held_lease_is_refused_and_names_the_holder(desk: Desk) -> None:
    with (
        leases.hold(desk, "watch"),
        pytest.raises(ConflictError, match="held by process"),
        leases.hold(desk, "watch"),
    ):
        pass


def test_two_leases_do_not_meet(desk: Desk) -> None:
    with leases.hold(desk, "watch"), leases.hold(desk, "lake") as lake:
        assert lake.name == "lake"


def test_the_epoch_grows_with_every_holder(desk: Desk) -> None:
    with leases.hold(desk, "watch") as first:
        pass
    with leases.hold(desk, "watch") as second:
        assert second.epoch == first.epoch + 1


def test_a_waiting_process_gets_the_lease_when_it_is_free(desk: Desk) -> None:
    taken, done = threading.Event(), threading.Event()

    def holder() -> None:
        with leases.hold(desk, "lake"):
            taken.set()
            done.wait(60)

    thread = threading.Thread(target=holder)
    thread.start()
    taken.wait(60)
    threading.Timer(0.1, done.set).start()
    with leases.hold(desk, "lake", wait_s=60) as held:
        assert held.epoch == 2
    thread.join()


def _put(desk: Desk, holder: str, expires_at: int) -> None:
    with desk.session() as session:
        session.add(LeaseRow(name="watch", holder=holder, epoch=7, expires_at=expires_at))


def test_a_dead_holder_on_this_host_is_replaced_at_once(desk: Desk) -> None:
    child = subprocess.run(
        [sys.executable, "-c", "from groundswell.desk.leases import this_process; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    )
    _put(desk, child.stdout.strip(), 2**62)
    with leases.hold(desk, "watch") as held:
        assert held.epoch == 8


def test_a_living_process_with_a_reused_number_is_not_the_holder(desk: Desk) -> None:
    host, pid, _started = leases.this_process().rsplit(":", 2)
    _put(desk, f"{host}:{pid}:1", 2**62)
    with leases.hold(desk, "watch") as held:
        assert held.epoch == 8


def test_a_holder_on_another_host_is_waited_for_until_it_lapses(desk: Desk) -> None:
    _put(desk, "elsewhere/1:42:1", 1_000)
    with pytest.raises(ConflictError, match="process 42 on elsewhere"), leases.hold(desk, "watch", now=lambda: 999):
        pass
    with leases.hold(desk, "watch", now=lambda: 1_000) as held:
        assert held.epoch == 8


def test_a_holder_that_slept_is_fenced_off(desk: Desk) -> None:
    with leases.hold(desk, "watch") as slept:
        with desk.session() as session:
            row = session.get_one(LeaseRow, "watch")
            row.epoch, row.holder = slept.epoch + 1, "elsewhere/1:42:1"
        with pytest.raises(ConflictError, match="taken over by process 42"):
            slept.renew()
        with desk.reading() as session, pytest.raises(ConflictError):
            slept.guard(session)
    with desk.reading() as session:
        assert session.get_one(LeaseRow, "watch").holder == "elsewhere/1:42:1"


def test_a_lease_is_renewed_while_it_is_held(desk: Desk) -> None:
    ticks = threading.Semaphore(0)

    def now() -> int:
        ticks.release()
        return 5_000_000

    with leases.hold(desk, "watch", ttl_s=0.05, now=now):
        for _ in range(5):
            assert ticks.acquire(timeout=60)
