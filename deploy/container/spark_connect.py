"""A Spark Connect server of the PySpark in this environment, in the foreground; more options go to `spark-submit`."""

import os
import sys
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
OPTIONS = {
    "spark.connect.grpc.binding.address": os.environ.get("SPARK_CONNECT_ADDRESS", "127.0.0.1"),
    "spark.connect.grpc.binding.port": os.environ.get("SPARK_CONNECT_PORT", "15002"),
    "spark.driver.memory": os.environ.get("SPARK_MEMORY", "2g"),
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
}
command = [
    str(HOME / "bin" / "spark-submit"),
    "--master",
    os.environ.get("SPARK_MASTER", "local[*]"),
    "--class",
    "org.apache.spark.sql.connect.service.SparkConnectServer",
    *(word for name, value in OPTIONS.items() for word in ("--conf", f"{name}={value}")),
    *sys.argv[1:],
    "spark-internal",
]
os.environ["SPARK_HOME"] = str(HOME)
os.execv(command[0], command)  # noqa: S606 - the server takes this process's place and its signals
