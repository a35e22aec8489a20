"""The demo with its page: the server in this thread, the stream in another."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable

from fastapi import FastAPI

from groundswell.demo.play import Play
from groundswell.demo.score import Score
from groundswell.demo.staging import Show, Staged
from groundswell.web.app import create_app
from groundswell.web.server import Server, address_of, listen
from groundswell.web.services import Services


def play_with_page(
    staged: Staged, speed: float | None, show: Show, *, browser: bool, report: Callable[[Score], None]
) -> None:
    """Serve the page and run the stream until Ctrl C; `report` is called once, when the story is over.

    Raises:
        ConflictError: the port is in use.
        GroundswellError: the stream cannot be run; the server has ended then.
    """
    stop = threading.Event()
    failure: list[BaseException] = []
    app = create_app(staged.settings, runner=False)
    play = Play(staged, speed, show, on_change=lambda: wake(app))

    def run() -> None:
        try:
            play.run(stop, report=report)
        except Exception as error:
            failure.append(error)
            server.should_exit = True

    runner = threading.Thread(target=run, name="demo")

    def started() -> None:
        show.say(f"the page is at {address}")
        if browser and not _open(address):
            show.say("open it in a browser")
        show.say("stop with Ctrl C")
        runner.start()

    with listen(staged.settings.host, staged.settings.port) as listener:
        address = address_of(listener, staged.settings.host)
        server = Server(app, started=started)
        try:
            server.run(sockets=[listener])
        finally:
            stop.set()
            if runner.ident is not None:
                runner.join()
    if failure:
        raise failure[0]


def wake(app: FastAPI) -> None:
    """Let the live line of a started server look for changes."""
    services: Services = app.state.services
    services.hub.wake()


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
