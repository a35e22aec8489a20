"""Every kind of channel against a real receiver."""

from __future__ import annotations

import json
import shutil
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import config_of
from groundswell.channels.messages import SAMPLE, Message
from groundswell.channels.send import Sending, preview, send
from groundswell.channels.signing import verify

OPEN = Sending(private=True, clock=lambda: 1_763_800_000.5)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of the specification


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, receiver: Any) -> None:
    monkeypatch.setenv("GROUNDSWELL_SECRET_HOOK", receiver.url)
    monkeypatch.setenv("GROUNDSWELL_SECRET_SIGN", SECRET)
    monkeypatch.setenv("GROUNDSWELL_SECRET_PASSWORD", "pass word")


def test_a_webhook_is_signed_json_with_an_id_by_which_a_repetition_is_known(
    receiver: Any, message: Message, secrets: None
) -> None:
    config = config_of("webhook", {"url": receiver.url, "signing_secret": "sign"})
    send(config, message, None, OPEN)
    send(config, message, None, OPEN)
    first, second = receiver.requests
    said = json.loads(first.body)
    assert (said["version"], said["event"], said["id"]) == (1, "opened", message.id)
    assert said["alert"]["observed"] == 63
    assert said["link"] == message.link
    assert first.body == second.body
    assert first.headers["webhook-id"] == first.headers["idempotency-key"] == message.id
    assert verify(SECRET, first.headers, first.body, 1_763_800_010)
    assert not verify(SECRET, first.headers, first.body.replace(b"63", b"64"), 1_763_800_010)
    assert not verify(SECRET, first.headers, first.body, 1_763_801_000)
    assert not verify(SECRET, first.headers | {"webhook-id": "other"}, first.body, 1_763_800_010)


def test_a_template_words_the_whole_body_of_a_webhook(receiver: Any, message: Message) -> None:
    config = config_of("webhook", {"url": receiver.url})
    body = '{"summary": "$headline", "severity": "critical", "n": "$observed", "closed": "$closed_at", "k": ["$id"]}'
    send(config, message, {"body": body}, OPEN)
    assert json.loads(receiver.requests[0].body) == {
        "summary": SAMPLE["headline"],
        "severity": "critical",
        "n": 63,
        "closed": None,
        "k": [message.id],
    }


def test_slack_gets_text_in_which_nobody_is_called(receiver: Any, secrets: None) -> None:
    posts = [{**SAMPLE["top_posts"][0], "text": "<!channel> *bold* & <http://evil.example|bank>"}]
    shouting = Message("a" * 32, "opened", "2026-11-20T08:15:02Z", {"alert": {**SAMPLE, "top_posts": posts}})
    send(config_of("slack", {"url_secret": "HOOK"}), shouting, None, OPEN)
    text = json.loads(receiver.requests[0].body)["text"]
    assert text.startswith(f"*{SAMPLE['headline']}*\n")
    assert "&lt;!channel&gt;" in text
    assert "<" not in text


def test_discord_gets_an_embed_in_which_nobody_is_called(receiver: Any, message: Message, secrets: None) -> None:
    send(config_of("discord", {"url_secret": "HOOK"}), message, {"title": "$tracker: $headline"}, OPEN)
    said = json.loads(receiver.requests[0].body)
    assert said["allowed_mentions"] == {"parse": []}
    (embed,) = said["embeds"]
    assert embed["title"] == f"Side effects: {SAMPLE['headline']}"
    assert embed["url"] == message.link


def test_what_people_posted_is_no_link_and_no_call_but_a_template_is_what_it_says(receiver: Any, secrets: None) -> None:
    said = "[bank](https://evil.example) @channel **x** https://a.example/a_b/@c"
    posts = [{**SAMPLE["top_posts"][0], "text": said, "author": "@all"}]
    alert = Message("a" * 32, "opened", "2026-11-20T08:15:02Z", {"alert": {**SAMPLE, "top_posts": posts}})
    words = {"text": "@channel [page](https://ours.example): $top_post"}
    for template in (None, words):
        send(config_of("slack", {"url_secret": "HOOK"}), alert, template, OPEN)
        send(config_of("discord", {"url_secret": "HOOK"}), alert, template, OPEN)
    texts = [json.loads(request.body) for request in receiver.requests]
    slack, ours = texts[0]["text"], texts[2]["text"]
    assert "[bank]\u200b(https://evil.example) @\u200bchannel" in slack
    assert "— @\u200ball" in slack
    assert "https://a.example/a_b/@c" in slack
    assert ours.startswith("@channel [page](https://ours.example): [bank]\u200b(")
    discord, ours = texts[1]["embeds"][0]["description"], texts[3]["embeds"][0]["description"]
    quoted = r"\[bank\]\(https://evil.example\) @channel \*\*x\*\* https://a.example/a_b/@c"
    assert quoted in discord
    assert ours == f"@channel [page](https://ours.example): {quoted}"


def test_an_answer_that_repeats_the_secret_address_does_not_reach_the_error(
    receiver: Any, message: Message, secrets: None
) -> None:
    receiver.answer = lambda _: (404, {}, f"no hook at {receiver.url} (hooks/T0/secret-path)".encode())
    with pytest.raises(NotSentError) as raised:
        send(config_of("slack", {"url_secret": "HOOK"}), message, None, OPEN)
    assert "127.0.0.1 says 404" in str(raised.value)
    assert "secret-path" not in str(raised.value)
    assert not raised.value.refused


@pytest.mark.parametrize(
    ("status", "headers", "body", "refused", "wait"),
    [
        (400, {}, b"invalid_payload", True, None),
        (429, {"Retry-After": "7"}, b"", False, 7.0),
        (429, {}, b'{"retry_after": 1.5}', False, 1.5),
        (503, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, b"", False, 3600.0),
        (500, {"Retry-After": "soon"}, b"\x00\x1b[31m", False, None),
        (301, {"Location": "/other"}, b"", False, None),
    ],
)
def test_what_a_server_says_decides_about_another_try(
    receiver: Any, message: Message, status: int, headers: dict[str, str], body: bytes, refused: bool, wait: float
) -> None:
    receiver.answer = lambda _: (status, headers, body)
    with pytest.raises(NotSentError, match=str(status)) as raised:
        send(config_of("webhook", {"url": receiver.url}), message, None, OPEN)
    assert (raised.value.refused, raised.value.wait_s) == (refused, wait)
    assert "\x1b" not in str(raised.value)


def test_a_redirect_that_keeps_the_body_is_followed_but_not_for_ever(receiver: Any, message: Message) -> None:
    receiver.answer = lambda n: (307, {"Location": "/next"}, b"") if n == 1 else (200, {}, b"")
    send(config_of("webhook", {"url": receiver.url}), message, None, OPEN)
    assert receiver.requests[1].path == "/next"
    assert receiver.requests[0].body == receiver.requests[1].body
    receiver.answer = lambda _: (308, {"Location": "/round"}, b"")
    with pytest.raises(NotSentError, match="more than 3 redirects"):
        send(config_of("webhook", {"url": receiver.url}), message, None, OPEN)


def test_a_message_that_was_taken_is_sent_whatever_becomes_of_the_rest_of_the_answer(
    receiver: Any, message: Message
) -> None:
    receiver.answer = lambda _: (200, {"Content-Length": "100"}, b"ok")
    send(config_of("webhook", {"url": receiver.url}), message, None, OPEN)
    receiver.answer = lambda _: (503, {"Content-Length": "100"}, b"")
    with pytest.raises(NotSentError, match="cannot be reached"):
        send(config_of("webhook", {"url": receiver.url}), message, None, OPEN)


def test_a_login_goes_to_its_own_host_only(
    receiver: Any, message: Message, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("webhook", {"url": receiver.url, "bearer_secret": "PASSWORD"})
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    receiver.answer = lambda n: (307, {"Location": elsewhere}, b"") if n == 1 else (200, {}, b"")
    send(config, message, None, OPEN)
    assert receiver.requests[0].headers["authorization"] == "Bearer pass word"
    assert "authorization" not in receiver.requests[1].headers
    monkeypatch.setenv("GROUNDSWELL_SECRET_PASSWORD_HOST", "hooks.example")
    with pytest.raises(NotSentError, match=r"PASSWORD is only for hooks\.example"):
        send(config, message, None, OPEN)
    monkeypatch.setenv("GROUNDSWELL_SECRET_PASSWORD_HOST", "127.0.0.1")
    send(config, message, None, OPEN)


def test_an_address_that_is_not_public_is_refused_before_anything_is_sent(receiver: Any, message: Message) -> None:
    with pytest.raises(NotSentError, match=r"not a public address.*GROUNDSWELL_PRIVATE_URLS"):
        send(config_of("webhook", {"url": receiver.url}), message, None, Sending())
    assert receiver.requests == []


def test_a_secret_that_is_not_set_is_named_with_its_variable(message: Message) -> None:
    with pytest.raises(NotSentError, match="GROUNDSWELL_SECRET_NOWHERE"):
        send(config_of("slack", {"url_secret": "nowhere"}), message, None, OPEN)


def test_a_mail_carries_the_id_and_is_of_one_conversation(mail_server: Callable[..., Any], message: Message) -> None:
    box = mail_server()
    config = config_of(
        "email", {"host": "127.0.0.1", "port": box.port, "tls": "none", "sender": "g@example.org", "to": ["a@b.org"]}
    )
    send(config, message, None, OPEN)
    (letter,) = box.letters
    assert letter["Message-ID"] == f"<{message.id}@groundswell.invalid>"
    assert letter["References"] == "<alert-0000000000000000@groundswell.invalid>"
    assert "Subject: x Side effects 63\n" in preview(config, message, {"title": "x $tracker\n$observed"})
    assert "63 posts in 5 minutes" in letter.get_payload(decode=True).decode()


def test_a_mail_that_was_taken_is_sent_whatever_the_server_says_to_the_farewell(
    mail_server: Callable[..., Any], message: Message
) -> None:
    box = mail_server()
    box.farewell = "451 not now"
    said = {"host": "127.0.0.1", "port": box.port, "tls": "none", "sender": "g@example.org", "to": ["a@b.org"]}
    send(config_of("email", said), message, None, OPEN)
    assert len(box.letters) == 1


def test_a_title_cannot_add_headers_to_a_mail(mail_server: Callable[..., Any]) -> None:
    box = mail_server()
    config = config_of(
        "email", {"host": "127.0.0.1", "port": box.port, "tls": "none", "sender": "g@example.org", "to": ["a@b.org"]}
    )
    alert = {**SAMPLE, "headline": "a\r\nBcc: x@evil.example"}
    send(config, Message("c" * 32, "opened", "2026-11-20T08:15:02Z", {"alert": alert}), None, OPEN)
    assert box.letters[0]["Bcc"] is None
    assert box.letters[0]["Subject"] == "a Bcc: x@evil.example"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 with its key, made by openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def test_mail_goes_encrypted_with_a_login_and_only_to_who_is_trusted(
    mail_server: Callable[..., Any],
    certificate: Path,
    message: Message,
    secrets: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    box = mail_server(tls_context=context, require_starttls=True, auth_required=True)
    said = {"host": "127.0.0.1", "port": box.port, "sender": "g@example.org", "to": ["a@b.org"], "user": "me"}
    config = config_of("email", {**said, "password_secret": "PASSWORD"})
    with pytest.raises(NotSentError, match="certificate verify failed"):
        send(config, message, None, OPEN)
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    send(config, message, None, OPEN)
    assert len(box.letters) == 1
    monkeypatch.setenv("GROUNDSWELL_SECRET_PASSWORD", "wrong")
    with pytest.raises(NotSentError, match=r"does not accept the login .*secret PASSWORD"):
        send(config, message, None, OPEN)


def test_a_host_or_login_that_smtp_cannot_write_is_no_delivery(
    message: Message, mail_server: Callable[..., Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    box = mail_server(tls_context=context, require_starttls=True, auth_required=True)
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    monkeypatch.setenv("GROUNDSWELL_SECRET_PASSWORD", "schlüssel")
    said = {"port": box.port, "sender": "g@example.org", "to": ["a@b.org"], "user": "me", "password_secret": "PASSWORD"}
    with pytest.raises(NotSentError, match="signs that SMTP does not know") as raised:
        send(config_of("email", {**said, "host": "127.0.0.1"}), message, None, OPEN)
    assert "ü" not in str(raised.value)
    assert "xfc" not in str(raised.value)
    with pytest.raises(NotSentError, match=r"smtp\.\.example\.org"):
        send(config_of("email", {**said, "host": "smtp..example.org"}), message, None, OPEN)


def test_what_a_mail_server_refuses_is_said(mail_server: Callable[..., Any], message: Message) -> None:
    box = mail_server()
    said = {
        "host": "127.0.0.1",
        "port": box.port,
        "tls": "none",
        "sender": "g@example.org",
        "to": ["a@b.org", "c@d.org"],
    }
    box.refuse = {"a@b.org": "550 no such user"}
    send(config_of("email", said), message, None, OPEN)
    assert len(box.letters) == 1
    box.refuse["c@d.org"] = "550 no such user"
    with pytest.raises(NotSentError, match=r"none of the receivers .*550 no such user") as raised:
        send(config_of("email", said), message, None, OPEN)
    assert not raised.value.refused
    box.refuse, box.data_answer = {}, "554 looks like spam"
    with pytest.raises(NotSentError, match="554 looks like spam") as raised:
        send(config_of("email", said), message, None, OPEN)
    assert raised.value.refused


def test_a_command_gets_the_message_and_no_secret(tmp_path: Path, message: Message, secrets: None) -> None:
    out = tmp_path / "got.json"
    got = "[json.load(sys.stdin), dict(os.environ), sys.argv[2:]]"
    code = f"import json, os, sys; json.dump({got}, open(sys.argv[1], 'w'))"
    config = config_of("command", {"argv": [sys.executable, "-c", code, str(out), "$(id); `id`"]})
    send(config, message, None, OPEN)
    said, environment, argv = json.loads(out.read_text())
    assert said["alert"]["headline"] == SAMPLE["headline"]
    assert argv == ["$(id); `id`"]
    assert environment["GROUNDSWELL_MESSAGE_ID"] == message.id
    assert [name for name in environment if name.startswith("GROUNDSWELL_SECRET_")] == []


def test_a_command_that_fails_or_hangs_is_no_delivery(tmp_path: Path, message: Message) -> None:
    loud = config_of("command", {"argv": [sys.executable, "-c", "import sys; sys.exit('pager is down')"]})
    with pytest.raises(NotSentError, match=r"ended with code 1: pager is down"):
        send(loud, message, None, OPEN)
    hangs = config_of("command", {"argv": [sys.executable, "-c", "input(); input()" * 9], "timeout_s": 0.2})
    slow = config_of("command", {"argv": ["/bin/sh", "-c", "sleep 60 & wait"], "timeout_s": 0.2})
    with pytest.raises(NotSentError, match="did not end within"):
        send(slow, message, None, OPEN)
    with pytest.raises(NotSentError):
        send(hangs, message, None, OPEN)
    with pytest.raises(NotSentError, match="cannot be started"):
        send(config_of("command", {"argv": [str(tmp_path / "nothing")]}), message, None, OPEN)


def test_a_file_has_each_message_once_and_is_for_its_owner_only(tmp_path: Path, message: Message) -> None:
    path = tmp_path / "alerts.ndjson"
    config = config_of("file", {"path": str(path)})
    send(config, message, None, OPEN)
    send(config, message, None, OPEN, again=True)
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == [message.id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(path.read_bytes() + b'{"cut o')
    other = Message("d" * 32, "closed", message.created_at, message.body)
    send(config, other, None, OPEN, again=True)
    assert json.loads(path.read_text().splitlines()[-1])["id"] == other.id


def test_a_line_that_names_no_message_is_rather_written_twice_than_not_at_all(tmp_path: Path, message: Message) -> None:
    path = tmp_path / "alerts.ndjson"
    other = Message("d" * 32, message.event, message.created_at, message.body)
    for each in (message, other):
        send(config_of("file", {"path": str(path)}), each, {"body": '{"n": "$observed"}'}, OPEN, again=True)
    assert path.read_text() == '{"n":63}\n' * 2


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, message: Message) -> None:
    config = config_of("file", {"path": str(tmp_path / "missing" / "alerts.ndjson")})
    with pytest.raises(NotSentError, match="No such file or directory"):
        send(config, message, None, OPEN)
