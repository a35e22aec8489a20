"""Clients of Kafka, and what goes wrong with them in words that a person can act on."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from groundswell.bus.kafka_address import KEY_PASSWORD, PASSWORD, KafkaAddress
from groundswell.errors import GroundswellError, NotFoundError, UnavailableError, UsageError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.cimpl import KafkaError

#: How long a broker may take to answer before it counts as not reachable, seconds.
REACH_S: Final = 15.0
_TRY_S: Final = 1.0
_MADE_S: Final = 2.0

#: What the client's library says, at most as warnings: what matters is said by us.
_said = logging.getLogger("groundswell.kafka.client")
_said.setLevel(logging.CRITICAL)


def kafka() -> Any:
    """The module `confluent_kafka`.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        import confluent_kafka  # noqa: PLC0415 - an extra
    except ImportError as error:
        what = "Kafka needs a package that is not installed"
        raise UnavailableError(what, hint="pip install 'groundswell[kafka]'") from error
    return confluent_kafka


class Complaints:
    """What a client complains about, the last of each code; given to it as `error_cb`."""

    def __init__(self) -> None:
        self._found: dict[int, KafkaError] = {}

    def __call__(self, error: KafkaError) -> None:
        """Keep an error."""
        self._found[error.code()] = error

    def clear(self) -> None:
        """Forget them."""
        self._found.clear()

    def __iter__(self) -> Any:
        return iter(self._found.values())


def make_consumer(
    address: KafkaAddress, complaints: Complaints, *, environment: Mapping[str, str] | None = None, **properties: Any
) -> Consumer:
    """A consumer that commits nothing by itself and sees only what was committed.

    Raises:
        UsageError: a property is not one of librdkafka, or its value is not valid.
    """
    usual = {
        "group.id": "groundswell",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "error_cb": complaints,
        # A partition whose messages wait here is asked again soon, and not after a second.
        "fetch.queue.backoff.ms": 20,
        "queued.max.messages.kbytes": 32_768,
    }
    properties = {name.replace("__", "."): value for name, value in properties.items()}
    found: Consumer = _make("Consumer", address, usual | properties, environment)
    return found


def make_producer(
    address: KafkaAddress, complaints: Complaints, *, environment: Mapping[str, str] | None = None, **properties: Any
) -> Producer:
    """A producer that doubles nothing by itself and asks all replicas.

    Raises:
        UsageError: a property is not one of librdkafka, or its value is not valid.
    """
    usual = {"enable.idempotence": True, "acks": "all", "error_cb": complaints, "linger.ms": 5}
    usual |= {"compression.type": "zstd", "queue.buffering.max.messages": 1_000_000}
    properties = {name.replace("__", "."): value for name, value in properties.items()}
    found: Producer = _make("Producer", address, usual | properties, environment)
    return found


def _make(kind: str, address: KafkaAddress, properties: dict[str, Any], environment: Mapping[str, str] | None) -> Any:
    module = kafka()
    try:
        return getattr(module, kind)(properties | address.client(environment), logger=_said)
    except module.KafkaException as error:
        what = f"the options of this address do not fit together ({error.args[0].str()})"
        raise UsageError(what, where=address.where, hint="see docs/guide/kafka.md for all of them") from error


def partitions_of(
    address: KafkaAddress, *, wait_s: float = REACH_S, environment: Mapping[str, str] | None = None
) -> list[int]:
    """The partitions of the topic.

    Raises:
        UnavailableError: no broker can be reached, or they refuse this client.
        NotFoundError: there is no such topic.
    """
    complaints = Complaints()
    consumer = make_consumer(address, complaints, environment=environment)
    begun = time.monotonic()
    deadline = begun + wait_s
    try:
        while True:
            try:
                found = consumer.list_topics(address.topic, min(_TRY_S, wait_s)).topics[address.topic]
            except kafka().KafkaException as error:
                consumer.poll(0)  # hands over what it complains about
                last = error.args[0]
                if time.monotonic() > deadline or refused(complaints) is not None:
                    raise trouble_of(last, address, complaints) from error
                continue
            if found.error is not None:
                # A topic that was made just now is not known to all brokers at once.
                if time.monotonic() - begun < _MADE_S:
                    consumer.poll(_TRY_S / 4)
                    continue
                raise trouble_of(found.error, address, complaints)
            return sorted(found.partitions)
    finally:
        consumer.close()


def refused(complaints: Iterable[KafkaError]) -> KafkaError | None:
    """The complaint that says that the brokers will not have this client; null if there is none."""
    codes = kafka().KafkaError
    never = {codes._AUTHENTICATION, codes._SSL, codes.SASL_AUTHENTICATION_FAILED, codes.TOPIC_AUTHORIZATION_FAILED}
    return next((each for each in complaints if each.code() in never), None)


def trouble_of(error: KafkaError, address: KafkaAddress, complaints: Iterable[KafkaError] = ()) -> GroundswellError:
    """An error of the client as one of ours: what is wrong, where, and what to do."""
    codes = kafka().KafkaError
    cause = refused(complaints) or error
    said = _plain(cause.str())
    code = cause.code()
    # That a partition is unknown is what the library says, too, when nobody can tell it who leads it.
    if code in {codes.UNKNOWN_TOPIC_OR_PART, codes._UNKNOWN_TOPIC}:
        hint = "make it first, with as many partitions as it is to have: kafka-topics.sh --create --topic …"
        return NotFoundError(f"there is no topic `{address.topic}`", where=address.where, hint=hint)
    if code in {codes.TOPIC_AUTHORIZATION_FAILED, codes.GROUP_AUTHORIZATION_FAILED, codes.CLUSTER_AUTHORIZATION_FAILED}:
        hint = "give this user the rights that docs/guide/kafka.md lists"
        return UnavailableError(f"Kafka does not allow this ({said})", where=address.where, hint=hint)
    if code in {codes._AUTHENTICATION, codes.SASL_AUTHENTICATION_FAILED}:
        hint = f"check `user` and `mechanism` of the address, and {PASSWORD} in the environment"
        return UnavailableError(f"Kafka refuses this user ({said})", where=address.where, hint=hint)
    if code == codes._SSL:
        hint = f"check `ca`, `cert` and `key` of the address, and {KEY_PASSWORD} in the environment"
        return UnavailableError(f"no trust between Kafka and this client ({said})", where=address.where, hint=hint)
    hint = "check host and port, that a broker runs there, and whether it wants TLS: security=ssl"
    return UnavailableError(f"no broker of Kafka can be reached ({said})", where=address.where, hint=hint)


def _plain(said: str) -> str:
    """What the library says without the names of its threads."""
    return said.rpartition("]: ")[2].removeprefix("Local: ").strip()[:200]
