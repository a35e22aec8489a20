"""`groundswell serve`: the page, the REST API and the watch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli.app import Json, app, emit, messages

if TYPE_CHECKING:
    from groundswell.settings import Settings


@app.command()
def serve(
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Port to listen on; 0: any free one.", show_default="8765"),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", help="Address to listen on; beyond this machine needs a token.", show_default="127.0.0.1"
        ),
    ] = None,
    no_runner: Annotated[
        bool, typer.Option("--no-runner", help="Only show and receive; do not watch in this process.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Serve the page and the REST API, and watch what is pushed.

    The watch runs in this process, unless another one on the same home does it already; then this one shows its data
    and takes over when it ends. Stop with Ctrl C.
    """
    from groundswell.settings import load_settings
    from groundswell.telemetry import metrics

    given = {"host": host, "port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    metrics.listen()
    _serve(settings, runner=not no_runner, as_json=as_json)


def _serve(settings: Settings, *, runner: bool, as_json: bool) -> None:
    from groundswell.web.sharing import settle

    settle()  # before Arrow is loaded, below
    from groundswell.bus import open_bus
    from groundswell.desk import open_desk
    from groundswell.web.app import create_app
    from groundswell.web.server import Server, address_of, check_reach, listen

    # Opened here first, so that what does not work is said as an error and not as a server that fails to start.
    with open_desk(settings) as desk, open_bus(settings, desk):
        check_reach(desk, settings.host)
    listener = listen(settings.host, settings.port)
    address = address_of(listener, settings.host)

    def announce() -> None:
        if as_json:
            emit({"address": address, "home": settings.home.absolute()})
            sys.stdout.flush()  # whoever started the server waits for it
        else:
            messages.print(f"Groundswell is at {address}  (API: {address}/api/v1/docs)", soft_wrap=True)
            messages.print("stop with Ctrl C", style="dim")

    with listener:
        Server(create_app(settings, runner=runner), started=announce).run(sockets=[listener])
    messages.print("stopped")
