"""Spark's own servers for the tests, from the jars of PySpark: a Connect server, and a master with a worker."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.services.process import ServerProcess, accepts, free_port

#: A server that lives for a minute has more from a quick start than from good machine code.
_QUICK: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"


def _home() -> Path:
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None or shutil.which("java") is None:
        pytest.skip("needs PySpark and Java")
    return Path(found.origin).parent


@contextmanager
def start_connect() -> Iterator[str]:
    """A Spark Connect server; its address."""
    home, port = _home(), free_port()
    with tempfile.TemporaryDirectory(prefix="groundswell-test-", ignore_cleanup_errors=True) as name:
        options = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": port,
            "spark.ui.enabled": "false",
            "spark.local.dir": name,
            "spark.sql.warehouse.dir": f"{name}/warehouse",
        }
        command = [str(home / "bin" / "spark-submit"), "--master", "local[2]", "--driver-memory", "700m"]
        command += ["--driver-java-options", _QUICK]
        command += [part for key, value in options.items() for part in ("--conf", f"{key}={value}")]
        command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        python = {"PYSPARK_PYTHON": sys.executable}
        process = ServerProcess(command, Path(name) / "log", lambda: accepts(port), python)
        process.start()
        try:
            yield f"sc://127.0.0.1:{port}"
        finally:
            process.kill()


@contextmanager
def start_cluster() -> Iterator[str]:
    """A master with one worker of two cores; its address."""
    home, port, web = _home(), free_port(), free_port()
    java = str(home / "bin" / "spark-class")
    address = f"spark://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="groundswell-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        master = [java, "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1"]
        master += ["--port", str(port), "--webui-port", str(web)]
        worker = [java, "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "2"]
        worker += ["--memory", "1200m", "--webui-port", str(free_port()), "--work-dir", str(folder / "work"), address]
        processes = [
            ServerProcess(master, folder / "master", lambda: accepts(port)),
            ServerProcess(worker, folder / "worker", lambda: "Successfully registered" in _text(folder / "worker")),
        ]
        started: list[ServerProcess] = []
        try:
            for process in processes:
                started.append(process)
                process.start()
            yield address
        finally:
            for process in reversed(started):
                process.kill()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
