"""Documents of channels and their outbox. No secret is in them, only names of secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.web.models import Document

ChannelEvent = Literal["opened", "updated", "closed"]
MessageState = Literal["waiting", "sending", "sent", "held", "digested", "superseded", "dropped", "dead"]
KindName = Literal["webhook", "slack", "discord", "email", "command", "file", "kafka"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_SECRET = Field(max_length=80, description="Name of a secret: SLACK stands for the variable GROUNDSWELL_SECRET_SLACK.")


class ChannelSettings(Document):
    """Where a channel leads. Which of them a kind has, `GET /channels/kinds` says; the others are null."""

    url: Annotated[str | None, Field(max_length=2000)] = None
    url_secret: Annotated[str | None, _SECRET] = None
    signing_secret: Annotated[str | None, _SECRET] = None
    bearer_secret: Annotated[str | None, _SECRET] = None
    host: Annotated[str | None, Field(max_length=255)] = None
    port: Annotated[int | None, Field(ge=1, le=65_535)] = None
    tls: Literal["starttls", "tls", "none"] | None = None
    sender: Annotated[str | None, Field(max_length=320)] = None
    to: Annotated[list[str] | None, Field(max_length=50)] = None
    user: Annotated[str | None, Field(max_length=320)] = None
    password_secret: Annotated[str | None, _SECRET] = None
    argv: Annotated[list[str] | None, Field(max_length=100)] = None
    timeout_s: float | None = None
    path: Annotated[str | None, Field(max_length=4000)] = None


class QuietHours(Document):
    """When a channel keeps still, and what becomes of what would have been said."""

    start: Annotated[str, Field(pattern=r"^\d{2}:\d{2}$", examples=["22:00"])]
    end: Annotated[str, Field(pattern=r"^\d{2}:\d{2}$", examples=["07:00"], description="Past midnight if not later.")]
    tz: Annotated[str, Field(max_length=60, examples=["Europe/Berlin"])] = "UTC"
    days: Annotated[list[Day] | None, Field(description="On which the hours begin; null: every day.")] = None
    then: Annotated[Literal["digest", "drop"], Field(description="One message afterwards, or none.")] = "digest"


class Templates(Document):
    """The words of a channel; null: the usual ones. `$field` stands for a field of `GET /channels/kinds`."""

    title: Annotated[str | None, Field(max_length=10_000)] = None
    text: Annotated[str | None, Field(max_length=10_000)] = None
    body: Annotated[str | None, Field(max_length=10_000, description="JSON with fields in its texts.")] = None


class ChannelRules(Document):
    """Which alerts go to a channel, when and in which words."""

    trackers: Annotated[list[str] | None, Field(description="Names or ids; null: all.")] = None
    least_days: Annotated[float | None, Field(ge=0, description="Only alerts at least so rare.")] = None
    events: list[ChannelEvent] = Field(default=["opened", "closed"])
    quiet: QuietHours | None = None
    templates: Templates | None = None
    report_to: Annotated[str | None, Field(description="Name or id of the channel that is told if this fails.")] = None
    max_age_hours: Annotated[float, Field(ge=0, description="Older alerts are not sent; 0: of any age.")] = 24.0


class NewChannel(ChannelRules):
    """A channel to be added. Commands and files can only be added at the command line of the machine that sends."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Brand team"])]
    kind: KindName
    settings: ChannelSettings


class ChangedChannel(ChannelRules):
    """A channel as it shall be; without `settings` it leads where it did."""

    settings: ChannelSettings | None = None


class ChannelSecret(Document):
    """A secret that a channel needs."""

    name: str
    variable: str
    set: bool
    """Whether this server has it."""


class ChannelTracker(Document):
    """A tracker whose alerts a channel is told of."""

    id: str
    name: str


class Channel(Document):
    """A way on which people are told of alerts, and how it does."""

    id: str
    name: str
    kind: KindName
    target: str
    """Where it leads, in a few words."""
    settings: ChannelSettings
    secrets: list[ChannelSecret]
    trackers: list[ChannelTracker] | None
    least_days: float | None
    events: list[ChannelEvent]
    quiet: QuietHours | None
    templates: Templates | None
    report_to: str | None
    max_age_hours: float
    created_at: datetime
    state: Literal["new", "works", "fails", "paused"]
    failures: int
    """Tries that failed since one went well."""
    trouble: str | None
    trouble_since: datetime | None
    retry_at: datetime | None
    sent_at: datetime | None
    """When a message last went well."""
    waiting: int
    held: int
    """Held back in quiet hours."""
    dead: int
    """Given up."""


class Channels(Document):
    """All channels, those that fail first, then by name."""

    items: list[Channel]


class SentTest(Document):
    """What came of a test message."""

    channel: str
    name: str
    ok: bool
    message: str
    """Id of the message that was sent."""
    error: str | None
    hint: str | None
    seconds: float


class ChannelPreviewRequest(Document):
    """What to show: a kind with its words, for an alert or an invented one."""

    kind: KindName
    settings: ChannelSettings | None = None
    templates: Templates | None = None
    alert: Annotated[str | None, Field(max_length=32, description="Id of an alert; null: an invented one.")] = None


class ChannelPreview(Document):
    """What would be sent: a JSON body, or a mail with its headers."""

    kind: KindName
    text: str


class OutboxMessage(Document):
    """A message to a channel. The receiver gets its id too, and knows by it what comes twice."""

    id: str
    seq: int
    channel: str
    channel_name: str
    alert: str | None
    event: Literal["opened", "updated", "closed", "digest", "trouble", "recovered"]
    state: MessageState
    title: str
    created_at: datetime
    attempts: int
    tried_at: datetime | None
    ended_at: datetime | None
    error: str | None
    digest: str | None
    """Id of the message that told it together with others."""


class Outbox(Document):
    """Messages, newest first."""

    items: list[OutboxMessage]
    counts: dict[str, int]
    """Of all messages, how many are in each state."""
    next: str | None = None


class ChannelKindSetting(Document):
    """One thing that a kind of channel needs to know."""

    name: str
    label: str
    form: Literal["text", "number", "secret", "choice", "list"]
    required: bool
    example: str
    meaning: str
    choices: list[str] | None


class ChannelKindTemplate(Document):
    """A part of a message that can be worded."""

    name: Literal["title", "text", "body"]
    usual: str


class ChannelKind(Document):
    """A kind of channel."""

    kind: KindName
    label: str
    meaning: str
    local: bool
    """Can only be added at the command line of the machine that sends."""
    settings: list[ChannelKindSetting]
    templates: list[ChannelKindTemplate]


class TemplateField(Document):
    """A field that templates may name."""

    name: str
    meaning: str
    example: str


class ChannelKinds(Document):
    """What kinds of channels there are, what each needs to know, and the fields of templates."""

    items: list[ChannelKind]
    events: list[ChannelEvent]
    fields: list[TemplateField]
