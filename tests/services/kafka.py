"""A Kafka broker for the tests: one KRaft node from the jars of Maven Central, on free ports of 127.0.0.1.

It has a plain listener and one with TLS and SASL (`PLAIN` and `SCRAM-SHA-256`, for `USER` and `PASSWORD`). The fixture
is one broker for the session of a test process; a test takes topics of its own. A test that stops or kills a broker
starts one for itself (`start_kafka`).
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from tests.services import built
from tests.services.process import ServerProcess, accepts, free_port
from tests.services.servers import PASSWORD, USER

_HEAP: Final = "-Xmx512m"
#: A broker that lives for a minute has more from a quick start than from good machine code.
_QUICK: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
_STORE: Final = "test-store"
_PATIENCE_S: Final = 60.0

Offered = tuple[bytes | None, bytes] | bytes


@dataclass(frozen=True)
class Kafka:
    """A broker; `folder` holds its log and the certificate that its TLS listener shows."""

    process: ServerProcess
    folder: Path
    port: int
    secure_port: int

    @property
    def address(self) -> str:
        """Host and port of the plain listener."""
        return f"127.0.0.1:{self.port}"

    @property
    def secure_address(self) -> str:
        """Host and port of the listener with TLS and SASL."""
        return f"127.0.0.1:{self.secure_port}"

    @property
    def certificate(self) -> Path:
        """What a client of the secure listener trusts (PEM)."""
        return self.folder / "broker.pem"

    def url(self, topic: str, **options: str | int) -> str:
        """Address of a topic, as a person writes it."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"kafka://{self.address}/{topic}" + (f"?{query}" if query else "")

    def admin(self) -> AdminClient:
        """A client that makes and removes topics."""
        return AdminClient({"bootstrap.servers": self.address})

    def new_topic(self, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """An empty topic of its own; its name."""
        name = f"t{secrets.token_hex(6)}"
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin = self.admin()  # it must outlive what it is asked
        admin.create_topics([topic])[name].result(_PATIENCE_S)
        return name

    def produce(self, topic: str, values: Sequence[Offered], partition: int | None = None) -> None:
        """Write values, or pairs of key and value, and wait until the broker has them."""
        producer = Producer({"bootstrap.servers": self.address, "enable.idempotence": True, "linger.ms": 5})
        place: dict[str, Any] = {} if partition is None else {"partition": partition}
        for value in values:
            key, body = value if isinstance(value, tuple) else (None, value)
            producer.produce(topic, body, key, **place)
            producer.poll(0)
        assert producer.flush(_PATIENCE_S) == 0

    def messages(self, topic: str) -> list[Message]:
        """Everything that a topic holds now, partition by partition."""
        # The marks of transactions are at the end of a partition too, so its end is told and not counted.
        properties = {"enable.auto.commit": False, "enable.partition.eof": True}
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "test-reader", **properties})
        try:
            partitions = consumer.list_topics(topic, _PATIENCE_S).topics[topic].partitions
            found: list[Message] = []
            for partition in sorted(partitions):
                at = TopicPartition(topic, partition)
                low, _ = consumer.get_watermark_offsets(at, _PATIENCE_S)
                consumer.assign([TopicPartition(topic, partition, low)])
                while (message := consumer.poll(_PATIENCE_S)) is not None and message.error() is None:
                    found.append(message)
            return found
        finally:
            consumer.close()

    def values(self, topic: str) -> list[bytes]:
        """The values of `messages`."""
        return [message.value() or b"" for message in self.messages(topic)]


@contextmanager
def start_kafka() -> Iterator[Kafka]:
    """A broker that makes no topics by itself."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("Kafka needs Java, which is not installed (Debian: apt-get install default-jre-headless)")
    jars = built.jars("kafka")
    with tempfile.TemporaryDirectory(prefix="groundswell-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        port, secure_port, controller = free_port(), free_port(), free_port()
        _make_certificate(folder)
        (folder / "server.properties").write_text(_properties(folder, port, secure_port, controller))
        run = [java, _HEAP, *_QUICK, "-cp", f"{jars}/*"]
        identity = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        if identity.startswith("-"):
            identity = f"A{identity[1:]}"
        scram = f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]"
        tool = ["kafka.tools.StorageTool", "format", "-t", identity, "-c", "server.properties", "--add-scram", scram]
        done = subprocess.run([*run, *tool], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        process = ServerProcess(
            [*run, "kafka.Kafka", "server.properties"], folder / "log", lambda: accepts(port) and _answers(port)
        )
        process.start()
        try:
            yield Kafka(process, folder, port, secure_port)
        finally:
            # What it would bring to an end in peace is removed with its folder.
            process.kill()


def _properties(folder: Path, port: int, secure_port: int, controller: int) -> str:
    listeners = f"PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure_port}"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
        "log.dirs": folder / "data",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "ssl.keystore.location": folder / "broker.p12",
        "ssl.keystore.password": _STORE,
        "ssl.keystore.type": "PKCS12",
        "listener.name.sasl_ssl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{plain} required user_{USER}="{PASSWORD}";',
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _make_certificate(folder: Path) -> None:
    """A key of the broker's own, and its certificate for those who are to trust it."""
    store = ["-keystore", str(folder / "broker.p12"), "-storepass", _STORE, "-storetype", "PKCS12", "-alias", "broker"]
    make = ["-genkeypair", "-keyalg", "EC", "-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1", "-validity", "3650"]
    for command in ([*make, *store], ["-exportcert", "-rfc", "-file", str(folder / "broker.pem"), *store]):
        done = subprocess.run(["keytool", *command], capture_output=True, text=True, check=False, env=dict(os.environ))
        assert done.returncode == 0, done.stdout + done.stderr


def _answers(port: int) -> bool:
    """Whether the broker takes requests; its port is open a little sooner."""
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
    try:
        return bool(admin.list_topics(timeout=1.0).brokers)
    except Exception:  # whatever it says, it is not ready
        return False
