"""What `kafka://host:9092/topic?option=value` says: where a topic is, and how its brokers are spoken to.

Secrets are never part of an address: they come from the environment (`PASSWORD`, `KEY_PASSWORD`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from groundswell.errors import UnknownChoiceError, UsageError

SCHEME: Final = "kafka://"
#: Variables of the environment with the secrets of an address.
PASSWORD: Final = "GROUNDSWELL_KAFKA_PASSWORD"  # noqa: S105 - the name of a variable
KEY_PASSWORD: Final = "GROUNDSWELL_KAFKA_KEY_PASSWORD"  # noqa: S105 - the name of a variable

SECURITY: Final = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER")
STARTS: Final = ("earliest", "latest")
#: What an address may say besides, by name, with its meaning; a name with a dot is a property of librdkafka.
OPTIONS: Final[Mapping[str, str]] = {
    "group": "name of the consumer group",
    "start": "where a topic is begun that was never read: earliest, latest",
    "dead_letter": "topic that takes what cannot be decoded; none: it is only quarantined",
    "registry": "address of the schema registry of Avro values",
    "layout": "layout of the records; recognised from them if absent",
    "tz": "time zone of times that name none",
    "security": "plaintext, ssl, sasl_plaintext or sasl_ssl",
    "mechanism": f"of SASL: {', '.join(MECHANISMS)}",
    "user": "of SASL",
    "ca": "file of the certificates that are trusted (PEM)",
    "cert": "file of the client's own certificate (PEM)",
    "key": "file of its key (PEM)",
}
_SECRETS: Final = ("password", "secret", "sasl.oauthbearer.config", "ssl.key.pem", "jaas")
_EXAMPLE: Final = "write kafka://host:9092/topic, several brokers as kafka://a:9092,b:9092/topic"
#: Longest name and signs of a topic, as Kafka has it.
_TOPIC: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@dataclass(frozen=True)
class KafkaAddress:
    """A topic and how its brokers are spoken to; `options` are those of `OPTIONS`, `more` librdkafka's own."""

    servers: tuple[str, ...]
    topic: str
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    more: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def where(self) -> str:
        """The address as messages show it: without options."""
        return f"{SCHEME}{','.join(self.servers)}/{self.topic}"

    @property
    def source(self) -> str:
        """Name of the source of records that other programs wrote to the topic."""
        return f"kafka:{self.topic}"

    @property
    def hint(self) -> dict[str, Any] | None:
        """How those records are to be read; null where the address does not say."""
        said = {name: self.options[name] for name in ("layout", "tz") if name in self.options}
        return said or None

    @property
    def dead_letter(self) -> str | None:
        """The topic of what cannot be decoded; null: none."""
        name = self.options.get("dead_letter", f"{self.topic}.dead")
        return None if name == "none" else name

    @property
    def start(self) -> str:
        """Where a topic is begun that was never read."""
        return self.options.get("start", "earliest")

    def client(self, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Properties of librdkafka that every client of the address has.

        Raises:
            UsageError: SASL is asked for and the environment has no password.
        """
        variables = os.environ if environment is None else environment
        found: dict[str, Any] = {"bootstrap.servers": ",".join(self.servers), "client.id": "groundswell"}
        # The default of librdkafka is to refuse nothing that its own list of authorities does not know.
        names = {"ca": "ssl.ca.location", "cert": "ssl.certificate.location", "key": "ssl.key.location"}
        found |= {names[name]: value for name, value in self.options.items() if name in names}
        security = self.security
        if security != "plaintext":
            found["security.protocol"] = security
        if security.startswith("sasl"):
            mechanism = self.options.get("mechanism", "PLAIN")
            found["sasl.mechanism"] = mechanism
            if mechanism in {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}:
                found |= {"sasl.username": self.options.get("user", ""), "sasl.password": self._password(variables)}
        if variables.get(KEY_PASSWORD):
            found["ssl.key.password"] = variables[KEY_PASSWORD]
        return found | dict(self.more)

    @property
    def security(self) -> str:
        """How brokers are spoken to: what is said, else what follows from a user or a file of certificates."""
        said = self.options.get("security")
        if said is not None:
            return said
        has_tls = any(name in self.options for name in ("ca", "cert"))
        if "user" in self.options or "mechanism" in self.options:
            return "sasl_ssl"
        return "ssl" if has_tls else "plaintext"

    def _password(self, variables: Mapping[str, str]) -> str:
        found = variables.get(PASSWORD, "")
        if not found:
            what = "no password for Kafka"
            raise UsageError(what, where=self.where, hint=f"set {PASSWORD} in the environment")
        return found


def is_kafka(text: str) -> bool:
    """Whether a text is an address of Kafka."""
    return text.startswith(SCHEME)


def read_address(text: str) -> KafkaAddress:
    """What an address says.

    >>> read_address("kafka://a:9092,b:9092/posts?group=night&user=ann").security
    'sasl_ssl'

    Raises:
        UsageError: it is not complete, an option is unknown or not valid, or it holds a secret.
    """
    if not is_kafka(text):
        raise UsageError(_not_address(text), hint=_EXAMPLE)
    parts = urlsplit(text)
    login, _, hosts = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    if colon:
        what = "a password has no place in an address of Kafka"
        raise UsageError(what, where=_shown(text), hint=f"take it out, and set {PASSWORD} in the environment")
    topic = unquote(parts.path.strip("/"))
    servers = tuple(host.strip() for host in hosts.split(",") if host.strip())
    if not servers or not topic or not _is_topic(topic) or not all(_has_port(server) for server in servers):
        raise UsageError(_not_address(text), hint=_EXAMPLE)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if user:
        given.setdefault("user", unquote(user))
    for name in given:
        _check_name(name, text)
    options = {name: value for name, value in given.items() if "." not in name}
    _check_values(options, text)
    return KafkaAddress(servers, topic, options, {name: value for name, value in given.items() if "." in name})


def _check_name(name: str, text: str) -> None:
    if any(secret in name.lower() for secret in _SECRETS):
        what = f"a secret has no place in an address of Kafka (`{name}`)"
        raise UsageError(what, where=_shown(text), hint=f"take it out, and set {PASSWORD} or {KEY_PASSWORD}")
    if name not in OPTIONS and "." not in name:
        kind = "option of a Kafka address"
        raise UnknownChoiceError(kind, name, OPTIONS)


def _check_values(options: Mapping[str, str], text: str) -> None:
    for name, choices in (("security", SECURITY), ("mechanism", MECHANISMS), ("start", STARTS)):
        if name in options and options[name] not in choices:
            raise UnknownChoiceError(name, options[name], choices)
    for name in ("ca", "cert", "key"):
        if name in options and not Path(options[name]).is_file():
            what = f"no file of `{name}`"
            raise UsageError(what, where=options[name], hint="give the path of a PEM file that can be read")
    dead = options.get("dead_letter", "none")
    if not _is_topic(dead):
        what = f"not a topic: `{dead}`"
        raise UsageError(what, where=_shown(text), hint="letters, digits, dots, dashes and underscores; or none")


def _is_topic(name: str) -> bool:
    return 0 < len(name) <= 249 and set(name) <= _TOPIC and name not in {".", ".."}


def _has_port(server: str) -> bool:
    host, _, port = server.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65_536


def _not_address(text: str) -> str:
    return f"not an address of Kafka: `{_shown(text)}`"


def _shown(text: str) -> str:
    """The text without what may be a secret."""
    scheme, found, rest = text.partition("://")
    return text if not found else f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"
