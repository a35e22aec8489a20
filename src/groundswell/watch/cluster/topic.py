"""A topic of Kafka as Spark reads it: the address of the bus in the words of Spark's own connector."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from groundswell.bus.kafka_address import KEY_PASSWORD, KafkaAddress
from groundswell.errors import UsageError

#: Spark's columns of a message, as the executors take them.
COLUMNS: Final = ("partition", "offset", "unix_micros(timestamp) AS stamped_us", "value", "headers")
#: Properties of librdkafka that Java's client calls the same.
_SAME: Final = ("security.", "sasl.", "client.", "isolation.", "fetch.", "request.", "session.", "receive.")
#: Properties of who writes the topic, as the address of a bus has them: nothing to a reader.
_WRITING: Final = ("message.", "compression.", "linger.", "batch.", "queue.buffering.")
_LOGIN: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def reader_options(address: KafkaAddress, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Options of Spark's Kafka source for an address.

    Raises:
        UsageError: the environment has no password, or the address asks for what only librdkafka has.
    """
    client = address.client(os.environ if environment is None else environment)
    found = {
        "subscribe": address.topic,
        "startingOffsets": address.start,
        "includeHeaders": "true",
        # What the topic does not hold any more must not be passed over in silence.
        "failOnDataLoss": "true",
        # What a bus appends is a transaction: one that was given up is not there.
        "kafka.isolation.level": "read_committed",
        "kafka.bootstrap.servers": client.pop("bootstrap.servers"),
    }
    mechanism, user, password = (client.pop(f"sasl.{name}", None) for name in ("mechanism", "username", "password"))
    if mechanism is not None:
        found["kafka.sasl.mechanism"] = mechanism
        if mechanism in _LOGIN:
            login = f'{_LOGIN[mechanism]} required username="{_quoted(user)}" password="{_quoted(password)}";'
            found["kafka.sasl.jaas.config"] = login
    if "security.protocol" in client:
        found["kafka.security.protocol"] = client.pop("security.protocol").upper()
    found |= {f"kafka.{name}": value for name, value in _certificates(client).items()}
    for name, value in client.items():
        if name.startswith(_WRITING):
            continue
        if not name.startswith(_SAME):
            what = f"`{name}` is a property of librdkafka that Spark's reader does not have"
            raise UsageError(what, where=address.where, hint="leave it out of the address where the engine is Spark")
        found[f"kafka.{name}"] = str(value)
    return found


def _certificates(client: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    if (authority := client.pop("ssl.ca.location", None)) is not None:
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": _text(authority)}
    own, key = client.pop("ssl.certificate.location", None), client.pop("ssl.key.location", None)
    if own is not None:
        found |= {"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": _text(own)}
    if key is not None:
        found["ssl.keystore.key"] = _text(key)
    if (password := client.pop("ssl.key.password", None)) is not None:
        found["ssl.key.password"] = password
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        what = f"this is no PEM file that can be read ({error})"
        raise UsageError(what, where=path, hint=f"the password of a key goes into {KEY_PASSWORD}") from error


def _quoted(text: str | None) -> str:
    return (text or "").replace("\\", "\\\\").replace('"', '\\"')
