"""Starting Spark quietly: what Java prints goes to a file, not among the results and messages of a verb."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, Final

from groundswell.errors import UnavailableError
from groundswell.settings import Settings

if TYPE_CHECKING:
    from pyspark import SparkConf

#: Records of one Arrow batch on its way to a worker and back.
BATCH_ROWS: Final = 16_384
_LEAST_MEMORY: Final = 512
#: Where in Spark's own script something failed.
_SCRIPT: Final = re.compile(r"^\S+/spark-\w+: line \d+: ")
#: PySpark imports pandas only once it needs it.
_PACKAGES: Final = ("pyspark", "pandas")


def start(settings: Settings) -> tuple[Any, bool]:
    """A Spark session, and whether it was started here: a session that is there already is taken as it is.

    Raises:
        UnavailableError: PySpark or Java is not there, or the master cannot be reached.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        what = f"Spark is chosen, but {' and '.join(missing)} is not installed"
        raise UnavailableError(what, hint="pip install 'groundswell[spark]'")
    from pyspark import SparkConf  # noqa: PLC0415 - an extra
    from pyspark.sql import SparkSession  # noqa: PLC0415

    # It works with pandas 3 as far as it is used here, which is only beneath Arrow.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    own = SparkSession.getActiveSession() is None
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
    return session, own


def _start_java(conf: SparkConf, log: IO[bytes]) -> None:
    """Start the Java process that all sessions of this process share, if it does not run yet.

    PySpark would let it write to our own stdout and stderr; warnings of its start mean nothing to a user, and
    what goes wrong later arrives as an exception.
    """
    from pyspark import SparkContext  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415

    if SparkContext._gateway is None:
        java = launch_gateway(conf, {"stdout": log, "stderr": log})  # type: ignore[no-untyped-call]
        SparkContext(conf=conf, gateway=java)


def _options(settings: Settings) -> dict[str, str]:
    return {
        "spark.app.name": "groundswell",
        "spark.driver.memory": f"{max(settings.memory, _LEAST_MEMORY)}m",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.shuffle.partitions": str(settings.cores),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(settings.tmp_path / "spark"),
        "spark.sql.warehouse.dir": str(settings.tmp_path / "warehouse"),
    }


def _reason(error: Exception) -> str:
    """What an exception says; one from Java names the call first and then, behind a colon, what was wrong."""
    lines = str(error).splitlines() or [type(error).__name__]
    return next((line[2:] for line in lines if line.startswith(": ")), lines[0])


def _complaint(log: IO[bytes]) -> str:
    """What Java, or the script that starts it, complained about first."""
    log.seek(0)
    lines = (_SCRIPT.sub("", line).strip() for line in log.read().decode("utf-8", "replace").splitlines())
    return next((line for line in lines if line and not line.startswith("WARNING")), "no word from Java")
