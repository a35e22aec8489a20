"""A topic of Kafka as a channel: each message is JSON, with the alert's id as its key."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from groundswell.bus.kafka_address import PASSWORD, read_address
from groundswell.bus.kafka_clients import Complaints, kafka, make_producer, partitions_of, trouble_of
from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import Kafka
from groundswell.channels.messages import Message
from groundswell.channels.secret import read_secret

if TYPE_CHECKING:
    from confluent_kafka.cimpl import KafkaError
    from confluent_kafka.cimpl import Message as Delivered

#: How long brokers may take to say that they are there, and to take a message, seconds.
_REACH_S: Final = 5.0
_PATIENCE_S: Final = 20.0


def produce(config: Kafka, message: Message, words: dict[str, str] | None) -> None:
    """Write the message to the topic; returns when all replicas have it.

    Messages about one alert are in one partition, so in their order. A message that is sent again has the same
    `groundswell-message-id` in its headers.

    Raises:
        GroundswellError: no broker can be reached, they refuse this client, or there is no such topic.
        NotSentError: they do not take the message.
    """
    variables = dict(os.environ)
    if config.password_secret is not None:
        variables[PASSWORD] = read_secret(config.password_secret)
    address = read_address(config.url)
    partitions_of(address, wait_s=_REACH_S, environment=variables)
    complaints = Complaints()
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Delivered) -> None:
        if error is not None:
            failed.append(error)

    limit_ms = round(_PATIENCE_S * 1000) - 1000
    producer = make_producer(address, complaints, environment=variables, message__timeout__ms=limit_ms)
    key = str(message.alert.get("id") or message.id)
    value = json.dumps(message.payload(words), ensure_ascii=False, separators=(",", ":")).encode()
    headers: dict[str, str | bytes | None] = {
        "groundswell-message-id": message.id,
        "groundswell-event": message.event,
        "content-type": "application/json",
    }
    try:
        producer.produce(address.topic, value, key.encode(), headers=headers, on_delivery=delivered)
        waiting = producer.flush(_PATIENCE_S)
    except kafka().KafkaException as error:
        raise trouble_of(error.args[0], address, complaints) from error
    if failed:
        raise trouble_of(failed[0], address, complaints)
    if waiting:
        what = f"Kafka did not take the message within {_PATIENCE_S:g} seconds"
        raise NotSentError(what)
