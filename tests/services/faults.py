"""A proxy before an S3 server that lets requests through, refuses them, or loses the answer to one.

It is a process of its own: some calls of the Delta library keep all threads of theirs waiting for the answer.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BODY = b"<Error><Code>%s</Code><Message>of the test's own</Message></Error>"
_CODES = {500: (b"500 Internal Server Error", b"InternalError"), 503: (b"503 Slow Down", b"SlowDown")}


@dataclass
class _Proxy:
    """`failing`: the status that every request is answered (null: it goes through)."""

    target: int
    failing: int | None = None
    refused: int = 0
    lost: int = 0
    lose: bytes | None = None
    """The answer to the next PUT whose path holds this does not arrive, though the server does what it asks."""

    _open: set[socket.socket] = field(default_factory=set)

    def fail(self, status: int | None) -> None:
        """Begin to refuse, or to let through; connections that stand are cut."""
        self.failing = status
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(client,), daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self.failing is not None:
                self._refuse(client, self.failing)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                ends = {client, server}
                self._open |= ends
                back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
                back.start()
                while data := client.recv(1 << 16):
                    line = data.partition(b"\r\n")[0]
                    if self.lose is not None and line.startswith(b"PUT ") and self.lose in line:
                        self.lose, self._losing = None, server
                    server.sendall(data)
                with suppress(OSError):
                    server.shutdown(socket.SHUT_WR)
                back.join()
                self._open -= ends

    _losing: socket.socket | None = None

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if self._losing is server and not data.startswith(b"HTTP/1.1 100"):
                    self._losing = None
                    self.lost += 1
                    break
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _refuse(self, client: socket.socket, status: int) -> None:
        client.settimeout(5)
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(1 << 16)
            if not more:
                return
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().partition(b":")[::2] for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        if fields.get(b"expect", b"").strip() == b"100-continue":
            length = 0
        while len(rest) < length:
            more = client.recv(1 << 16)
            if not more:
                return
            rest += more
        self.refused += 1
        line, code = _CODES[status]
        body = _BODY % code
        head = b"HTTP/1.1 %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        client.sendall(head % (line, len(body)) + body)


@dataclass
class Faults:
    """The proxy as the tests see it."""

    port: int
    _process: subprocess.Popen[str]

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def refused(self) -> int:
        """Requests that were refused."""
        return self._say("counts")["refused"]

    @property
    def lost(self) -> int:
        """Answers that were lost."""
        return self._say("counts")["lost"]

    def fail(self, status: int | None) -> None:
        """Begin to answer every request with this status, or (null) to let through; connections that stand are cut."""
        self._say(f"fail {status or ''}")

    def lose(self, part: str) -> None:
        """Lose the answer to the next PUT whose path holds this, though the server does what it asks."""
        self._say(f"lose {part}")

    def _say(self, command: str) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def faults_before(port: int) -> Iterator[Faults]:
    """A proxy before the server on a port of 127.0.0.1."""
    command = [sys.executable, __file__, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Faults(json.loads(process.stdout.readline())["port"], process)
        finally:
            process.kill()


def main() -> None:
    """Serve until the tests go away."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        proxy = _Proxy(int(sys.argv[1]))
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        for line in sys.stdin:
            command, _, rest = line.strip().partition(" ")
            if command == "fail":
                proxy.fail(int(rest) if rest else None)
            elif command == "lose":
                proxy.lose = rest.encode()
            print(json.dumps({"refused": proxy.refused, "lost": proxy.lost}), flush=True)


if __name__ == "__main__":
    main()
