"""Alerts on a topic of Kafka: JSON by the alert's id, over TLS with a password, and what goes wrong in words."""

from __future__ import annotations

import json

import pytest
from tests.services.kafka import Kafka
from tests.services.servers import PASSWORD, USER

from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import config_of, target_of
from groundswell.channels.messages import Message
from groundswell.channels.send import Sending, send
from groundswell.errors import UsageError

OPEN = Sending()


@pytest.mark.service
def test_an_alert_is_a_message_of_the_topic_with_its_id_as_key(kafka: Kafka, message: Message) -> None:
    topic = kafka.new_topic(3)
    config = config_of("kafka", {"url": kafka.url(topic)})
    send(config, message, None, OPEN)
    send(config, message, {"body": '{"said": "$headline"}'}, OPEN)
    first, second = kafka.messages(topic)
    said = json.loads(first.value() or b"")
    assert (first.key() or b"").decode() == said["alert"]["id"] == (second.key() or b"").decode()
    assert (said["version"], said["event"], said["id"]) == (1, "opened", message.id)
    assert dict(first.headers() or ())["groundswell-message-id"] == message.id.encode()
    assert list(json.loads(second.value() or b"")) == ["said"]


@pytest.mark.service
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_channel_has_its_own_password(
    kafka: Kafka, message: Message, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = kafka.new_topic()
    more = f"security=sasl_ssl&mechanism={mechanism}&ca={kafka.certificate}"
    url = f"kafka://{USER}@{kafka.secure_address}/{topic}?{more}"
    config = config_of("kafka", {"url": url, "password_secret": "bus"})
    monkeypatch.setenv("GROUNDSWELL_SECRET_BUS", PASSWORD)
    send(config, message, None, OPEN)
    assert len(kafka.values(topic)) == 1
    assert target_of(config) == f"kafka://{kafka.secure_address}/{topic}"
    monkeypatch.setenv("GROUNDSWELL_SECRET_BUS", "wrong password")
    with pytest.raises(NotSentError, match="Kafka refuses this user") as refused:
        send(config, message, None, OPEN)
    assert "wrong password" not in str(refused.value)


@pytest.mark.service
def test_a_topic_that_is_not_there_is_said(kafka: Kafka, message: Message) -> None:
    with pytest.raises(NotSentError, match="there is no topic `nowhere`"):
        send(config_of("kafka", {"url": kafka.url("nowhere")}), message, None, OPEN)


def test_a_channel_needs_an_address_without_a_secret_in_it() -> None:
    with pytest.raises(UsageError, match="not an address of Kafka"):
        config_of("kafka", {"url": "https://example.org/hook"})
    with pytest.raises(UsageError, match="a password has no place"):
        config_of("kafka", {"url": "kafka://ann:secret@host:9092/alerts"})
