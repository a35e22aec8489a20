"""Uploaded files: looked at, imported one after the other by a process of their own, and remembered in the desk.

An upload is a run of kind `upload`: its `summary` holds what the page shows. Progress is kept in memory only. When the
server ends, so do its processes; what was on its way is then `interrupted`, and starting it again takes it up.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from groundswell.desk import Desk, leases, runs
from groundswell.desk.clock import Clock
from groundswell.desk.tables import RunRow
from groundswell.errors import ConflictError, GroundswellError, NotFoundError
from groundswell.settings import Settings
from groundswell.web.children import Child, EndedError
from groundswell.web.import_models import ImportOptions
from groundswell.web.outcome import outcome_of
from groundswell.web.spool import Spooled

log = logging.getLogger("groundswell.web")

KIND: Final = "upload"
#: A file that nobody imported is kept this long, microseconds.
KEEP_US: Final = 7 * 86_400_000_000
#: A folder that has not changed for this long is not being written any more, seconds.
_TAKING_S: Final = 86_400
_BUSY: Final = frozenset({"looking", "waiting", "running"})
_OVER: Final = frozenset({"done", "cancelled"})
#: Files that are looked at together.
_LOOKERS: Final = 2


class Uploads:
    """The uploads of this server. Its methods may be called from any thread."""

    def __init__(self, settings: Settings, desk: Desk, now: Clock, changed: Callable[[], None]) -> None:
        """`changed` is called when the lake may hold something new."""
        self.folder = settings.tmp_path / "uploads"
        self.progress: dict[str, dict[str, Any]] = {}
        self._settings = settings
        self._desk = desk
        self._now = now
        self._changed = changed
        self._children: dict[str, Child] = {}
        self._lookers = ThreadPoolExecutor(_LOOKERS, thread_name_prefix="look")
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to import; forget old files, and look at those that an earlier server had not come to."""
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
        self._thread.start()
        with self._desk.reading() as session:
            rows = [row for row in runs.listed(session, KIND, limit=1000) if row.state == "running"]
        for row in rows:
            said = dict(row.summary or {})
            if not leases.is_dead(said["holder"]):
                continue
            if row.started_at < self._now() - KEEP_US and said["state"] not in _BUSY:
                self.remove(row.id)
            elif said["state"] == "looking":
                self.look(row.id, ImportOptions.model_validate(said["options"]))
        self._sweep({row.id for row in rows})

    def _sweep(self, known: set[str]) -> None:
        """Remove folders of uploads that the desk does not know: their server was killed while they came in."""
        for folder in self.folder.glob("*"):
            # Another server on this home may be taking one.
            idle = self._now() / 1e6 - folder.stat().st_mtime
            if folder.name not in known and idle > _TAKING_S:
                shutil.rmtree(folder, ignore_errors=True)

    def stop(self) -> None:
        """End what runs, as the end of the server does; waits for the threads."""
        self._closing = True
        self._waiting.put(None)
        for child in list(self._children.values()):
            child.end()
        self._lookers.shutdown(cancel_futures=True)
        if self._thread is not None:
            self._thread.join()
        with self._desk.session() as session:
            for row in runs.listed(session, KIND, limit=1000):
                said = dict(row.summary or {})
                if said["state"] == "waiting" and said["holder"] == leases.this_process():
                    row.summary = said | {"state": "interrupted"}

    # ---- what a person does -----------------------------------------------------------------------------------------

    def add(self, identity: str, name: str, spooled: Spooled) -> RunRow:
        """Remember an upload, and look at it beside."""
        said = {
            "state": "looking",
            "holder": leases.this_process(),
            "origin": f"uploads/{spooled.digest}/{name}",
            "bytes": spooled.size,
            "options": ImportOptions().model_dump(),
            "preview": None,
            "result": None,
            "error": None,
            "hint": None,
        }
        with self._desk.session() as session:
            row = runs.start(session, KIND, name, run_id=identity, summary=said, now_us=self._now())
        self._lookers.submit(self._look, identity)
        return row

    def look(self, identity: str, options: ImportOptions) -> RunRow:
        """Look at the file again, as it would be read with these options.

        Raises:
            NotFoundError: there is no such upload.
            ConflictError: it is being imported, or was.
        """
        row = self._move(identity, "looking", allowed={"ready", "failed", "looking", "interrupted"}, options=options)
        self._lookers.submit(self._look, identity)
        return row

    def begin(self, identity: str, options: ImportOptions | None) -> RunRow:
        """Import the file as soon as it is its turn; an interrupted one is taken up where it was.

        Raises:
            NotFoundError: there is no such upload.
            ConflictError: it is being imported, or was.
        """
        row = self._move(identity, "waiting", allowed={"ready", "failed", "looking", "interrupted"}, options=options)
        self._waiting.put(identity)
        return row

    def remove(self, identity: str) -> RunRow | None:
        """Give up an import that waits or runs (it stays listed as cancelled), or forget one that does not.

        Raises:
            NotFoundError: there is no such upload.
            ConflictError: another server runs it.
        """
        with self._desk.session() as session:
            row = self._row(session, identity)
            said = dict(row.summary or {})
            foreign = said["holder"] != leases.this_process() and not leases.is_dead(said["holder"])
            if foreign and said["state"] in _BUSY:
                what = f"{leases.describe(said['holder'])} is at it"
                raise ConflictError(what, where=row.subject, hint="stop it there")
            active = state_of(said) in {"waiting", "running"}
            if active:
                row.summary = said | {"state": "cancelled"}
                row.state, row.finished_at = "failed", self._now()
            else:
                session.delete(row)
        child = self._children.get(identity)
        if child is not None:
            child.give_up()
        if active and child is not None:
            return row  # its thread removes the file once it has ended
        shutil.rmtree(self.folder / identity, ignore_errors=True)
        return row if active else None

    def retry(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Read held records of the quarantine again; waits for its end.

        Raises:
            ConflictError: another retry of this server is not done yet.
            GroundswellError: what went wrong.
        """
        child = Child({"do": "retry", "settings": self._settings.model_dump(mode="json"), **order})
        if self._children.setdefault("retry", child) is not child:
            what = "held records are being read again already"
            raise ConflictError(what, hint="wait until that is done")
        try:
            return child.run(lambda _: None)
        finally:
            del self._children["retry"]
            self._changed()

    # ---- what is done for them --------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (identity := self._waiting.get()) is not None and not self._closing:
            try:
                self._import(identity)
            except Exception:  # the next one is imported all the same
                log.exception("the import of an upload failed")

    def _import(self, identity: str) -> None:
        with contextlib.suppress(NotFoundError, ConflictError):
            row = self._move(identity, "running", allowed={"waiting"})
            outcome = self._child(row, "import")
            if "result" in outcome:
                outcome |= outcome_of(outcome["result"], row.subject)
            self._close(identity, outcome)
        self.progress.pop(identity, None)

    def _close(self, identity: str, outcome: dict[str, Any]) -> None:
        with self._desk.session() as session:
            row = self._row(session, identity)
            said = dict(row.summary or {})
            if said["state"] == "running":
                row.summary = said | outcome
                if outcome["state"] == "done":
                    row.state, row.finished_at = "done", self._now()
            over = str((row.summary or {})["state"]) in _OVER
        if over:
            shutil.rmtree(self.folder / identity, ignore_errors=True)
        self._changed()

    def _look(self, identity: str) -> None:
        try:
            with self._desk.reading() as session:
                row = self._row(session, identity)
            asked = (row.summary or {})["options"]
            outcome = self._child(row, "look")
            if "result" in outcome:
                outcome = {"preview": outcome["result"], "state": "ready", "error": None, "hint": None}
            with self._desk.session() as session:
                row = self._row(session, identity)
                said = dict(row.summary or {})
                # Somebody may have gone on, or asked for another look, meanwhile.
                if said["state"] == "looking" and said["options"] == asked:
                    row.summary = said | outcome
        except NotFoundError:
            return
        except Exception:
            log.exception("an upload could not be looked at")

    def _child(self, row: RunRow, what: str) -> dict[str, Any]:
        """What a process of its own makes of an order: `result`, or `state`, `error` and `hint`."""
        said = row.summary or {}
        order = {
            "do": what,
            "settings": self._settings.model_dump(mode="json"),
            "path": str(self.folder / row.id / row.subject),
            "origin": said["origin"],
            "options": said["options"],
        }
        child = self._children[row.id] = Child(order)
        try:
            return {"result": child.run(lambda told: self.progress.__setitem__(row.id, told))}
        except EndedError as error:
            state = "interrupted" if self._closing else "failed"
            return {"state": state, "error": error.what, "hint": error.hint}
        except GroundswellError as error:
            where = "" if error.where is None else f": {error.where}"
            return {"state": "failed", "error": f"{error.what}{where}", "hint": error.hint}
        finally:
            del self._children[row.id]

    def _move(self, identity: str, state: str, *, allowed: set[str], options: ImportOptions | None = None) -> RunRow:
        with self._desk.session() as session:
            row = self._row(session, identity)
            said = dict(row.summary or {})
            now = state_of(said)
            if now not in allowed:
                what = f"the import is {now}"
                raise ConflictError(what, where=row.subject, hint="`GET /api/v1/imports` says how each stands")
            if not Path(self.folder / identity / row.subject).exists():
                what = "the uploaded file is gone"
                raise ConflictError(what, where=row.subject, hint="upload it again; what was stored of it is known")
            said |= {"state": state, "holder": leases.this_process(), "error": None, "hint": None}
            row.summary = said if options is None else said | {"options": options.model_dump()}
            return row

    def _row(self, session: Session, identity: str) -> RunRow:
        row = session.get(RunRow, identity)
        if row is None or row.kind != KIND:
            what = "no such upload"
            raise NotFoundError(what, where=identity, hint="`GET /api/v1/imports` lists them")
        return row


def new_id() -> str:
    """A name for an upload that is not there yet."""
    return secrets.token_hex(8)


def state_of(said: Mapping[str, Any]) -> str:
    """The state of an upload as it is now: one whose server is gone is not on its way any more."""
    state = str(said["state"])
    return "interrupted" if state in _BUSY and leases.is_dead(str(said["holder"])) else state
