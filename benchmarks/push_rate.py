"""HTTP push: records a second that are in the journal when they are acknowledged, and what is said when it is too much.

    python benchmarks/push_rate.py [--seconds 8] [--connections 8] [--overload 40]

Some connections of this process push 100 records a request at `groundswell serve` on loopback, without a pause; pusher
and server share the machine. The first table compares small and large records, plain and compressed, with the limit: an
ASGI application that counts lines and keeps nothing. `CPU s/M` are the server's CPU seconds for a million records. In
the second part the server watches, too, and may be only a little behind: it answers 429 with `Retry-After`, the pushers
wait as long as it says, and at the end every record that was acknowledged is accounted for.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.push_servers import echo, serving

BATCH = 100
#: Records that the overloaded server may be behind.
ROOM = 200_000
GOAL = 100_000


def bodies(size: int, count: int) -> list[bytes]:
    """Requests of 100 records of about `size` bytes, all different."""
    chance = random.Random(size)  # noqa: S311 - made-up posts
    words = [f"word{number}" for number in range(5_000)]
    found = []
    for body in range(count):
        lines = []
        for line in range(BATCH):
            record = {"id": f"{body}-{line}", "created_at": "2026-11-21T12:00:00Z", "user_name": f"user{line}"}
            text = " ".join(chance.choices(words, k=(size - len(json.dumps(record)) - 12) // 9))
            lines.append(json.dumps({**record, "text": text}).encode())
        found.append(b"\n".join(lines) + b"\n")
    return found


class Connection:
    """One connection of our own, so that the client costs as little as it can."""

    def __init__(self, address: str, encoding: str) -> None:
        parts = urlsplit(address)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        coding = f"Content-Encoding: {encoding}\r\n" if encoding else ""
        self._head = (
            f"POST /api/v1/records HTTP/1.1\r\nHost: {parts.netloc}\r\n{coding}Content-Type: application/x-ndjson\r\n"
        ).encode()

    def push(self, body: bytes) -> tuple[int, float]:
        """Status of the answer, and the seconds that it asks to wait (0 where it does not)."""
        self._socket.sendall(self._head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = b""
        while not answer.endswith(b"}"):
            part = self._socket.recv(65_536)
            if not part:
                raise ConnectionError(answer.decode())
            answer += part
        head = answer.partition(b"\r\n\r\n")[0].lower()
        wait = head.partition(b"retry-after: ")[2].split(b"\r\n")[0]
        return int(answer[9:12]), float(wait or 0)


@dataclass
class Pushed:
    """What the connections were told."""

    seconds: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Records that were acknowledged."""
        return BATCH * self.answers[202]


def push(address: str, requests: list[bytes], seconds: float, connections: int, encoding: str = "") -> Pushed:
    """Push for so long over some connections; waits as long as the server asks."""
    found, lock, pause = Pushed(), threading.Lock(), threading.Event()
    begun = time.perf_counter()
    end = begun + seconds

    def work(number: int) -> None:
        ours, answers, waits, turn = Connection(address, encoding), Counter[int](), list[float](), number
        while (now := time.perf_counter()) < end:
            status, wait = ours.push(requests[turn % len(requests)])
            answers[status] += 1
            if status == 429:
                waits.append(wait)
                pause.wait(min(wait, end - now))
            else:
                turn += connections
        with lock:
            found.answers += answers
            found.waits += waits

    workers = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found.seconds = time.perf_counter() - begun
    return found


def measure_rates(folder: Path, seconds: float, connections: int) -> bool:
    """Print the first table; whether plain records are taken as fast as promised."""
    print(f"HTTP push, {BATCH} records a request, {connections} connections, records/s in the journal (fsync)")
    print(f"  {'a record':20}{'ours':>12}{'limit':>12}{'of the limit':>14}{'MB/s':>8}{'CPU s/M':>9}", flush=True)
    reached = True
    for size in (350, 1_000):
        plain = bodies(size, 60)
        packed = [zstandard.ZstdCompressor(level=3).compress(body) for body in plain]
        for encoding, requests in (("", plain), ("zstd", packed)):
            with serving(folder / f"{size}{encoding}", "--no-runner") as (process, address):
                push(address, requests, 1.0, connections, encoding)
                server = psutil.Process(process.pid)
                before = sum(server.cpu_times()[:2])
                found = push(address, requests, seconds, connections, encoding)
                cpu = (sum(server.cpu_times()[:2]) - before) / found.taken * 1e6
            rate = found.taken / found.seconds
            line = f"  {size:>5} bytes {encoding or 'plain':8}{rate:>12,.0f}"
            if not encoding:
                reached = reached and rate >= GOAL
                with echo() as address:
                    limit = push(address, requests, seconds / 2, connections)
                line += f"{limit.taken / limit.seconds:>12,.0f}{rate * limit.seconds / limit.taken:>14.2f}"
            else:
                line += " " * 26
            print(f"{line}{rate * len(plain[0]) / BATCH / 1e6:>8.0f}{cpu:>9.1f}", flush=True)
    return reached


def settle(address: str, expected: int) -> dict[str, int]:
    """Sums of the ledger's rows once everything is accounted for, or five minutes have passed."""
    pause, deadline = threading.Event(), time.monotonic() + 300
    names = ("received", "stored", "known", "rejected", "ignored")
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client:
        while True:
            rows = client.get("/ledger", params={"source": "push"}).json()["items"]
            sums = {name: sum(int(row[name]) for row in rows) for name in names}
            if sums["received"] >= expected or time.monotonic() > deadline:
                return sums
            pause.wait(1)


def measure_overload(folder: Path, seconds: float, connections: int) -> bool:
    """Print what a server that watches says when it is pushed at without a pause; whether nothing was lost."""
    requests = bodies(350, 4_000)
    environment = {"GROUNDSWELL_MAX_BEHIND": str(ROOM), "GROUNDSWELL_COMMIT_EVERY": "2"}
    with serving(folder / "live", **environment) as (process, address):
        found = push(address, requests, seconds, connections)
        sums = settle(address, found.taken)
        memory = psutil.Process(process.pid).memory_info().rss
    accounted = sum(sums[name] for name in ("stored", "known", "rejected", "ignored"))
    whole = sums["received"] == found.taken == accounted
    waits = f", told to wait {min(found.waits):.0f} to {max(found.waits):.0f} s" if found.waits else ""
    print(f"A server that watches and may be {ROOM:,} records behind, pushed at for {seconds:.0f} s")
    print(f"  taken          {found.taken:,} ({found.taken / found.seconds:,.0f} records/s)")
    print(f"  answers        202: {found.answers[202]:,}, 429: {found.answers[429]:,}{waits}")
    print("  ledger         " + ", ".join(f"{name} {count:,}" for name, count in sums.items()))
    print(f"  nothing lost   {'yes' if whole else 'NO'};  memory afterwards {memory / 2**20:,.0f} MiB", flush=True)
    return whole


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--overload", type=float, default=40.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reached = measure_rates(Path(folder), options.seconds, options.connections)
        print(f"goal: {GOAL:,} records/s: {'reached' if reached else 'NOT reached'}")
        if not measure_overload(Path(folder), options.overload, options.connections):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
