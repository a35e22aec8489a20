"""Receivers of messages: real servers on this machine that keep what they were sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Letter
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.services.process import free_port
from tests.services.receiver import Receiver, receiving

from groundswell.channels.messages import SAMPLE, Message


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server that keeps what is posted to it."""
    with receiving() as found:
        yield found


@dataclass
class Mailbox:
    """A mail server that keeps letters; `refuse` is what it says to a receiver's address instead of taking it."""

    port: int = 0
    letters: list[Letter] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"
    farewell: str = "221 Bye"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.letters.append(message_from_bytes(envelope.content))
        return self.data_answer

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        return self.farewell


def _login(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"me", b"pass word")
    return AuthResult(success=is_right, handled=False)


@pytest.fixture
def mail_server() -> Iterator[Callable[..., Mailbox]]:
    """Starts mail servers; options are those of aiosmtpd (`tls_context`, `auth_required`)."""
    running: list[Controller] = []

    def start(**options: Any) -> Mailbox:
        box = Mailbox()
        box.port = free_port()
        controller = Controller(box, hostname="127.0.0.1", port=box.port, authenticator=_login, **options)
        controller.start()
        running.append(controller)
        return box

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def message() -> Message:
    """A message about an invented alert."""
    link = "https://watch.example.org/alerts/0000000000000000"
    return Message("ab" * 16, "opened", "2026-11-20T08:15:02Z", {"alert": dict(SAMPLE)}, link)
