"""Sending one message on one channel, whatever its kind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from groundswell.channels.chat import discord_body, slack_body
from groundswell.channels.http import NotSentError, post
from groundswell.channels.kinds import (
    Command,
    Config,
    Discord,
    Email,
    File,
    Kafka,
    Slack,
    Webhook,
    check_url,
    logins_of,
    secrets_of,
)
from groundswell.channels.local import append_line, run_command
from groundswell.channels.mail import letter_of, send_mail
from groundswell.channels.messages import Message
from groundswell.channels.secret import host_bound_to, is_set, read_secret
from groundswell.channels.signing import sign
from groundswell.channels.topic import produce
from groundswell.errors import GroundswellError, UsageError

#: What stands for a secret that an answer repeated.
_HIDDEN = "[secret]"


@dataclass(frozen=True)
class Sending:
    """What a message is sent with, besides the channel itself."""

    private: bool = False
    """Whether addresses may be reached that are not public."""
    clock: Callable[[], float] = time.time
    """Seconds since 1970 UTC, for signatures."""


def send(config: Config, message: Message, words: dict[str, str] | None, how: Sending, *, again: bool = False) -> None:
    """Send the message; returns when the other side has it. `again`: an earlier try may have gone through.

    Raises:
        NotSentError: it has not; says why, without any secret.
    """
    try:
        _send(config, message, words, how, again=again)
    except NotSentError as error:
        hint = None if error.hint is None else hidden(error.hint, config)
        raise NotSentError(hidden(error.what, config), hint=hint, refused=error.refused, wait_s=error.wait_s) from error
    except GroundswellError as error:
        what = hidden(error.what, config)
        raise NotSentError(what, hint=error.hint) from error


def _send(config: Config, message: Message, words: dict[str, str] | None, how: Sending, *, again: bool) -> None:
    _check_bound(config)
    match config:
        case Webhook() | Slack() | Discord():
            content, headers = request_of(config, message, words, how.clock)
            post(_address(config), content, headers, private=how.private)
        case Email():
            send_mail(config, message, words, private=how.private)
        case Command():
            run_command(config, message, words)
        case File():
            append_line(config, message, words, again=again)
        case Kafka():
            produce(config, message, words)
        case _:
            raise AssertionError(config)  # every kind is above


def _check_bound(config: Config) -> None:
    for name, host in logins_of(config):
        bound = host_bound_to(name)
        to = urlsplit(_address(config)).hostname if host is None and isinstance(config, Webhook) else host
        if bound is not None and bound != to:
            what = f"the secret {name} is only for {bound}"
            raise NotSentError(what, hint="give the channel that host, or another secret")


def request_of(
    config: Config, message: Message, words: dict[str, str] | None, clock: Callable[[], float]
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a webhook's request. The id is in each, so that a receiver knows what comes twice."""
    headers = {"Idempotency-Key": message.id, "webhook-id": message.id}
    match config:
        case Slack():
            return _json(slack_body(message, words)), headers
        case Discord():
            return _json(discord_body(message, words)), headers
        case Webhook():
            content = _json(message.payload(words))
            timestamp = int(clock())
            headers |= {"webhook-timestamp": str(timestamp), "X-Groundswell-Event": message.event}
            if config.signing_secret is not None:
                headers["webhook-signature"] = sign(read_secret(config.signing_secret), message.id, timestamp, content)
            if config.bearer_secret is not None:
                headers["Authorization"] = f"Bearer {read_secret(config.bearer_secret)}"
            return content, headers
        case _:
            raise AssertionError(config)  # these three are webhooks


def preview(config: Config, message: Message, words: dict[str, str] | None) -> str:
    """What would be sent, as text: a body, a mail, a line."""
    match config:
        case Slack():
            return _shown(slack_body(message, words))
        case Discord():
            return _shown(discord_body(message, words))
        case Email():
            return letter_of(config, message, words).as_string()
        case _:
            return _shown(message.payload(words))


def _address(config: Webhook | Slack | Discord) -> str:
    if isinstance(config, Webhook) and config.url is not None:
        return config.url
    secret = config.url_secret or ""
    try:
        return check_url(read_secret(secret))
    except UsageError as error:
        what = f"the secret {secret} is not an address that can be posted to"
        raise NotSentError(what, hint="put the webhook's whole address into it: https://…") from error


def hidden(text: str, config: Config) -> str:
    """A text in which no secret of the channel stands, nor the path of an address that is one."""
    for name in secrets_of(config):
        if is_set(name):
            secret = read_secret(name)
            _, _, path = secret.partition("://")[2].partition("/")
            for part in (secret, path):
                if len(part) >= 6:
                    text = text.replace(part, _HIDDEN)
    return text


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _shown(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2)
