"""Real servers for the tests: PostgreSQL, S3 (MinIO) and the MongoDB protocol (FerretDB), on free ports of 127.0.0.1.

The fixtures in `fixtures.py` are one server each for the session of a test process; a test takes a database or a bucket
of its own. A test that kills a server starts one for itself.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
import pyarrow.fs as pafs
import pymongo
import pytest
from tests.services import built
from tests.services.process import ServerProcess, accepts, free_port

#: What unlocks the test servers; no secret, they live for a minute on the loopback.
USER: Final = "tester"
PASSWORD: Final = "correct horse battery"  # noqa: S105 - of a server that only this test has
_POSTGRES: Final = Path("/usr/lib/postgresql")
_FAST: Final = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1")


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server."""

    process: ServerProcess
    port: int

    def url(self, database: str, password: str | None = PASSWORD) -> str:
        """Address of a database, as a person writes it."""
        login = USER if password is None else f"{USER}:{password.replace(' ', '%20')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that commits by itself."""
        return psycopg.connect(self.url(database), autocommit=True)

    def new_database(self) -> str:
        """An empty database of its own; its name."""
        name = f"d{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f"create database {name}")
        return name


@dataclass(frozen=True)
class Ferret:
    """A server of the MongoDB protocol."""

    process: ServerProcess
    port: int

    def url(self, database: str) -> str:
        """Address of a database."""
        return f"mongodb://127.0.0.1:{self.port}/{database}"

    def client(self) -> pymongo.MongoClient[dict[str, Any]]:
        """A client; the test closes it."""
        return pymongo.MongoClient("127.0.0.1", self.port)

    def new_database(self) -> str:
        """The name of a database that is not there yet."""
        return f"d{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Minio:
    """An S3 server."""

    process: ServerProcess
    port: int

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def files(self) -> pafs.S3FileSystem:
        """Its objects, to write and to look at."""
        return pafs.S3FileSystem(
            access_key=USER,
            secret_key=PASSWORD,
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )

    def new_bucket(self) -> str:
        """An empty bucket of its own; its name."""
        name = f"b{secrets.token_hex(6)}"
        self.files.create_dir(name)
        return name

    def environment(self) -> dict[str, str]:
        """The variables by which a program finds it."""
        return {
            "GROUNDSWELL_S3_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


S = TypeVar("S", Postgres, Ferret, Minio)


@contextmanager
def start_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with the user `USER`, who needs the password."""
    programs = _postgres_programs()
    with _folder() as folder:
        account = _postgres_account(folder)
        (folder / "password").write_text(PASSWORD)
        command = [str(programs / "initdb"), "-D", "data", "-U", USER, "--pwfile", "password"]
        locale = ["--auth-host=scram-sha-256", "--auth-local=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run([*command, *locale], check=True, capture_output=True, cwd=folder, **account)
        port = free_port()
        options = [word for setting in _FAST for word in ("-c", setting)]
        start = [programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, *options]
        server = Postgres(
            ServerProcess(
                [str(word) for word in start],
                folder / "log",
                lambda: _answers(port),
                account=account,
                # Without mercy to its clients, which SIGTERM would wait for.
                peace=signal.SIGINT,
                power_cut=signal.SIGQUIT,
            ),
            port,
        )
        yield from _while_running(server)


@contextmanager
def start_ferretdb() -> Iterator[Ferret]:
    """A server of the MongoDB protocol."""
    program = built.ferretdb()
    with _folder() as folder:
        port = free_port()
        (folder / "data").mkdir()
        command = [str(program), f"127.0.0.1:{port}", str(folder / "data")]
        process = ServerProcess(command, folder / "log", lambda: accepts(port), peace=signal.SIGKILL)
        yield from _while_running(Ferret(process, port))


@contextmanager
def start_minio() -> Iterator[Minio]:
    """An S3 server."""
    program = built.minio()
    with _folder() as folder:
        port = free_port()
        (folder / "data").mkdir()
        command = [str(program), "server", "--address", f"127.0.0.1:{port}", "--certs-dir", str(folder)]
        environment = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD, "MINIO_BROWSER": "off"}
        process = ServerProcess(
            [*command, str(folder / "data")],
            folder / "log",
            lambda: accepts(port),
            environment=environment,
            # What it would bring to an end in peace is removed with its folder.
            peace=signal.SIGKILL,
        )
        yield from _while_running(Minio(process, port))


def _while_running(server: S) -> Iterator[S]:
    server.process.start()
    try:
        yield server
    finally:
        server.process.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that another account may enter too, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="groundswell-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_programs() -> Path:
    versions = sorted(_POSTGRES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return Path(found).parent


def _postgres_account(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then the account that its package made is used."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no account `postgres`")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _answers(port: int) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname="postgres").close()
        return True
    return False
