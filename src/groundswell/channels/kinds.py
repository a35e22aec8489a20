"""What each kind of channel needs to know. Secrets are only named; see `channels.secret`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from groundswell.bus.kafka_address import read_address
from groundswell.channels.secret import check_name
from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.sources.guard import shown

Tls = Literal["starttls", "tls", "none"]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all kinds."""


class Webhook(Config, frozen=True):
    """JSON to an address, signed."""

    url: str | None = None
    url_secret: str | None = None
    """Name of the secret that is the address, where the address itself must not be known."""
    signing_secret: str | None = None
    bearer_secret: str | None = None
    """Name of the secret that is sent as `Authorization: Bearer …`."""


class Slack(Config, frozen=True):
    """An incoming webhook as Slack, Mattermost or Rocket.Chat have it; its address is a secret."""

    url_secret: str


class Discord(Config, frozen=True):
    """A webhook as Discord has it; its address is a secret."""

    url_secret: str


class Email(Config, frozen=True):
    """Mail through an SMTP server."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int | None = None
    tls: Tls = "starttls"
    user: str | None = None
    password_secret: str | None = None

    @property
    def port_used(self) -> int:
        """The port, by default that of the way of encryption."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.tls]


class Command(Config, frozen=True):
    """A program that gets the message as JSON on its standard input; no shell is asked."""

    argv: tuple[str, ...]
    timeout_s: float = 30.0


class File(Config, frozen=True):
    """A file to which each message is appended as a line of JSON."""

    path: str


class Kafka(Config, frozen=True):
    """A topic of Kafka: JSON, with the alert's id as key."""

    url: str
    password_secret: str | None = None
    """Name of the secret that is the password of SASL; else that of the environment, as for the bus."""


KINDS: Final[Mapping[str, type[Config]]] = {
    "webhook": Webhook,
    "slack": Slack,
    "discord": Discord,
    "email": Email,
    "command": Command,
    "file": File,
    "kafka": Kafka,
}
#: They act on the machine that sends or reach into its network, so they are added at its own command line only.
LOCAL: Final = frozenset({"command", "file", "kafka"})
#: Which parts of a message a template of that kind words.
TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "webhook": ("body",),
    "slack": ("text",),
    "discord": ("title", "text"),
    "email": ("title", "text"),
    "command": ("body",),
    "file": ("body",),
    "kafka": ("body",),
}


def config_of(kind: str, said: Mapping[str, Any]) -> Config:
    """What a channel of that kind needs, from the desk, the API or the command line; null values are left out.

    Raises:
        UnknownChoiceError: no such kind.
        UsageError: something is missing, not of this kind, or not valid.
    """
    if kind not in KINDS:
        what = "kind of channel"
        raise UnknownChoiceError(what, kind, KINDS)
    given = {name: value for name, value in said.items() if value is not None and value != []}
    known = {name.name: name for name in msgspec.structs.fields(KINDS[kind])}
    for name in given:
        if name not in known:
            what = f"setting of a channel of kind {kind}"
            raise UnknownChoiceError(what, name, known)
    missing = [name for name, each in known.items() if each.required and name not in given]
    if missing:
        what = f"a channel of kind {kind} needs {' and '.join(f'`{name}`' for name in missing)}"
        raise UsageError(what, hint=_HINTS[kind])
    given |= {name: check_name(str(value)) for name, value in given.items() if name.endswith("_secret")}
    try:
        return _checked(msgspec.convert(given, KINDS[kind]))
    except msgspec.ValidationError as error:
        what = f"this is not a channel of kind {kind} ({error})"
        raise UsageError(what, hint=_HINTS[kind]) from error


_HINTS: Final[Mapping[str, str]] = {
    "webhook": "give url, or url_secret if the address must not be known; signing_secret signs what is sent",
    "slack": "put the webhook's address into GROUNDSWELL_SECRET_SLACK and give url_secret: SLACK",
    "discord": "put the webhook's address into GROUNDSWELL_SECRET_DISCORD and give url_secret: DISCORD",
    "email": "give host, sender and to; user and password_secret where the server wants a login",
    "command": "give the program and its arguments: -- /usr/local/bin/page-me --team brand",
    "file": "give the path of a file; its folder must exist",
    "kafka": "give url: kafka://host:9092/topic, and password_secret where the brokers want a password of their own",
}


def _checked(config: Config) -> Config:
    match config:
        case Webhook():
            return _webhook(config)
        case Email():
            return _email(config)
        case Command():
            return _command(config)
        case File():
            return _file(config)
        case Kafka():
            read_address(config.url)
            return config
        case _:
            return config


def check_url(url: str) -> str:
    """The same address, if messages can be posted to it.

    Raises:
        UsageError: it is not of the web, or holds a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        what = "this is not an address"
        raise UsageError(what, hint="write it as https://host/path") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        what = "not an http or https address"
        raise UsageError(what, where=shown(url), hint="write it as https://host/path")
    if parts.username is not None or parts.password is not None:
        what = "an address with a login in it"
        raise UsageError(what, where=shown(url), hint="put the whole address into a secret and give url_secret")
    return url


def _webhook(config: Webhook) -> Webhook:
    if (config.url is None) == (config.url_secret is None):
        what = "a webhook has one address: url or url_secret"
        raise UsageError(what, hint=_HINTS["webhook"])
    if config.url is not None:
        check_url(config.url)
    return config


def _email(config: Email) -> Email:
    for address in (config.sender, *config.to):
        name, found = parseaddr(address)
        if "@" not in found or any(sign in address for sign in "\r\n") or not found.isascii():
            what = f"not an e-mail address: `{name or address}`"
            raise UsageError(what, hint="write it as name@example.org")
    if (config.user is None) != (config.password_secret is None):
        what = "a login has a user and a password"
        raise UsageError(what, hint="give both user and password_secret, or neither")
    if config.user is not None and config.tls == "none":
        what = "a password over a connection that is not encrypted"
        raise UsageError(what, hint="use starttls or tls, or a server that needs no login")
    if config.port is not None and not 0 < config.port < 65_536:
        what = f"no port {config.port}"
        raise UsageError(what, hint="from 1 to 65535")
    return config


def _command(config: Command) -> Command:
    if not config.argv or not config.argv[0]:
        what = "no program"
        raise UsageError(what, hint=_HINTS["command"])
    program = Path(config.argv[0])
    if not program.is_absolute():
        what = f"the program is not an absolute path: `{config.argv[0]}`"
        raise UsageError(what, hint="what a name means depends on who starts it; give /the/whole/path")
    if not 0 < config.timeout_s <= 600:
        what = f"a limit of {config.timeout_s:g} seconds"
        raise UsageError(what, hint="from more than 0 to 600")
    return config


def _file(config: File) -> File:
    path = Path(config.path).expanduser()
    if not path.is_absolute() or path.is_dir():
        what = "not the absolute path of a file"
        raise UsageError(what, where=config.path, hint=_HINTS["file"])
    return File(str(path))


def secrets_of(config: Config) -> list[str]:
    """Names of the secrets that a channel needs."""
    values = ((name, getattr(config, name)) for name in config.__struct_fields__ if name.endswith("_secret"))
    return [value for _, value in values if value is not None]


def logins_of(config: Config) -> list[tuple[str, str | None]]:
    """Names of the secrets that say to somebody who sends, each with who that is (null: the host of a secret address).

    A login is sent as it is. A key signs what is sent, and whoever gets that could show it elsewhere as ours.
    """
    match config:
        case Webhook(url=url):
            host = None if url is None else urlsplit(url).hostname
            return [(name, host) for name in (config.bearer_secret, config.signing_secret) if name is not None]
        case Email(password_secret=str() as name, host=host):
            return [(name, host.lower())]
        case _:
            return []


def target_of(config: Config) -> str:
    """Where a channel leads, in a few words and without any secret."""
    match config:
        case Webhook(url=str() as url):
            return shown(url)
        case Webhook() | Slack() | Discord():
            return f"the address in the secret {config.url_secret}"
        case Email():
            return f"{', '.join(config.to)} by {config.host}:{config.port_used} ({config.tls})"
        case Command():
            return shlex.join(config.argv)
        case File():
            return config.path
        case Kafka():
            return read_address(config.url).where
        case _:
            raise AssertionError(config)  # every kind is above
