from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.bus.kafka_address import PASSWORD, read_address
from groundswell.errors import UsageError
from groundswell.watch.cluster.topic import reader_options


def test_an_address_without_options_says_where_and_from_where() -> None:
    assert reader_options(read_address("kafka://a:9092,b:9093/posts"), {}) == {
        "subscribe": "posts",
        "startingOffsets": "earliest",
        "includeHeaders": "true",
        "failOnDataLoss": "true",
        "kafka.isolation.level": "read_committed",
        "kafka.bootstrap.servers": "a:9092,b:9093",
        "kafka.client.id": "groundswell",
    }


def test_a_login_becomes_the_words_of_java_and_quotes_are_kept() -> None:
    address = read_address("kafka://ann@a:9092/posts?mechanism=SCRAM-SHA-256&start=latest")
    found = reader_options(address, {PASSWORD: 'se"cr\\et'})
    assert found["startingOffsets"] == "latest"
    assert found["kafka.security.protocol"] == "SASL_SSL"
    assert found["kafka.sasl.mechanism"] == "SCRAM-SHA-256"
    assert found["kafka.sasl.jaas.config"] == (
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="se\\"cr\\\\et";'
    )


def test_certificates_are_handed_on_as_text(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(f"-----{name}-----")
    options = "&".join(f"{name}={tmp_path / name}" for name in ("ca", "cert", "key"))
    found = reader_options(read_address(f"kafka://a:9092/posts?{options}"), {})
    assert found["kafka.security.protocol"] == "SSL"
    assert found["kafka.ssl.truststore.certificates"] == "-----ca-----"
    assert found["kafka.ssl.keystore.certificate.chain"] == "-----cert-----"
    assert found["kafka.ssl.keystore.key"] == "-----key-----"


def test_what_only_librdkafka_has_is_refused() -> None:
    with pytest.raises(UsageError, match="property of librdkafka"):
        reader_options(read_address("kafka://a:9092/posts?queued.min.messages=9"), {})


def test_properties_of_who_writes_the_bus_are_nothing_to_its_reader() -> None:
    address = read_address("kafka://a:9092/posts?message.max.bytes=9&linger.ms=5")
    assert reader_options(address, {}) == reader_options(read_address("kafka://a:9092/posts"), {})
