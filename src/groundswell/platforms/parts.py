"""Parts of nested records, alike on both engines: the first of a list, texts that are there, HTML as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis

from groundswell.platforms.udfs import plain_text_of, unescaped

if TYPE_CHECKING:
    import ibis.expr.types as ir


Rejects = Sequence[tuple["ir.BooleanValue", str]]


def nothing(*texts: ir.StringValue) -> ir.BooleanValue:
    """Whether all of the texts are null or empty: then a record of another kind was taken for this one."""
    return any_of(*texts).isnull()


def first(listed: ir.ArrayValue) -> ir.Value:
    """The first of a list; null where it is empty or absent (Spark would stop at a place that is not there)."""
    return ibis.cases((listed.length() > 0, listed[0]))


def known(listed: ir.ArrayValue) -> ir.ArrayValue:
    """The texts of a list that are there and not blank; null where none is."""
    found = listed.filter(lambda text: text.notnull() & (text.strip() != ""))
    return ibis.cases((found.length() > 0, found))


def alone(text: ir.StringValue) -> ir.ArrayValue:
    """A list of one text; null where it is null or empty."""
    return ibis.cases((text != "", ibis.array([text])))


def titled(title: ir.StringValue, body: ir.StringValue) -> ir.StringValue:
    """Title and body with an empty line between them; null where neither is."""
    head, rest = title.nullif(""), body.nullif("")
    return ibis.cases((head.notnull() & rest.notnull(), head + "\n\n" + rest), else_=ibis.coalesce(head, rest))


def handle(name: ir.StringValue) -> ir.StringValue:
    """A handle without blanks around and without its `@`; null where nothing is left."""
    bare = name.strip()
    return ibis.cases((bare.startswith("@"), bare.substr(1)), else_=bare).nullif("")


def missing(*texts: ir.StringValue) -> ir.BooleanValue:
    """Whether none of the texts is there; never null."""
    return ibis.coalesce(*texts).isnull()


def other_than(text: ir.StringValue, *expected: str) -> ir.BooleanValue:
    """Whether a text is there and is none of those that are expected; never null."""
    return (~text.isin(expected)).fill_null(False)


def any_of(*texts: ir.StringValue) -> ir.StringValue:
    """The first of the texts that is there and not empty; null where none is."""
    return ibis.coalesce(*(text.nullif("") for text in texts))


def plain(markup: ir.StringValue) -> ir.StringValue:
    """HTML as the text that a reader sees."""
    return plain_text_of()(markup)


def resolved(text: ir.StringValue) -> ir.StringValue:
    """Text with its character references (`&amp;`) resolved."""
    return unescaped()(text)
