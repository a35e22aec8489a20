"""Servers that benchmarks push to: ours, and the limit, an application that only counts lines."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GROUNDSWELL = (sys.executable, "-c", "from groundswell.cli import main; main()")
_ECHO = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    lines, more = 0, True
    while more:
        message = await receive()
        lines += message.get("body", b"").count(b"\\n")
        more = message.get("more_body", False)
    body = b'{"received":%d}' % lines
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", lifespan="off")
"""


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`groundswell serve` and where it is."""
    process = subprocess.Popen(
        [*GROUNDSWELL, "serve", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GROUNDSWELL_HOME": str(home), **environment},
    )
    try:
        said = ""
        for line in process.stdout or ():
            said += line
            if line.startswith("}"):
                break
        yield process, str(json.loads(said)["address"])
    finally:
        process.terminate()
        process.wait(120)


@contextmanager
def echo() -> Iterator[str]:
    """The limit: an ASGI application that counts lines."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _ECHO, str(port)])
    pause = threading.Event()
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                pause.wait(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
