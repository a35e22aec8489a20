"""Messages by e-mail, over SMTP."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import Email
from groundswell.channels.messages import Message
from groundswell.channels.secret import read_secret
from groundswell.errors import UsageError
from groundswell.sources.guard import connect

#: Of each step of the conversation, seconds.
TIMEOUT_S: Final = 15.0
_SUBJECT: Final = 200
_SHOWN: Final = 200


def send_mail(config: Email, message: Message, words: dict[str, str] | None, *, private: bool) -> None:
    """Hand the message to the server; returns when it has taken it for at least one receiver.

    Raises:
        NotSentError: it has not; says why.
        UnavailableError: the password is not set.
    """
    password = None if config.password_secret is None else read_secret(config.password_secret)
    letter = letter_of(config, message, words)
    try:
        server = _server(config, private=private)
        try:
            if config.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if config.user is not None and password is not None:
                server.login(config.user, password)
            server.send_message(letter)
        finally:
            # What it answers to a farewell does not change whether it has the letter.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
    except UsageError as error:
        what = f"{config.host}: {error.what}"
        raise NotSentError(what, hint=error.hint) from error
    except smtplib.SMTPNotSupportedError as error:
        what = f"{config.host} does not offer what is asked of it ({error})"
        raise NotSentError(what, hint="choose another way of encryption (tls), or leave the login out") from error
    except smtplib.SMTPAuthenticationError as error:
        what = f"{config.host} does not accept the login ({error.smtp_code})"
        raise NotSentError(what, hint=f"check user and the secret {config.password_secret}") from error
    except smtplib.SMTPRecipientsRefused as error:
        replies = "; ".join(f"{to}: {_said(code, text)}" for to, (code, text) in error.recipients.items())
        what = f"{config.host} takes mail to none of the receivers ({replies[:_SHOWN]})"
        raise NotSentError(what) from error
    except smtplib.SMTPResponseException as error:
        what = f"{config.host} says {_said(error.smtp_code, error.smtp_error)}"
        raise NotSentError(what, refused=isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500) from error
    except (smtplib.SMTPException, OSError) as error:
        what = f"{config.host}:{config.port_used} cannot be reached ({error})"
        raise NotSentError(what) from error
    except ValueError as error:
        # Its words may hold a piece of the password.
        what = f"{config.host} cannot be asked: its name or the login has signs that SMTP does not know"
        raise NotSentError(what, hint="the host needs a valid name, user and password plain (ASCII) letters") from error


def letter_of(config: Email, message: Message, words: dict[str, str] | None) -> EmailMessage:
    """The mail as it is sent; its `Message-ID` is the message's, so that mail programs know it when it comes twice."""
    title, text = message.worded(words)
    letter = EmailMessage()
    letter["Subject"] = title[:_SUBJECT]
    letter["From"] = config.sender
    letter["To"] = ", ".join(config.to)
    letter["Date"] = format_datetime(datetime.fromisoformat(message.created_at))
    letter["Message-ID"] = f"<{message.id}@groundswell.invalid>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Groundswell-Event"] = message.event
    alert = message.alert.get("id")
    if alert is not None:
        # All mails of one alert are one conversation.
        letter["References"] = f"<alert-{alert}@groundswell.invalid>"
    letter.set_content(f"{text}\n")
    return letter


def _server(config: Email, *, private: bool) -> smtplib.SMTP:
    if config.tls == "tls":
        return _Tls(config.host, config.port_used, private)
    return _Plain(config.host, config.port_used, private)


class _Plain(smtplib.SMTP):
    """A conversation over a connection that the guard makes."""

    def __init__(self, host: str, port: int, private: bool) -> None:
        self._private = private
        super().__init__(host, port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, private=self._private, timeout=timeout)


class _Tls(_Plain):
    """The same, encrypted from its first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = super()._get_socket(host, port, timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _said(code: int, text: bytes | str) -> str:
    shown = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(shown.split())[:_SHOWN]}"
