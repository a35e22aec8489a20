"""What tables write into a cell where JSON would have a type: ids as floats, lists and dictionaries as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from groundswell.platforms import casts

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: An id that a spreadsheet has rounded.
_ROUNDED: Final = "^[-+]?[0-9]+([.,][0-9]+)?[eE][-+]?[0-9]+$"
#: An id that went through a float; of up to fifteen digits it came out as it was.
_EXACT_FLOAT: Final = "^[0-9]{1,15}[.]0*$"
_ANY_FLOAT: Final = "^[0-9]+[.]0*$"
_NOTHING: Final = "^(nan|NaN|None|none|null|NULL|#N/A|N/A)?$"


def whole_id(field: str, raw: ir.StringValue) -> casts.Cell:
    """An id as text. `123.0` is 123; what a float or a spreadsheet has rounded (`1.2E+10`) is unread, not guessed."""
    bare = raw.strip()
    value = ibis.cases(
        (bare.re_search(_NOTHING) | bare.re_search(_ROUNDED), ibis.null("string")),
        (bare.re_search(_EXACT_FLOAT), bare.re_extract("^[0-9]+", 0)),
        (bare.re_search(_ANY_FLOAT), ibis.null("string")),
        else_=bare,
    )
    return casts.Cell(field, raw, value)


def listed(raw: ir.StringValue) -> ir.ArrayValue:
    """Tags or handles as Python, JSON or people list them (`['a', 'b']`, `#a #b`, `a, b`); none holds a blank."""
    return _split(raw, "[,;|#@ \t\r\n\u00a0]+")


def links(raw: ir.StringValue) -> ir.ArrayValue:
    """Addresses as Python, JSON or people list them; a comma inside an address stays."""
    return _split(raw, "[,;|]?[ \t\r\n\u00a0]+")


def _split(raw: ir.StringValue, between: str) -> ir.ArrayValue:
    bare = raw.re_replace("[\\[\\]'\"<>]", "")
    joined = bare.re_replace(between, " ").strip()
    return ibis.cases(((joined != "") & ~joined.re_search(_NOTHING), joined.split(" ")))


def named(raw: ir.StringValue, key: str) -> ir.StringValue:
    """The text under `key` of a dictionary as Python or JSON writes it into a cell; the cell itself if it is none."""
    bare = raw.strip()
    in_double = bare.re_extract(f'[\'"]{key}[\'"][ ]*:[ ]*"(([^"\\\\]|\\\\.)*)"', 1)
    in_single = bare.re_extract(f"['\"]{key}['\"][ ]*:[ ]*'(([^'\\\\]|\\\\.)*)'", 1)
    inner = ibis.cases((in_double != "", in_double), else_=in_single).replace("\\'", "'").replace('\\"', '"')
    value = ibis.cases((bare.startswith("{"), inner), else_=bare)
    return ibis.cases((~value.re_search(_NOTHING), value))


def ungrouped(raw: ir.StringValue) -> ir.StringValue:
    """A count whose thousands English commas part, without them; any other text as it is."""
    return ibis.cases((raw.re_search("^ *[0-9]{1,3}(,[0-9]{3})+ *$"), raw.replace(",", "")), else_=raw)
