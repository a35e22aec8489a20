"""Starting Spark quietly: what Java prints goes to a file, not among the results and messages of a verb."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import tempfile
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from groundswell.errors import UnavailableError, UsageError
from groundswell.settings import Settings

if TYPE_CHECKING:
    from pyspark import SparkConf

#: Records of one Arrow batch on its way to a worker and back.
BATCH_ROWS: Final = 16_384
_LEAST_MEMORY: Final = 512
#: Where in Spark's own script something failed.
_SCRIPT: Final = re.compile(r"^\S+/spark-\w+: line \d+: ")
#: PySpark imports pandas only once it needs it, and what Connect needs only once a server is asked.
_PACKAGES: Final = ("pyspark", "pandas")
_CONNECT_PACKAGES: Final = ("grpc", "grpc_status", "google.protobuf")


#: The ports of a master and of a Connect server, where an address names none.
_PORTS: Final = {"spark": 7077, "sc": 15_002}
#: How long an address is given to answer, seconds; Spark itself would go on asking for a minute.
_PATIENCE_S: Final = 5.0
_ADDRESS: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^:/;,]+)(?::(?P<port>\d+))?")
CONNECT: Final = "sc://"


def start(settings: Settings) -> tuple[Any, bool]:
    """A Spark session, and whether it was started here: a session that is there already is taken as it is.

    Raises:
        UnavailableError: PySpark or Java is not there, or the master cannot be reached.
    """
    if not settings.engine.startswith(CONNECT):
        return start_classic(settings)
    _prepare(settings)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    try:
        session = SparkSession.builder.remote(settings.engine).getOrCreate()
        for name, value in {**_sql_options(settings), **settings.spark_options_of}.items():
            session.conf.set(name, value)
    except Exception as error:  # whatever gRPC, the server or PySpark's own checks say
        what = f"Spark Connect does not answer: {_reason(error)}"
        hint = "the server must be of the release of PySpark here, and options such as can be set while it runs"
        raise UnavailableError(what, where=settings.engine, hint=hint) from error
    return session, True


def start_classic(settings: Settings) -> tuple[Any, bool]:
    """As `start`, with the driver in this process.

    Raises:
        UsageError: the engine is not Spark, or its driver is a Connect server.
        UnavailableError: PySpark or Java is not there, or the master cannot be reached.
    """
    if settings.engine == "duckdb" or settings.engine.startswith(CONNECT):
        what = f"Spark is to run with its driver here, and the engine is {settings.engine}"
        raise UsageError(what, hint="set GROUNDSWELL_ENGINE to local[N] or spark://host:port")
    _prepare(settings)
    from pyspark import SparkConf  # noqa: PLC0415 - an extra
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    own = SparkSession.getActiveSession() is None
    on_interrupt = signal.getsignal(signal.SIGINT)
    conf = SparkConf().setMaster(settings.engine).setAll(list(_options(settings).items()))
    with tempfile.TemporaryFile(prefix="groundswell-spark-") as log:
        try:
            if own:
                _start_java(conf, log)
            session = SparkSession.builder.config(conf=conf).getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
        except Exception as error:  # whatever Java says: a missing JVM is a plain RuntimeError
            no_java = "JAVA_GATEWAY_EXITED" in str(error)
            what = f"Spark does not start: {_complaint(log) if no_java else _reason(error)}"
            hint = "it needs Java 17 or newer, on the PATH or in JAVA_HOME" if no_java else "is the address right?"
            raise UnavailableError(what, where=settings.engine, hint=hint) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                # PySpark takes Ctrl-C for itself, and a watch would not come to its end in order.
                signal.signal(signal.SIGINT, on_interrupt)
    return session, own


def _prepare(settings: Settings) -> None:
    """Look whether what Spark needs is there, before it says so in its own way, or after a long time."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    packages = (*_PACKAGES, *(_CONNECT_PACKAGES if settings.engine.startswith(CONNECT) else ()))
    if missing := [name for name in packages if find_spec(name) is None]:
        what = f"Spark is chosen, but {' and '.join(missing)} is not installed"
        raise UnavailableError(what, hint="pip install 'groundswell[spark]'")
    # It works with pandas 3 as far as it is used here, which is only beneath Arrow.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    _knock(settings.engine)


def _knock(engine: str) -> None:
    """Ask whether somebody listens at the address; of several masters one is enough."""
    scheme, found, rest = engine.partition("://")
    if not found:
        return
    failures: list[str] = []
    for text in rest.partition("/")[0].split(","):
        address = _ADDRESS.fullmatch(text.partition(";")[0])
        if address is None:
            what = f"`{text}` is no host and port"
            raise UsageError(what, where=engine, hint=f"write {scheme}://host:{_PORTS[scheme]}")
        host, port = address["host"].strip("[]"), int(address["port"] or _PORTS[scheme])
        try:
            socket.create_connection((host, port), _PATIENCE_S).close()
        except OSError as error:
            failures.append(f"{host}:{port} ({error.strerror or error})")
        else:
            return
    what = f"nobody answers at {', '.join(failures)}"
    hint = "is Spark running there, and is the address right? `GROUNDSWELL_ENGINE=local[2]` needs no cluster"
    raise UnavailableError(what, where=engine, hint=hint)


def _start_java(conf: SparkConf, log: IO[bytes]) -> None:
    """Start the Java process that all sessions of this process share, if it does not run yet.

    PySpark would let it write to our own stdout and stderr; warnings of its start mean nothing to a user, and
    what goes wrong later arrives as an exception.
    """
    from pyspark import SparkContext  # noqa: PLC0415 - an extra
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415 - an extra

    if SparkContext._gateway is None:
        java = launch_gateway(conf, {"stdout": log, "stderr": log})  # type: ignore[no-untyped-call]  # it has no types
        SparkContext(conf=conf, gateway=java)


def _options(settings: Settings) -> dict[str, str]:
    found = {
        "spark.app.name": "groundswell",
        "spark.driver.memory": f"{max(settings.memory, _LEAST_MEMORY)}m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(settings.tmp_path / "spark"),
        "spark.sql.warehouse.dir": str(settings.tmp_path / "warehouse"),
        # A query that waits says so once a second: until then its topic is known to hold no more.
        "spark.sql.streaming.noDataProgressEventInterval": "1000",
        **_sql_options(settings),
        **_store_options(settings),
    }
    if jars := _jars(settings.spark_jars):
        found["spark.jars"] = ",".join(jars)
    return found | settings.spark_options_of


def _sql_options(settings: Settings) -> dict[str, str]:
    """What decides about results, and can be set of a session that runs elsewhere."""
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.shuffle.partitions": str(settings.cores),
    }


def _store_options(settings: Settings) -> dict[str, str]:
    """How Spark reaches a lake on an S3 server that is not Amazon's; keys are found as AWS tools find them."""
    if not settings.s3_endpoint:
        return {}
    return {
        "spark.hadoop.fs.s3a.endpoint": settings.s3_endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.endpoint.region": os.environ.get("AWS_REGION", "us-east-1"),
    }


def _jars(text: str) -> list[str]:
    """The jars that a setting names: files as they are, of a folder all.

    Raises:
        UsageError: there is no such file or folder.
    """
    found: list[str] = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        path = Path(name).expanduser()
        if "://" in name:
            found.append(name)
        elif path.is_dir():
            found += [str(jar) for jar in sorted(path.glob("*.jar"))]
        elif path.is_file():
            found.append(str(path.absolute()))
        else:
            what = "no jar, and no folder of jars"
            raise UsageError(what, where=name, hint="set GROUNDSWELL_SPARK_JARS to those of scripts/spark_jars.sh")
    return found


def _reason(error: Exception) -> str:
    """What an exception says; one from Java names the call first and then, behind a colon, what was wrong."""
    lines = str(error).splitlines() or [type(error).__name__]
    return next((line[2:] for line in lines if line.startswith(": ")), lines[0])


def _complaint(log: IO[bytes]) -> str:
    """What Java, or the script that starts it, complained about first."""
    log.seek(0)
    lines = (_SCRIPT.sub("", line).strip() for line in log.read().decode("utf-8", "replace").splitlines())
    return next((line for line in lines if line and not line.startswith("WARNING")), "no word from Java")
