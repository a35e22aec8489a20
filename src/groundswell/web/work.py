"""What the server has done in a process of its own: `python -m groundswell.web.work`.

An import takes cores and memory that belong to the watch and the page, and what people upload may be made to break
its reader; a process can be niced, ended and outlived. It gets one order, a line of JSON, on standard input, and
answers in lines of JSON: any number of `progress`, then one `result` or `error`. A further line asks it to give up;
when standard input ends, the server is gone, and it ends at once (what it had begun is taken up later).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from groundswell.engines import open_engine
from groundswell.errors import GroundswellError
from groundswell.importing import import_paths
from groundswell.importing.progress import CancelledError
from groundswell.lake import Lake
from groundswell.telemetry import logs, tracing
from groundswell.web.import_models import Preview

if TYPE_CHECKING:
    from groundswell.importing import Options
    from groundswell.settings import Settings

#: Seconds between two words on the progress.
EVERY_S: Final = 0.2

Tell = Callable[[Mapping[str, Any]], None]


class PipedProgress:
    """Tells how far an import is, a few times a second, and ends it when that is asked for."""

    def __init__(self, tell: Tell, given_up: threading.Event) -> None:
        self._tell = tell
        self._given_up = given_up
        self._last = 0.0
        self._state: dict[str, Any] = {
            "file": "",
            "number": 0,
            "files": 0,
            "bytes": 0,
            "position": 0,
            "records": 0,
            "says": None,
        }
        self._before = 0

    def file(self, name: str, number: int, total: int, size: int) -> None:
        """A file begins."""
        self._before = self._state["records"]
        self._state |= {"file": name, "number": number, "files": total, "bytes": size, "position": 0, "says": None}
        self._say()

    def at(self, position: int, records: int) -> None:
        """So many bytes and records of it are done."""
        self._stop_if_asked()
        self._state |= {"position": max(self._state["position"], position), "records": self._before + records}
        if time.monotonic() - self._last >= EVERY_S:
            self._say()

    def say(self, message: str) -> None:
        """A sentence for the person."""
        self._state["says"] = message
        self._say()

    def part(self, doing: str, done: float) -> None:
        """What is done now, and the fraction of the whole that is done."""
        self._stop_if_asked()
        changed = doing != self._state.get("doing")
        self._state |= {"doing": doing, "done": round(done, 4)}
        if changed or time.monotonic() - self._last >= EVERY_S:
            self._say()

    def _say(self) -> None:
        self._stop_if_asked()
        self._last = time.monotonic()
        self._tell({"progress": self._state})

    def _stop_if_asked(self) -> None:
        if self._given_up.is_set():
            raise CancelledError


def look(settings: Settings, order: Mapping[str, Any], progress: PipedProgress) -> dict[str, Any]:
    """What a file holds and how it would be read, from its beginning."""
    from groundswell.importing.preview import preview_file  # noqa: PLC0415 - loads Ibis

    found = preview_file(Path(order["path"]), options_of(settings, order["options"]), settings)
    found.pop("path", None)
    return Preview.model_validate(found).model_dump()


def import_file(settings: Settings, order: Mapping[str, Any], progress: PipedProgress) -> dict[str, Any]:
    """Import a file; what `import --json` shows."""
    from groundswell.desk import open_desk  # noqa: PLC0415 - only this order needs it

    # Threads that read, map and write hand the interpreter over often; the default makes each wait 5 ms for it.
    sys.setswitchinterval(0.0005)
    path = Path(order["path"])
    with contextlib.closing(open_engine(settings)) as engine, open_desk(settings) as desk:
        summary = import_paths(
            [str(path)],
            options_of(settings, order["options"]),
            Lake.open(settings),
            desk,
            engine,
            settings,
            progress,
            named={path: order["origin"]},
        )
    return summary.document()


def retry_held(settings: Settings, order: Mapping[str, Any], progress: PipedProgress) -> dict[str, Any]:
    """Read held records again; the counts of `quarantine retry --json`."""
    from groundswell.desk import open_desk  # noqa: PLC0415 - only this order needs it
    from groundswell.importing.retry import retry  # noqa: PLC0415 - only this order needs it

    chosen = order["options"]
    options = options_of(settings, chosen) if chosen.get("layout") or chosen.get("map") else None
    with contextlib.closing(open_engine(settings)) as engine, open_desk(settings) as desk:
        done = retry(
            Lake.open(settings),
            desk,
            engine,
            settings,
            options=options,
            reason=order["reason"],
            origin=order["origin"],
            ids=order["ids"],
        )
    return {name: getattr(done, name) for name in ("read", "stored", "known", "ignored", "held")}


def profile_posts(settings: Settings, order: Mapping[str, Any], progress: PipedProgress) -> dict[str, Any]:
    """What the fields of the wanted posts hold; the document of `profile --json`."""
    from groundswell.marts.outliers import Rule  # noqa: PLC0415 - loads Ibis
    from groundswell.marts.profile import profile  # noqa: PLC0415 - loads Ibis
    from groundswell.marts.wanted import Wanted  # noqa: PLC0415 - loads Ibis
    from groundswell.query import parse  # noqa: PLC0415 - loads Ibis

    query = parse(order["query"]) if order["query"] else None
    wanted = Wanted(query, tuple(order["platforms"]))
    with contextlib.closing(open_engine(settings)) as engine:
        found = profile(engine, Lake.open(settings), wanted, rule=Rule(order["rule"])).document()
    plain: dict[str, Any] = json.loads(json.dumps(found, default=_iso))
    return plain


def backtest_query(settings: Settings, order: Mapping[str, Any], progress: PipedProgress) -> dict[str, Any]:
    """What a query would have alerted about; the document of `backtest --json`."""
    from groundswell.watch.backtest import Asked, backtest  # noqa: PLC0415 - only this order needs it
    from groundswell.web.backtest_models import NewBacktest  # noqa: PLC0415 - loads the models of every page

    request = NewBacktest.model_validate(order["request"])
    asked = Asked(**{**dict(request), "platforms": tuple(request.platforms)})
    return backtest(settings, asked, progress.part)


def daily_work(settings: Settings, order: Mapping[str, Any], progress: PipedProgress) -> dict[str, Any]:
    """What is done once a day; the document of `daily --json`."""
    from groundswell.watch.daily import daily  # noqa: PLC0415 - only this order needs it

    return daily(settings, date.fromisoformat(order["date"]), progress=progress.part)


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    what = f"cannot be told: {type(value).__name__}"
    raise TypeError(what)


def options_of(settings: Settings, chosen: Mapping[str, Any]) -> Options:
    """What a person chose, as the import takes it."""
    from groundswell.importing import Options  # noqa: PLC0415 - not before the order is known

    return Options(
        layout=chosen.get("layout"),
        mapping=chosen.get("map") or {},
        platform=chosen.get("platform"),
        tz=chosen.get("tz") or settings.tz,
    )


ORDERS: Final[Mapping[str, Callable[[Settings, Mapping[str, Any], PipedProgress], dict[str, Any]]]] = {
    "look": look,
    "import": import_file,
    "retry": retry_held,
    "profile": profile_posts,
    "backtest": backtest_query,
    "daily": daily_work,
}


def run(order: Mapping[str, Any], tell: Tell, given_up: threading.Event) -> None:
    """Carry out an order and say what came of it; a failure that nobody expected is raised."""
    from groundswell.settings import load_settings  # noqa: PLC0415 - not before the order is known

    try:
        settings = load_settings(**order["settings"])
        tell({"result": ORDERS[order["do"]](settings, order, PipedProgress(tell, given_up))})
    except GroundswellError as error:
        said = {"what": error.what, "where": error.where, "hint": error.hint, "status": error.status}
        tell({"error": said})


def main() -> None:
    """Run as the server's child."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # the watch and the page go first
    # Whatever prints something must not break the line to the server.
    answers, sys.stdout = sys.stdout, sys.stderr
    orders = sys.stdin
    order = json.loads(orders.readline())
    given_up = threading.Event()
    threading.Thread(target=_listen, args=(orders, given_up), daemon=True).start()

    said = order["settings"]
    logs.configure(said.get("log_format", "text"), said.get("log_level", "info"))
    sent = tracing.listen()

    def tell(message: Mapping[str, Any]) -> None:
        if sent is not None and "progress" not in message:
            sent.close()  # whoever reads the last word may end this process at once
        answers.write(json.dumps(message, ensure_ascii=True) + "\n")
        answers.flush()

    run(order, tell, given_up)
    # The listener still waits for its next line, and an interpreter that ends would wait for it.
    answers.flush()
    os._exit(0)


def _listen(orders: IO[str], given_up: threading.Event) -> None:
    if orders.readline():
        given_up.set()
        orders.readline()
    os._exit(1)


if __name__ == "__main__":
    main()
