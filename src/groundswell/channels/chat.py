"""Slack- and Discord-compatible bodies. What people posted must not call anybody or look like a link of ours."""

from __future__ import annotations

import re
from typing import Any, Final

from groundswell.channels.messages import Message

#: Slack cuts a text at 40,000 characters; what is longer than a screen is not read.
_SLACK_TEXT: Final = 4_000
_DISCORD_TITLE: Final = 256
_DISCORD_TEXT: Final = 4_000
#: The one warm colour means unusual; over and well are quiet.
_COLOURS: Final = {"opened": 0xD9622B, "updated": 0xD9622B, "trouble": 0xB3261E}
_QUIET: Final = 0x8A8F98
#: An address that stands for itself stays as it is; with signs in it that could end it, it is none.
_ADDRESS: Final = r"https?://[\w.-]+(?::\d+)?(?:/[^\s\[\]()<>*~`|\\”]*)?"
_CALLS: Final = re.compile(rf"{_ADDRESS}|@|\](?=\()")
_MARKS: Final = re.compile(rf"{_ADDRESS}|[\\\[\]()*_~`|>#]")


def slack_body(message: Message, words: dict[str, str] | None) -> dict[str, Any]:
    """An incoming webhook's body: text only, which every compatible server shows."""
    title, text = message.worded(words, slack_quoted)
    if words and "text" in words and message.alert:
        said = slack_text(text)
    else:
        said = f"*{slack_text(title)}*\n{slack_text(text)}"
    return {"text": _cut(said, _SLACK_TEXT), "unfurl_links": False, "unfurl_media": False}


def slack_quoted(text: str) -> str:
    r"""Posted text in which nobody is called and no words become a link, where a server reads Markdown.

    A space without width stands behind what would.

    >>> slack_quoted("@all [bank](https://a.example/@b)").replace("\u200b", "·")
    '@·all [bank]·(https://a.example/@b)'
    """
    return _CALLS.sub(lambda found: found[0] if len(found[0]) > 1 else f"{found[0]}\u200b", text)


def slack_text(text: str) -> str:
    """Text in which nothing is a command to Slack.

    >>> slack_text("<!channel> & <https://example.org|here>")
    '&lt;!channel&gt; &amp; &lt;https://example.org|here&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def discord_body(message: Message, words: dict[str, str] | None) -> dict[str, Any]:
    """A webhook's body with one embed; mentions in it call nobody."""
    title, text = message.worded(words, discord_quoted)
    embed: dict[str, Any] = {
        "title": _cut(title, _DISCORD_TITLE),
        "description": _cut(text, _DISCORD_TEXT),
        "color": _COLOURS.get(message.event, _QUIET),
        "timestamp": message.created_at,
        "footer": {"text": f"Groundswell · {message.event}"},
    }
    if message.link:
        embed["url"] = message.link
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def discord_quoted(text: str) -> str:
    r"""Posted text that Discord shows as it is: no words become a link, a heading or something hidden.

    >>> print(discord_quoted("[bank](https://a.example/a_b) *x* ||y||"))
    \[bank\]\(https://a.example/a_b\) \*x\* \|\|y\|\|
    """
    return _MARKS.sub(lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
