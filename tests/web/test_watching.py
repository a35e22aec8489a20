from __future__ import annotations

import threading
from typing import Any

import pytest

from groundswell.desk import Desk, leases
from groundswell.errors import ConflictError, UnavailableError
from groundswell.web.watching import LEASE, Watching


class Watcher:
    """Holds the lease until it is told to stop, as the runner does."""

    def __init__(self, desk: Desk, failure: Exception | None = None) -> None:
        self._desk = desk
        self._failure = failure

    def run(self, stop: threading.Event) -> None:
        if self._failure is not None:
            raise self._failure
        with leases.hold(self._desk, LEASE):
            stop.wait()

    def wake(self) -> None: ...

    def status(self) -> None: ...


def where(watching: Watching, desk: Desk) -> str:
    with desk.reading() as session:
        return watching.where(session)


def test_it_watches_until_it_is_stopped(desk: Desk, until: Any) -> None:
    watching = Watching(desk, lambda: Watcher(desk))
    watching.start()
    until(lambda: where(watching, desk) == "here", what="the watch")
    watching.stop()

    assert where(watching, desk) == "none"


def test_it_takes_over_when_the_other_one_ends(desk: Desk, until: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    watching = Watching(desk, lambda: Watcher(desk), retry_s=0.01)
    with leases.hold(desk, LEASE):
        watching.start()
        until(lambda: bool(caplog.records), what="a word about the other one")
    until(lambda: watching._watcher is not None and where(watching, desk) == "here", what="the watch")
    watching.stop()

    said = [record.getMessage() for record in caplog.records if record.name == "groundswell.web"]
    assert len(said) == 1
    assert said[0].endswith("this server shows its data, and takes over when it ends")


@pytest.mark.parametrize("failure", [UnavailableError("the disk is full"), RuntimeError("a defect")])
def test_a_watch_that_fails_is_tried_again_and_told(desk: Desk, until: Any, failure: Exception) -> None:
    tries: list[int] = []

    def make() -> Watcher:
        tries.append(1)
        return Watcher(desk, failure)

    watching = Watching(desk, make, retry_s=0.01)
    watching.start()
    until(lambda: len(tries) > 2, what="another try")
    with pytest.raises(UnavailableError):
        watching.describe()
    watching.stop()


def test_another_process_is_no_failure(desk: Desk) -> None:
    watching = Watching(desk, lambda: Watcher(desk, ConflictError("held")))

    assert watching.describe() == "starts"


def test_a_server_that_does_not_watch_says_so(desk: Desk) -> None:
    watching = Watching(desk, None)
    watching.start()
    watching.stop()

    assert watching.describe().startswith("nobody watches")
    assert where(watching, desk) == "none"
