"""What an address of Kafka says, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.bus.kafka_address import read_address
from groundswell.errors import UnknownChoiceError, UsageError


def test_an_address_names_brokers_topic_and_options(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    found = read_address(f"kafka://ann@a:9092,b:9093/my.posts?mechanism=SCRAM-SHA-512&ca={authority}&layout=x.table")
    assert (found.servers, found.topic, found.source) == (("a:9092", "b:9093"), "my.posts", "kafka:my.posts")
    assert (found.dead_letter, found.hint) == ("my.posts.dead", {"layout": "x.table"})
    assert found.client({"GROUNDSWELL_KAFKA_PASSWORD": "s3"}) == {
        "bootstrap.servers": "a:9092,b:9093",
        "client.id": "groundswell",
        "ssl.ca.location": str(authority),
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ann",
        "sasl.password": "s3",
    }
    assert found.where == "kafka://a:9092,b:9093/my.posts"


def test_properties_of_the_library_are_handed_on() -> None:
    found = read_address("kafka://a:9092/t?socket.timeout.ms=5000&dead_letter=none")
    assert found.client({})["socket.timeout.ms"] == "5000"
    assert found.dead_letter is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka://a/t", "not an address"),
        ("kafka://a:9092", "not an address"),
        ("kafka://a:9092/two/topics", "not an address"),
        ("kafka://ann:pass@a:9092/t", "a password has no place"),
        ("kafka://a:9092/t?sasl.password=x", "a secret has no place"),
        ("kafka://a:9092/t?ssl.key.password=x", "a secret has no place"),
        ("kafka://a:9092/t?ca=/nowhere.pem", "no file of `ca`"),
        ("kafka://a:9092/t?dead_letter=a/b", "not a topic"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_without_what_may_be_secret(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        read_address(text)
    assert "pass@" not in str(error.value)
    assert "=x" not in str(error.value)


def test_unknown_options_and_values_list_the_valid_ones() -> None:
    with pytest.raises(UnknownChoiceError, match="Did you mean `group`"):
        read_address("kafka://a:9092/t?gruop=x")
    with pytest.raises(UnknownChoiceError, match="earliest, latest"):
        read_address("kafka://a:9092/t?start=now")


def test_a_user_without_a_password_in_the_environment_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(UsageError, match="GROUNDSWELL_KAFKA_PASSWORD"):
        read_address("kafka://ann@a:9092/t").client({})
