"""Alembic migrations of the desk, applied by `open_desk`; each version is written by hand and never changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Revision of the newest migration, so that opening a desk at this revision needs no Alembic; a test compares.
HEAD: Final = "0010"


def upgrade(connection: Connection) -> None:
    """Bring the schema to `HEAD` inside the transaction of `connection`; does nothing when it is there."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - Alembic costs more than opening the desk
    from alembic.operations import Operations  # noqa: PLC0415 - Alembic costs more than opening the desk
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - Alembic costs more than opening the desk

    script = ScriptDirectory(str(Path(__file__).parent))
    context = MigrationContext.configure(connection)
    current = context.get_current_revision()
    pending = [r for r in script.walk_revisions("base", "head") if current is None or r.revision > current]
    with Operations.context(context):
        for revision in reversed(pending):
            revision.module.upgrade()
            context.stamp(script, revision.revision)
