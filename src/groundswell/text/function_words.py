"""Words that hold a sentence together and say nothing of its topic, in the languages that posts mostly use.

They are left out of the words that characterise an alert; queries find them like any other word. The file
beside this one holds the closed classes only (articles, pronouns, prepositions, conjunctions, auxiliaries).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final


def _read() -> frozenset[str]:
    lines = files(__package__).joinpath("function_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


FUNCTION_WORDS: Final = _read()
