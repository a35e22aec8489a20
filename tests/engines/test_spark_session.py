from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from tests.services.process import free_port

from groundswell.engines import spark_session
from groundswell.engines.spark_session import start, start_classic
from groundswell.errors import UnavailableError, UsageError
from groundswell.settings import load_settings

pytest.importorskip("pyspark")


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_an_address_where_nobody_listens_is_told_at_once(scheme: str, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, engine=f"{scheme}://127.0.0.1:{free_port()}")
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"nobody answers at 127\.0\.0\.1:\d+ \(Connection refused\)"):
        start(settings)
    assert time.monotonic() - began < 5


def test_of_several_masters_one_that_listens_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        spark_session._knock(f"spark://127.0.0.1:{free_port()},127.0.0.1:{server.getsockname()[1]}")


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no host and port"):
        start(load_settings(home=tmp_path, engine="spark://host:port"))


@pytest.mark.parametrize("engine", ["sparkling", "local[two]", "localhost", "sc:/host"])
def test_what_is_no_engine_is_told_with_what_is(engine: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"duckdb, local\[N\], spark://host:port, sc://host:port"):
        load_settings(home=tmp_path, engine=engine)


def test_a_watch_needs_the_driver_here(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="with its driver here"):
        start_classic(load_settings(home=tmp_path, engine="sc://somewhere"))


def test_jars_are_files_or_all_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / name).touch()
    found = spark_session._jars(f"{tmp_path}, {tmp_path / 'b.jar'},https://host/c.jar")
    assert found == [*(str(tmp_path / name) for name in ("a.jar", "b.jar", "b.jar")), "https://host/c.jar"]
    with pytest.raises(UsageError, match="no jar"):
        spark_session._jars(str(tmp_path / "none"))


def test_options_of_spark_win_and_must_be_some(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, spark_options="spark.cores.max=8; spark.app.name=mine=1;")
    found = spark_session._options(settings)
    assert (found["spark.cores.max"], found["spark.app.name"]) == ("8", "mine=1")
    with pytest.raises(UsageError, match="is no option of Spark"):
        load_settings(home=tmp_path, spark_options="cores=8")
