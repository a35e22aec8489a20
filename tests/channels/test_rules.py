"""What people may say about a channel: kinds, secrets, quiet hours, templates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.channels.forms import _SETTINGS, forms
from groundswell.channels.kinds import KINDS, Webhook, config_of, secrets_of, target_of
from groundswell.channels.manage import SETTINGS
from groundswell.channels.messages import SAMPLE, Message
from groundswell.channels.quiet import Quiet, quiet_of, read_quiet
from groundswell.channels.secret import check_name, is_set, read_secret
from groundswell.channels.templates import FIELDS, Value, check_template, fill, fill_json
from groundswell.errors import UnavailableError, UnknownChoiceError, UsageError


@pytest.mark.parametrize(
    ("kind", "said", "error"),
    [
        ("pigeon", {}, "no kind of channel `pigeon`"),
        ("webhook", {}, "url or url_secret"),
        ("webhook", {"url": "https://a.example", "url_secret": "X"}, "url or url_secret"),
        ("webhook", {"url": "https://a.example:port/"}, "not an address"),
        ("email", {"host": "h", "sender": "x", "to": ["a@b.org"]}, "not an e-mail address"),
        ("email", {"host": "h", "sender": "a@b.org", "to": ["a@b.org\nBcc: c@d.org"]}, "not an e-mail address"),
        ("email", {"host": "h", "sender": "a@b.org", "to": ["a@b.org"], "user": "me"}, "a user and a password"),
        (
            "email",
            {"host": "h", "sender": "a@b.org", "to": ["a@b.org"], "user": "me", "password_secret": "P", "tls": "none"},
            "not encrypted",
        ),
        ("email", {"host": "h", "sender": "a@b.org", "to": ["a@b.org"], "tls": "ssl"}, "kind email"),
        ("command", {"argv": ["page-me"]}, "absolute path"),
        ("command", {"argv": ["/bin/true"], "timeout_s": 0.0}, "0 seconds"),
        ("file", {"path": "alerts"}, "absolute path"),
        ("file", {"path": "/"}, "absolute path"),
        ("file", {"path": "/x", "host": "h"}, "no setting of a channel of kind file `host`"),
    ],
)
def test_a_channel_that_could_not_work_is_refused(kind: str, said: dict[str, Any], error: str) -> None:
    with pytest.raises(UsageError) as raised:
        config_of(kind, said)
    assert error in str(raised.value)


def test_what_a_channel_shows_of_itself_holds_no_secret() -> None:
    config = config_of("webhook", {"url_secret": "groundswell_secret_ops", "signing_secret": "sign"})
    assert secrets_of(config) == ["OPS", "SIGN"]
    assert target_of(config) == "the address in the secret OPS"
    assert target_of(Webhook("https://example.org/x")) == "https://example.org/x"


def test_every_setting_of_every_kind_is_in_the_form_and_in_the_document() -> None:
    asked = {setting["name"] for kind in forms()["items"] for setting in kind["settings"]}
    assert asked == set(SETTINGS) == set(_SETTINGS)
    assert set(KINDS) == {kind["kind"] for kind in forms()["items"]}


def test_a_secret_is_found_in_the_environment_a_file_and_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_set("HOOK")
    (tmp_path / "groundswell.env").write_text("GROUNDSWELL_SECRET_HOOK=from the file\n")
    assert read_secret("HOOK") == "from the file"
    (tmp_path / "mounted").write_text("mounted\n")
    monkeypatch.setenv("GROUNDSWELL_SECRET_HOOK_FILE", str(tmp_path / "mounted"))
    assert read_secret("HOOK") == "mounted"
    monkeypatch.setenv("GROUNDSWELL_SECRET_HOOK", "set")
    assert read_secret("HOOK") == "set"
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("GROUNDSWELL_SECRET_EMPTY_FILE", str(tmp_path / "empty"))
    assert not is_set("EMPTY")
    monkeypatch.setenv("GROUNDSWELL_SECRET_GONE_FILE", str(tmp_path / "gone"))
    assert not is_set("GONE")
    with pytest.raises(UnavailableError, match="secret GONE cannot be read"):
        read_secret("GONE")


@pytest.mark.parametrize("name", ["", "../X", "a b", "PATH=1", "1A", "X" * 90])
def test_what_is_no_name_of_a_secret_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="not the name of a secret"):
        check_name(name)


def at(text: str, tz: str = "Europe/Berlin") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).timestamp() * 1_000_000)


def test_quiet_hours_go_past_midnight_on_the_days_on_which_they_begin() -> None:
    quiet = read_quiet("22:00-07:00", "Europe/Berlin", days="fri")
    # 2026-11-20 is a Friday.
    for text, covered in (
        ("2026-11-20T21:59", False),
        ("2026-11-20T22:00", True),
        ("2026-11-21T06:59", True),
        ("2026-11-21T07:00", False),
        ("2026-11-21T23:00", False),
        ("2026-11-20T06:00", False),
    ):
        assert quiet.covers(at(text)) is covered, text


def test_quiet_hours_follow_the_clocks_of_their_zone() -> None:
    quiet = read_quiet("02:30-03:30", "Europe/Berlin")
    # On 2026-03-29 the clocks go from 2:00 to 3:00.
    assert quiet.covers(round(datetime(2026, 3, 29, 1, 15, tzinfo=UTC).timestamp() * 1_000_000))
    assert not quiet.covers(round(datetime(2026, 3, 29, 0, 45, tzinfo=UTC).timestamp() * 1_000_000))


@given(minute=st.integers(0, 7 * 24 * 60 - 1), start=st.integers(0, 1439), length=st.integers(1, 1439))
def test_quiet_hours_cover_as_much_of_each_day_as_they_are_long(minute: int, start: int, length: int) -> None:
    end = (start + length) % 1440
    quiet = Quiet(f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}")
    since_start = (minute - start) % 1440
    assert quiet.covers(minute * 60_000_000) is (since_start < length)


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:60-07:00", "evening", "07:00-07:00"])
def test_what_are_no_quiet_hours_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_quiet(text, "UTC")
    with pytest.raises(UsageError, match="not quiet hours"):
        quiet_of({"start": "22:00"})
    with pytest.raises(UsageError, match="no day"):
        read_quiet("22:00-07:00", "UTC", days="mon,someday")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("$nothing", "no field `nothing`"),
        ("costs $5", "a \\$ that begins no field"),
        ("${headline", "a \\$ that begins no field"),
        ("$headline.__class__ $Headline", "a \\$ that begins no field"),
        ("x" * 10_001, "10,001 characters"),
    ],
)
def test_a_template_that_means_nothing_is_refused(text: str, error: str) -> None:
    with pytest.raises((UsageError, UnknownChoiceError), match=error):
        check_template(text)


def test_a_body_keeps_its_form_whatever_the_values_are() -> None:
    fields: dict[str, Value] = {"headline": '"}, {"admin": true, "x": "', "observed": 3, "text": "$headline ${posts}"}
    body = '{"a": "$headline", "n": "${observed}", "deep": [{"t": "$text!"}], "k": 1.5, "$headline": null}'
    filled = fill_json(check_template(body, as_json=True), fields)
    assert filled == {
        "a": fields["headline"],
        "n": 3,
        "deep": [{"t": "$headline ${posts}!"}],
        "k": 1.5,
        "$headline": None,
    }


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(), max_size=5))
def test_what_a_field_holds_is_never_read_as_a_template(values: dict[str, str]) -> None:
    names = sorted(values)
    assert fill("|".join(f"${name}" for name in names), values) == "|".join(values[name] for name in names)


def test_every_field_has_a_value_in_a_message_about_an_alert() -> None:
    message = Message("a", "opened", "2026-11-20T08:15:02Z", {"alert": dict(SAMPLE)}, "https://x.example")
    assert [name for name, value in message.fields.items() if value is None] == ["closed_at"]
    bare = {key: value for key, value in SAMPLE.items() if not key.startswith("top_")}
    assert Message("a", "closed", "2026-11-20T08:15:02Z", {"alert": bare}).title.startswith("Over: “Side effects”")
