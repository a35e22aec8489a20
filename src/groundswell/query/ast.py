"""What a query is made of. Every node prints as query text that parses to the same node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Operator = Literal[">", ">=", "<", "<=", "="]
LinkField = Literal["url", "domain"]

#: Fields that hold text, by their name in a query, with the column that they mean.
TEXT_FIELDS: Final = {
    "platform": "platform",
    "lang": "lang",
    "author": "author_name",
    "kind": "kind",
    "region": "region",
}

#: Fields that hold a count, by the name of both field and column.
COUNT_FIELDS: Final = ("followers", "views", "likes", "comments", "shares", "saves")

#: Fields that look at the links of a post.
LINK_FIELDS: Final = ("url", "domain")

#: What `has:` asks for, with the columns of which one must not be empty.
HAS: Final = {
    "link": ("urls",),
    "hashtag": ("hashtags",),
    "mention": ("mentions",),
    "media": ("media_urls", "kind"),
    "sound": ("music_id", "music_title"),
    "location": ("location",),
}

#: What `is:` asks for, with the column that must be true.
IS: Final = {"verified": "verified"}

#: Values of `kind` that have a picture or a video.
WITH_MEDIA: Final = ("video", "image", "carousel")

#: Signs around a phrase.
QUOTES: Final = '"“”„«»「」『』'


@dataclass(frozen=True, slots=True)
class Words:
    """Words that follow each other in the text; with `prefix` the last one may go on."""

    tokens: str
    """Folded words with single spaces between them, none around."""
    prefix: bool = False

    def __str__(self) -> str:
        star = "*" if self.prefix else ""
        return f'"{self.tokens}{star}"' if " " in self.tokens or self._is_special() else f"{self.tokens}{star}"

    def _is_special(self) -> bool:
        return not self.prefix and self.tokens in {"or", "and", "not"}

    @property
    def needle(self) -> str:
        """The text that `tokens` of a matching post contains."""
        return f" {self.tokens}" if self.prefix else f" {self.tokens} "


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag of the post; with `prefix` one that begins so."""

    name: str
    prefix: bool = False

    def __str__(self) -> str:
        return f"#{self.name}{'*' if self.prefix else ''}"


@dataclass(frozen=True, slots=True)
class Mention:
    """A handle that the post mentions, or that wrote it."""

    name: str

    def __str__(self) -> str:
        return f"@{self.name}"


@dataclass(frozen=True, slots=True)
class Equals:
    """A text field that has this value (for `lang` also a variety of it: `en` takes `en-GB`)."""

    field: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}:{_quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Compare:
    """A count compared with a number."""

    field: str
    operator: Operator
    number: int

    def __str__(self) -> str:
        return f"{self.field}:{self.operator}{self.number}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the post: one that holds the value (`url`), or one to this site or a part of it (`domain`)."""

    field: LinkField
    value: str
    """Lower-case; of a domain the host alone, without `www.`."""

    def __str__(self) -> str:
        return f"{self.field}:{_quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Has:
    """Something that the post has (`HAS`) or is (`IS`)."""

    what: str

    def __str__(self) -> str:
        return f"{'is' if self.what in IS else 'has'}:{self.what}"


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever the part does not match; so also posts in which the field is null."""

    part: Node

    def __str__(self) -> str:
        return f"-{_bracketed(self.part)}"


@dataclass(frozen=True, slots=True)
class All:
    """Every part matches."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part matches."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(_bracketed(part) for part in self.parts)


Leaf = Words | Tag | Mention | Equals | Compare | Link | Has
Node = Leaf | Not | All | Either


def _quoted(value: str) -> str:
    return f'"{value}"' if any(c.isspace() or c in "()" for c in value) else value


def _bracketed(node: Node) -> str:
    return f"({node})" if isinstance(node, All | Either) else str(node)


def leaves(node: Node) -> list[Leaf]:
    """All leaves below `node`, from left to right."""
    if isinstance(node, Not):
        return leaves(node.part)
    if isinstance(node, All | Either):
        return [leaf for part in node.parts for leaf in leaves(part)]
    return [node]
