"""Imports as the page lists them: uploads of this home, and what the command line imported, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from groundswell.desk import leases, runs
from groundswell.desk.clock import moment
from groundswell.desk.tables import RunRow
from groundswell.errors import NotFoundError
from groundswell.web.import_models import Import, ImportOptions, ImportProgress, Imports, ImportState
from groundswell.web.outcome import result_of
from groundswell.web.uploads import KIND as UPLOAD
from groundswell.web.uploads import state_of

if TYPE_CHECKING:
    from groundswell.web.services import Services

#: Kind of the runs of `groundswell import`, and the lease that they hold.
COMMAND: Final = "import"
LEASE: Final = "lake"
#: How the lake names what was uploaded.
_UPLOADED: Final = "uploads/"


def read_imports(services: Services, limit: int) -> Imports:
    """Uploads and imports of the command line, newest first."""
    with services.desk.reading() as session:
        uploads = runs.listed(session, UPLOAD, limit)
        commands = runs.listed(session, COMMAND, 2 * limit)
        writing = leases.holder_of(session, LEASE) is not None
    items = [upload_document(services, row) for row in uploads]
    items += [_command(row, writing=writing) for row in commands if not row.subject.startswith(_UPLOADED)]
    items.sort(key=lambda each: each.at, reverse=True)
    return Imports(items=items[:limit], max_upload=services.settings.max_upload)


def read_import(services: Services, identity: str) -> Import:
    """One import.

    Raises:
        NotFoundError: there is none with that id.
    """
    with services.desk.reading() as session:
        row = session.get(RunRow, identity)
        writing = leases.holder_of(session, LEASE) is not None
    if row is None or row.kind not in {UPLOAD, COMMAND}:
        what = "no such import"
        raise NotFoundError(what, where=identity, hint="`GET /api/v1/imports` lists them")
    return upload_document(services, row) if row.kind == UPLOAD else _command(row, writing=writing)


def upload_document(services: Services, row: RunRow) -> Import:
    """One upload with how far it is."""
    said: dict[str, Any] = dict(row.summary or {})
    progress = services.uploads.progress.get(row.id)
    state = state_of(said)
    return Import.model_validate(
        {
            "id": row.id,
            "kind": "upload",
            "name": row.subject,
            "origin": said["origin"],
            "state": state,
            "at": moment(row.started_at),
            "finished_at": None if row.finished_at is None else moment(row.finished_at),
            "progress": ImportProgress.model_validate(progress) if progress and state == "running" else None,
            **{name: said[name] for name in ("bytes", "options", "preview", "result", "error", "hint")},
        }
    )


def _command(row: RunRow, *, writing: bool) -> Import:
    """One file that the command line imported. Its run is under the lease of the lake: without one it was cut off."""
    said = row.summary if row.state == "done" else None
    result = None if said is None else result_of(said, [said], str(said["path"]))
    hopeless = result is not None and bool(result.failed) and not result.stored + result.known
    running = row.state == "running"
    return Import(
        id=row.id,
        kind="command",
        name=row.subject.partition("|")[0],
        origin=row.subject.partition("|")[0],
        state=_state(row.state, writing=writing, hopeless=hopeless),
        at=moment(row.started_at),
        finished_at=None if row.finished_at is None else moment(row.finished_at),
        bytes=None if result is None else result.bytes,
        options=ImportOptions(),
        preview=None,
        progress=None,
        result=result,
        error=None if said is None else said.get("error"),
        hint="run the same `groundswell import` again: it goes on where it was" if running and not writing else None,
    )


def _state(state: str, *, writing: bool, hopeless: bool) -> ImportState:
    if state == "running":
        return "running" if writing else "interrupted"
    return "failed" if hopeless or state == "failed" else "done"
