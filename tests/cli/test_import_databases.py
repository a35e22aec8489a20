"""`groundswell import` of databases, as a person types it; and as much of one as would not fit into memory."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.servers import PASSWORD, Ferret, Postgres


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A SQLite file with two tables; its address."""
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("create table posts (id integer primary key, text text, updated_at text)")
    connection.execute("create table authors (id integer primary key, name text)")
    connection.executemany(
        "insert into posts values (?, ?, ?)", [(n, f"post {n}", f"2026-01-{n:02}") for n in range(1, 9)]
    )
    connection.commit()
    connection.close()
    return "sqlite:///a.db"


def test_a_table_is_imported_then_what_is_new(cli: Callable[..., Any], file: str) -> None:
    words = ("import", file, "--table", "posts", "--cursor", "updated_at", "--json")
    first, second = cli(*words).document, cli(*words).document
    assert (first["read"], first["stored"]) == (8, 8)
    assert (second["read"], second["stored"], second["known"]) == (1, 0, 1)
    assert second["files"][0]["cursor"] == {"column": "updated_at", "seen": {"text": "2026-01-08"}}


def test_a_query_is_asked(cli: Callable[..., Any], file: str) -> None:
    ran = cli("import", file, "--sql", "select id, upper(text) as text from posts where id > 5", "--json")
    assert ran.document["stored"] == 3


def test_wrong_questions_end_with_usage(cli: Callable[..., Any], file: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,text\n1,one\n")
    for words, said in [
        ((file,), "which table?"),
        ((file, "--table", "post"), "Did you mean `posts`"),
        ((file, "--table", "posts", "--cursor", "updated"), "Did you mean `updated_at`"),
        ((file, "--table", "posts", "--sql", "select 1"), "two things"),
        ((file, "--collection", "posts"), "use --table"),
        (("x.csv", "--table", "posts"), "are for databases"),
        (("mysql://host/db", "--table", "posts"), "Valid: http"),
    ]:
        ran = cli("import", *words)
        assert ran.code == 2, words
        assert said.lower() in ran.err.lower()


def most_memory(home: Path, program: str, *words: str) -> int:
    """Run a program of Python in another process; the most memory that it had, MiB."""
    # What the system says of a child (`ru_maxrss`) counts the memory of the process that began it too.
    said = home / "memory.txt"
    environment = {**os.environ, "GROUNDSWELL_HOME": str(home), "SAID": str(said)}
    subprocess.run(
        [sys.executable, "-c", SAY + program, *words], env=environment, stdout=subprocess.DEVNULL, check=True
    )
    peak = next(line for line in said.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


SAY = """
import atexit, os, pathlib
atexit.register(lambda: pathlib.Path(os.environ["SAID"]).write_text(pathlib.Path("/proc/self/status").read_text()))
"""
IMPORT = "from groundswell.cli import main; main()"
READ = """
import sys
from groundswell.sources.databases import Question, find_database
answer = find_database(sys.argv[1], Question(**dict([sys.argv[2].split("=")]))).read(None, 1 << 24)
size = sum(chunk.rows.nbytes for chunk in answer.chunks()) if "table" in sys.argv[2] else sum(map(len, answer.lines()))
assert size > int(sys.argv[3]) and answer.failure is None, answer.failure
"""


@pytest.mark.service
@pytest.mark.slow
def test_much_postgresql_is_read_in_bounded_memory_and_imported_whole(postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.new_database()
    with postgres.connect(database) as connection:
        numbers = "from generate_series(1, 100000) n"
        connection.execute(f"create table long as select n as id, repeat(md5(n::text), 150) as text {numbers}")
        connection.execute(f"create table posts as select n as id, 'post ' || n as text {numbers}")
    url = postgres.url(database)
    assert most_memory(tmp_path, READ, url, "table=long", str(480_000_000)) < 400
    assert most_memory(tmp_path, IMPORT, "import", url, "--table", "posts") < 700


@pytest.mark.service
@pytest.mark.slow
def test_much_mongodb_is_read_in_bounded_memory(ferretdb: Ferret, tmp_path: Path) -> None:
    database = ferretdb.new_database()
    with ferretdb.client() as client:
        for start in range(0, 12_000, 2_000):
            documents = [{"_id": n, "text": "word " * 2_000} for n in range(start, start + 2_000)]
            client[database]["posts"].insert_many(documents)
    assert most_memory(tmp_path, READ, ferretdb.url(database), "collection=posts", str(115_000_000)) < 250


@pytest.mark.service
def test_a_wrong_password_is_told_and_not_repeated(cli: Callable[..., Any], postgres: Postgres) -> None:
    ran = cli("import", postgres.url("postgres", "wrong secret"), "--table", "posts")
    assert ran.code == 1
    assert "PGPASSWORD" in ran.err
    assert not any(secret in ran.err + ran.out for secret in ("wrong secret", "wrong%20secret", PASSWORD))
