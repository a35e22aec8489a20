"""Opening the desk: SQLite in WAL mode (or PostgreSQL), brought to the newest schema, and its sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from groundswell.desk import migrations
from groundswell.desk.patience import DeskLostError, connect, is_lost
from groundswell.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: How long a session waits for another process's write transaction, milliseconds.
BUSY_MS: Final = 20_000

#: As people write it; the driver is ours to choose.
_POSTGRES: Final = ("postgresql", "postgres")
#: Execution option of a session that only reads, so that it does not queue for SQLite's one write lock.
_READING: Final = "groundswell_reading"


class Desk:
    """An open desk. Threads may share it; each `session()` is one transaction and belongs to one thread."""

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where
        self._on_server = engine.dialect.name != "sqlite"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that may write: commits at the end, rolls back on an exception.

        On SQLite it takes the write lock at once, so that it never fails half-way because another process wrote.

        On a server that is away, it waits for it to come back before it begins.

        Raises:
            UnavailableError: the database cannot be written or stays locked.
            DeskLostError: the server went away in the middle, or did not come back.
        """
        with self._session(self.engine) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the desk and must not write; never waits for a writer."""
        options: dict[str, Any] = {_READING: True}
        if self._on_server:
            options["isolation_level"] = "REPEATABLE READ"
        with self._session(self.engine.execution_options(**options)) as session:
            yield session

    @contextmanager
    def _session(self, bind: Engine) -> Iterator[Session]:
        try:
            if not self._on_server:
                with Session(bind, expire_on_commit=False) as session, session.begin():
                    yield session
                return
            with (
                connect(bind, self.where) as connection,
                Session(connection, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session
        except (OperationalError, InterfaceError) as error:
            if self._on_server and is_lost(error):
                what = f"the desk went away ({str(error.orig).strip().partition(chr(10))[0]})"
                raise DeskLostError(what, where=self.where, hint="is its PostgreSQL server running?") from error
            raise _unavailable(error, self.where) from error

    def close(self) -> None:
        """Close the connections of this process."""
        self.engine.dispose()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_desk(settings: Settings) -> Desk:
    """Open the desk that the settings name, creating or migrating it if needed.

    Raises:
        UnavailableError: it cannot be reached, created or written.
        ConflictError: a newer Groundswell has changed its schema.
    """
    url = make_url(settings.desk_url)
    if url.drivername in _POSTGRES:
        url = url.set(drivername="postgresql+psycopg")
    where = url.render_as_string(hide_password=True)
    sqlite = url.get_backend_name() == "sqlite"
    try:
        if sqlite and url.database:
            where = url.database
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        # A connection that a server has closed meanwhile is noticed before it is used.
        engine = create_engine(url) if sqlite else create_engine(url, pool_pre_ping=True)
        if sqlite:
            _set_up_sqlite(engine)
        _bring_to_head(engine, where)
    except (OSError, OperationalError) as error:
        raise _unavailable(error, where) from error
    return Desk(engine, where)


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        # The driver's own transaction handling would begin late and upgrade a read lock, which fails at once
        # when another process has written in between; so transactions are begun explicitly, below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _bring_to_head(engine: Engine, where: str) -> None:
    with engine.connect().execution_options(**{_READING: True}) as connection:
        found = _revision(connection)
    if found == migrations.HEAD:
        return
    if found is not None and found > migrations.HEAD:
        what = f"the desk has schema {found}, newer than the {migrations.HEAD} of this Groundswell"
        raise ConflictError(what, where=where, hint="install the Groundswell that wrote it, or use another home")
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with engine.begin() as connection:
        # Another process may have migrated while this one waited for the lock; `upgrade` then finds nothing to do.
        migrations.upgrade(connection)


def _use_wal(engine: Engine) -> None:
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()


def _revision(connection: Connection) -> str | None:
    try:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except (OperationalError, ProgrammingError) as error:
        if "no such table" in str(error) or "does not exist" in str(error):
            connection.rollback()
            return None
        raise
    return None if found is None else str(found)


def _unavailable(error: OSError | DBAPIError, where: str) -> UnavailableError:
    cause = str(error.orig) if isinstance(error, DBAPIError) else (error.strerror or str(error))
    if "full" in cause:
        hint = "free some space on that disk and start again; nothing was half-written"
    elif "locked" in cause or "busy" in cause:
        hint = "another process holds it for long; see which `groundswell` processes run on this home"
    elif "://" in where:
        hint = "check GROUNDSWELL_DESK, the server and its log"
    else:
        hint = "check that the folder exists and is writable, or set GROUNDSWELL_HOME to another one"
    return UnavailableError(f"the desk cannot be used ({cause})", where=where, hint=hint)
