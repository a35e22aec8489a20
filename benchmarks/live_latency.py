"""Live: posts pushed over HTTP until their window's alert is on the WebSocket; and how much HTTP takes at all.

    python benchmarks/live_latency.py [--seconds 300] [--rate 5000] [--trackers 100] [--form table]

A home of its own gets a day of thin history (so that the detector knows the stream), trackers, and `groundswell serve`
in a process of its own, with windows of 1, 5, 15 and 60 minutes. Posts have the time at which they are sent; in some
windows some trackers' words come four times as often. They look like the events of Bluesky's Jetstream, or
(`--form table`) like rows of no known layout, which DuckDB reads. Latency is from the moment at which a window may
close (its end + lateness, wall clock) to the message on the WebSocket. Nothing lost: every record that was sent is
acknowledged, counted in the ledger, and stored. The first table compares pushing alone with an ASGI application that
only counts lines.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.push_servers import GROUNDSWELL, echo, serving

BATCH = 100
WINDOW_S = 60
WINDOWS = "60,300,900,3600"
LATENESS_S = 2
HISTORY_HOURS = 27
HISTORY_PER_S = 1.0
WORDS_PER_POST = 2
BURSTS = 10
#: The watch keeps up when `late_by_s` of the status is near 0 this many times, a second apart.
CALM_LOOKS = 5
CATCH_UP_S = 120
STAMP = b"@" * 26
PREFIX = b"#" * 9
MICROS = 1_111_111_111_111_111


def word(number: int) -> str:
    """The word that tracker `number` follows."""
    return f"topic{number:03}"


def text(chosen: list[int], filler: random.Random) -> str:
    """A post with these trackers' words among others."""
    words = [f"word{filler.randrange(5000)}" for _ in range(24)] + [word(number) for number in chosen]
    filler.shuffle(words)
    return " ".join(words)


def as_event(record: Mapping[str, object]) -> dict[str, object]:
    """A post in the form of Bluesky's Jetstream."""
    did = f"did:plc:{record['user_name']}"
    post = {"$type": "app.bsky.feed.post", "createdAt": record["created_at"], "langs": ["en"], "text": record["text"]}
    commit: dict[str, object] = {
        "rev": "3l3qo2vuowo2b",
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": record["id"],
    }
    commit |= {"record": post, "cid": "bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi"}
    return {"did": did, "time_us": MICROS, "kind": "commit", "commit": commit}


def templates(trackers: int, bursting: list[int], count: int, seed: int, form: str = "table") -> list[bytes]:
    """Bodies of 100 records in which time and id prefix are still to be filled in."""
    filler = random.Random(seed)  # noqa: S311 - made-up posts
    weights = [4 if number in bursting else 1 for number in range(trackers)]
    chances = filler.choices(range(trackers), weights, k=count * BATCH * WORDS_PER_POST)
    bodies = []
    for body in range(count):
        lines = []
        for line in range(BATCH):
            at = (body * BATCH + line) * WORDS_PER_POST
            record = {
                "id": f"{PREFIX.decode()}{line:02}",
                "created_at": STAMP.decode() + "Z",
                "user_name": f"user{filler.randrange(20_000)}",
                "likes": filler.randrange(500),
                "text": text(chances[at : at + WORDS_PER_POST], filler),
            }
            lines.append(json.dumps(as_event(record) if form == "jetstream" else record).encode())
        bodies.append(b"\n".join(lines) + b"\n")
    return bodies


def write_history(path: Path, trackers: int, form: str) -> int:
    """A thin day before now in the same form; how many posts."""
    filler = random.Random(7)  # noqa: S311 - made-up posts
    posts = int(HISTORY_HOURS * 3600 * HISTORY_PER_S)
    start = datetime.now(UTC) - timedelta(hours=HISTORY_HOURS)
    with path.open("w", encoding="utf-8") as file:
        for number in range(posts):
            at = start + timedelta(seconds=number / HISTORY_PER_S)
            said = text(filler.choices(range(trackers), k=WORDS_PER_POST), filler)
            post = {"id": f"h{number}", "created_at": at.isoformat(), "user_name": "earlier", "text": said}
            line = json.dumps(as_event(post) if form == "jetstream" else post)
            file.write(line.replace(str(MICROS), str(int(at.timestamp() * 1e6))) + "\n")
    return posts


class Pusher:
    """One connection that sends prepared bodies and counts what is acknowledged."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"POST /api/v1/records HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-ndjson\r\n"
        ).encode()

    def push(self, body: bytes) -> int:
        """The records that the server acknowledged."""
        self._socket.sendall(self._head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = b""
        while not answer.endswith(b"}"):
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionError(answer.decode())
            answer += part
        if b" 202 " not in answer[:20]:
            raise ConnectionError(answer.decode())
        return int(json.loads(answer[answer.rindex(b"\r\n\r\n") :])["received"])


def server(home: Path, *options: str) -> AbstractContextManager[tuple[subprocess.Popen[str], str]]:
    """`groundswell serve` with the settings of this benchmark, and where it is."""
    environment = {
        "GROUNDSWELL_WINDOWS": WINDOWS,
        "GROUNDSWELL_LATENESS": str(LATENESS_S),
        "GROUNDSWELL_COMMIT_EVERY": "30",
    }
    return serving(home, *options, **environment)


def throughput(address: str, bodies: list[bytes], seconds: float, connections: int = 8) -> float:
    """Records a second that are acknowledged to a few connections that push without a pause."""
    taken = [0] * connections
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        pusher = Pusher(address)
        turn = number
        while time.perf_counter() < end:
            taken[number] += pusher.push(bodies[turn % len(bodies)])
            turn += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(taken) / (time.perf_counter() - begun)


@dataclass
class Heard:
    """What came over the WebSocket: seconds after the window could close."""

    windows: list[float] = field(default_factory=list)
    alerts: list[float] = field(default_factory=list)
    cards: list[float] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    since: float = 0.0
    until: float = float("inf")
    """A window that may close only after the pushing has ended is closed by the clock, seconds later."""

    def listen(self, address: str) -> None:
        """Follow until the server goes."""
        try:
            with connect(f"{address.replace('http', 'ws')}/api/v1/live", max_size=None) as line:
                for message in line:
                    self._take(json.loads(message), time.time())
        except ConnectionClosed:
            pass

    def _take(self, change: dict[str, object], now: float) -> None:
        windows, alert = change.get("windows"), change.get("alert")
        if isinstance(windows, dict) and windows:
            length = float(str(change["window_s"]))
            end = seconds_of(next(iter(windows.values()))["start"]) + length
            if self.since < end < self.until - LATENESS_S:
                self.windows.append(now - end - LATENESS_S)
        if isinstance(alert, dict):
            end = seconds_of(alert["updated_at"])
            if self.since < end < self.until - LATENESS_S:
                # An alert is told at once, and again when its card is there.
                told = alert["id"], alert["updated_at"]
                (self.cards if told in self.told else self.alerts).append(now - end - LATENESS_S)
                self.told.add(told)
                self.opened.add(alert["id"])


def seconds_of(moment: str) -> float:
    """A RFC 3339 time as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def drive(
    address: str,
    plain: list[bytes],
    bursts: list[list[bytes]],
    seconds: float,
    rate: int,
    go_on: Callable[[], bool] = lambda: False,
) -> tuple[int, float]:
    """Push at `rate` for `seconds`, and longer while `go_on()`; records acknowledged and the rate that was reached."""
    pusher = Pusher(address)
    pause = threading.Event()
    taken = turn = 0
    begun = time.perf_counter()
    while (now := time.perf_counter() - begun) < seconds or go_on():
        behind = turn * BATCH / rate - now
        if behind > 0:
            pause.wait(behind)
        minute = int(time.time() // WINDOW_S)
        bodies = bursts[(minute // 2) % len(bursts)] if minute % 2 else plain
        stamp = datetime.now(UTC).isoformat(timespec="microseconds")[:26].encode()
        body = bodies[turn % len(bodies)].replace(STAMP, stamp).replace(PREFIX, b"%09d" % turn)
        body = body.replace(str(MICROS).encode(), b"%d" % (time.time_ns() // 1000))
        taken += pusher.push(body)
        turn += 1
    return taken, taken / (time.perf_counter() - begun)


def await_quiet(client: httpx.Client, caught_up: threading.Event) -> None:
    """Set `caught_up` once the watch keeps up with the stream (it learns the trackers' past first), or give up."""
    pause = threading.Event()
    deadline, calm = time.monotonic() + CATCH_UP_S, 0
    while calm < CALM_LOOKS and time.monotonic() < deadline:
        late = client.get("/status").json()["late_by_s"]
        calm = calm + 1 if late is not None and late < 0.5 else 0
        pause.wait(1)
    caught_up.set()


def watch_memory(process: psutil.Process, peak: list[int], stop: threading.Event) -> None:
    """Keep the greatest resident size of the server in `peak`."""
    while not stop.wait(0.5) and process.is_running():
        peak[0] = max(peak[0], process.memory_info().rss)


def settle(client: httpx.Client, expected: int) -> dict[str, int]:
    """Sums of the ledger's push rows once everything is accounted for (or two minutes have passed)."""
    pause = threading.Event()
    deadline = time.monotonic() + 120
    while True:
        rows = client.get("/ledger", params={"source": "push"}).json()["items"]
        names = ("received", "stored", "known", "rejected", "ignored")
        sums = {name: sum(row[name] for row in rows) for name in names}
        if sums["received"] >= expected or time.monotonic() > deadline:
            return sums
        pause.wait(1)


def percentiles(values: list[float]) -> str:
    """Three percentiles in milliseconds, and of how many."""
    if not values:
        return "none came"
    ordered = sorted(values)
    picked = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95, 0.99))
    return "p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms".format(*picked) + f"  (n = {len(values)})"


def measure_push(folder: Path, trackers: int) -> None:
    """Print how many records a second HTTP takes, beside the limit."""
    bodies = [body.replace(STAMP, b"2026-01-01T00:00:00.000000") for body in templates(trackers, [], 50, 3)]
    with echo() as address:
        limit = throughput(address, bodies, 8)
    with server(folder / "push", "--no-runner") as (_, address):
        ours = throughput(address, bodies, 8)
    print(f"HTTP push, {BATCH} records ({len(bodies[0]):,} bytes) a request, 8 connections, records/s")
    print(f"  ASGI that counts lines (limit)  {limit:>10,.0f}")
    print(f"  ours, in the journal (fsync)    {ours:>10,.0f}   {ours / limit:.2f} of the limit", flush=True)


def measure_live(folder: Path, options: argparse.Namespace) -> bool:
    """Print latency, loss, rate and memory of the whole path; whether nothing was lost."""
    history = folder / "history.ndjson"
    write_history(history, options.trackers, options.form)
    environment = {**os.environ, "GROUNDSWELL_HOME": str(folder / "live")}
    subprocess.run(
        [*GROUNDSWELL, "import", str(history), "--json"], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    form = options.form
    plain = templates(options.trackers, [], 200, 1, form)
    groups = [list(range(at, at + BURSTS)) for at in range(0, min(options.trackers, 5 * BURSTS), BURSTS)]
    bursts = [templates(options.trackers, group, 200, 11 + at, form) for at, group in enumerate(groups)]
    # Ids of the measured part are others than those of the warm-up.
    marked = [[body.replace(PREFIX, b"m" + PREFIX) for body in bodies] for bodies in (plain, *bursts)]
    heard, peak, stop = Heard(since=float("inf")), [0], threading.Event()
    with (
        server(folder / "live") as (process, address),
        httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client,
    ):
        for number in range(options.trackers):
            client.post("/trackers", json={"name": word(number), "query": word(number)}).raise_for_status()
        listener = threading.Thread(target=heard.listen, args=(address,))
        listener.start()
        threading.Thread(target=watch_memory, args=(psutil.Process(process.pid), peak, stop), daemon=True).start()
        caught_up = threading.Event()
        threading.Thread(target=await_quiet, args=(client, caught_up), daemon=True).start()
        begun = time.perf_counter()
        taken, _ = drive(address, plain, bursts, options.warm_up, options.rate, go_on=lambda: not caught_up.is_set())
        warm_up = time.perf_counter() - begun
        heard.since = time.time()
        more, rate = drive(address, marked[0], marked[1:], options.seconds, options.rate)
        heard.until = time.time()
        sums = settle(client, taken + more)
        stop.set()
    listener.join(60)
    kept = sums["stored"] == taken + more
    lasts = f"{options.seconds:.0f} s after {warm_up:.0f} s of warm-up"
    print(f"Live, posts as {form}, {options.trackers} trackers, {lasts}")
    print(f"  rate            {rate:,.0f} posts/s")
    print(f"  acknowledged    {taken + more:,};  ledger: " + ", ".join(f"{n} {c:,}" for n, c in sums.items()))
    print(f"  nothing lost    {'yes' if kept else 'NO'}")
    print(f"  window closes   {percentiles(heard.windows)}")
    print(f"  alerts          {percentiles(heard.alerts)}, {len(heard.opened)} episodes")
    print(f"  their cards     {percentiles(heard.cards)}")
    print(f"  memory (peak)   {peak[0] / 2**20:,.0f} MiB")
    return kept


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds that are not measured (kernels compile)")
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--trackers", type=int, default=100)
    parser.add_argument("--form", choices=("jetstream", "table"), default="jetstream", help="what the posts look like")
    parser.add_argument("--only-live", action="store_true", help="leave out how much HTTP takes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.only_live:
            measure_push(Path(folder), options.trackers)
        if not measure_live(Path(folder), options):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
