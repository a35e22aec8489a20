"""What every Unicode character is to the words of a text: part of a word, a word of its own, dropped, or a gap.

The tables are built once per process from Python's own `unicodedata`, so that folding, words and hashtags
follow one version of Unicode, whatever engine reads the text. Building them takes about a tenth of a second.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

GAP: Final = 0
"""Separates words: spaces, punctuation, controls."""
WORD: Final = 1
"""Letter, mark, digit or `_`: a maximal run of these is a word."""
SOLO: Final = 2
"""A word of its own: a character of a script that writes no spaces."""
SYMBOL: Final = 32 | SOLO
"""A word of its own that no name or hashtag holds: an emoji or another symbol."""
DROP: Final = 4
"""Goes before anything else is looked at: format characters, variation selectors, skin tones."""
APOSTROPHE: Final = 8
"""Dropped inside words (`don't` and `dont` are one word); ends a hashtag or a handle."""
SLOW: Final = 16
"""Added to the others: the text must be folded as a whole (marks, ligatures, `ß`), not character by character."""

MARK: Final = 64
"""Added to SLOW: a mark that joins with nothing, so that it is slow only beside another mark or a dropped character."""

_SPACE: Final = 0x20
_ZERO_WIDTH_SPACE: Final = 0x200B
_APOSTROPHES: Final = frozenset("'\u00b4\u2018\u2019\u02bc")
_SIGNS: Final = {"#": "#\uff03\ufe5f", "@": "@\uff20\ufe6b", "&": "&", "/": "/", ".": ".", "-": "-"}
#: Variation selectors, the keycap enclosure and skin tones change how a character looks, not which it is.
_LOOKS: Final = (
    (0x180B, 0x180D),
    (0x180F, 0x180F),
    (0x20E3, 0x20E3),
    (0xFE00, 0xFE0F),
    (0x1F3FB, 0x1F3FF),
    (0xE0000, 0xE007F),
    (0xE0100, 0xE01EF),
)

#: Blocks of scripts without spaces between words (Unicode Scripts.txt): their letters, marks and digits are SOLO.
_SPACELESS: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),
    (0x3021, 0x303C),
    (0x3041, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0xA9E0, 0xA9FF),  # Myanmar extensions
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x116D0, 0x116FF),  # Myanmar extension C
    (0x1AFF0, 0x1AFFF),  # Kana
    (0x1B000, 0x1B16F),
)
#: Blocks in which every character is its own normal form and has no case: first, last, class.
_PLAIN: Final = (
    (0x3400, 0x4DBF, SOLO),  # Han
    (0x4E00, 0x9FFF, SOLO),
    (0xAC00, 0xD7A3, WORD),  # Hangul
    (0xD800, 0xF8FF, GAP),  # surrogates, private use
    (0x20000, 0x3FFFD, SOLO),  # Han, with what is not assigned yet
)
#: Compatibility ideographs inside the last of these, which have another normal form.
_HAN_COMPATIBILITY: Final = (0x2F800, 0x2FA1D)
#: What is not assigned yet here will be emoji.
_EMOJI: Final = (0x1F000, 0x1FAFF)
_JAMO: Final = (0x1100, 0x11FF)
_LAST: Final = 0x1FFFF
_DOT: Final = "\u0307"
#: The combining class of marks that stand above; canonical order puts the others of a letter before them.
_ABOVE: Final = 230


@dataclass(frozen=True, slots=True)
class Tables:
    """By code point: `classes` (uint8, the constants of this module) and `folded` (uint32, the folded character)."""

    classes: NDArray[np.uint8]
    folded: NDArray[np.uint32]


def fold_text(text: str) -> str:
    """`text` without format characters, in NFKC, case-folded, in NFKC again; the definition of *folded*.

    `İ` folds to `i`, not to `i` with a dot above, so that what Turkish writes in capitals is found.

    >>> fold_text("Straße ΣΊΣΥΦΟΣ ﬁt İstanbul")
    'strasse σίσυφοσ fit istanbul'
    """
    return fold_normal(text.translate(_cleaned())).translate(_cleaned())


def fold_normal(text: str) -> str:
    """`fold_text` of a text in which nothing is left to drop: NFKC, case folding, NFKC again."""
    if not _APOSTROPHES.isdisjoint(text):
        # It joins what stands around it, so a mark behind it belongs to the letter before it.
        text = _marked_apostrophe().sub("", text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if _DOT not in folded:
        return folded
    return unicodedata.normalize("NFKC", _dotted_i().sub(r"i\1", unicodedata.normalize("NFD", folded)))


@cache
def _marked_apostrophe() -> re.Pattern[str]:
    """Apostrophes that a combining mark follows."""
    marks = [chr(code) for code in range(_LAST + 1) if unicodedata.category(chr(code))[0] == "M"]
    return re.compile(f"[{''.join(sorted(_APOSTROPHES))}]+(?=[{''.join(marks)}])")


@cache
def _dotted_i() -> re.Pattern[str]:
    """An `i`, in its decomposed form the marks that stand before a dot above, and that dot, however often it stands."""
    below = [chr(code) for code in range(_LAST + 1) if 0 < unicodedata.combining(chr(code)) < _ABOVE]
    return re.compile(f"i([{''.join(below)}]*){_DOT}+")


@cache
def _cleaned() -> dict[int, str | None]:
    """What goes before normalising: format characters vanish, lone accents (a space with a mark) become a space."""
    gone = [code for first, last in _LOOKS for code in range(first, last + 1)]
    cleaned: dict[int, str | None] = dict.fromkeys(gone)
    for code in range(_LAST + 1):
        character = chr(code)
        if unicodedata.category(character) == "Cf" and code != _ZERO_WIDTH_SPACE:
            cleaned[code] = None
        elif unicodedata.decomposition(character).startswith("<compat> 0020 "):
            cleaned[code] = "'" if character in _APOSTROPHES else " "
    return cleaned


@cache
def tables() -> Tables:
    """The tables of this process."""
    classes = np.zeros(sys.maxunicode + 1, np.uint8)
    folded = np.arange(sys.maxunicode + 1, dtype=np.uint32)
    for first, last, plain in _PLAIN:
        classes[first : last + 1] = plain
    for code in _codes_to_look_at():
        classes[code], folded[code] = _look_at(code)
    folded[classes == GAP] = _SPACE
    # These gaps are looked for by name: what begins a hashtag or a handle, and what says that it does not.
    for sign, forms in _SIGNS.items():
        for form in forms:
            folded[ord(form)] = ord(sign)
    classes.setflags(write=False)
    folded.setflags(write=False)
    return Tables(classes, folded)


def _codes_to_look_at() -> Iterator[int]:
    start = 0
    for first, last, _ in _PLAIN:
        yield from range(start, min(first, _LAST + 1))
        start = last + 1
    yield from range(_HAN_COMPATIBILITY[0], _HAN_COMPATIBILITY[1] + 1)
    yield from (code for code in _cleaned() if code > _LAST)


def _look_at(code: int) -> tuple[int, int]:
    """Class and folded character of one code point."""
    character = chr(code)
    cleaned = _cleaned().get(code, character)
    if cleaned is None:
        return DROP, _SPACE
    if cleaned == "'":
        return APOSTROPHE, ord("'")
    if unicodedata.category(character) == "Cn":
        return (SYMBOL if _EMOJI[0] <= code <= _EMOJI[1] else GAP), code
    return _fold_one(character, cleaned == character)


def _fold_one(character: str, is_clean: bool) -> tuple[int, int]:
    """Class and folded character of an assigned one. `is_clean`: nothing is put in its place before folding."""
    code = ord(character)
    plain = is_clean and character.casefold() == character and unicodedata.is_normalized("NFKC", character)
    whole = character if plain else fold_text(character)
    if len(whole) == 1 and _stands_alone(whole):
        return _class_of(whole), ord(whole)
    if whole == character and code not in _joining():
        return _class_of(character) | SLOW | MARK, code
    if all(_class_of(part) == GAP for part in whole):
        return GAP, _SPACE
    return _class_of(character) | SLOW, code


def _stands_alone(character: str) -> bool:
    """Whether it can never join with, or change places with, what stands before it."""
    return not unicodedata.combining(character) and ord(character) not in _joining()


@cache
def _joining() -> frozenset[int]:
    """Characters that can join with the one before them: the second of a pair that has a form of its own, and Jamo."""
    pairs = (unicodedata.decomposition(chr(code)).split() for code in range(_LAST + 1))
    seconds = {int(pair[1], 16) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}
    return frozenset(seconds | set(range(_JAMO[0], _JAMO[1] + 1)))


def _class_of(character: str) -> int:
    category, code = unicodedata.category(character), ord(character)
    if character in _APOSTROPHES:
        return APOSTROPHE
    if category[0] in "LMN" or character == "_":
        for first, last, plain in _PLAIN:
            if first <= code <= last:
                return plain
        return SOLO if any(first <= code <= last for first, last in _SPACELESS) else WORD
    return SYMBOL if category == "So" else GAP
