# ruff: noqa: RUF001 - what looks alike is what is tested
"""Words against a plain reference, on many scripts."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundswell.text.characters import APOSTROPHE, DROP, GAP, MARK, SLOW, SOLO, fold_text, tables
from groundswell.text.folding import CHUNK_BYTES
from groundswell.text.tokens import tokenise, tokenise_one

SCRIPTS = (
    "abcXYZ ÄÖÜßéèñçşİıŁŒﬁ",
    "ΣΊΣΥΦΟΣ ς ΰ АБВёЇ ქართული Հայերեն",
    "हिन्दी की ज़ुबान বাংলা தமிழ் മലയാളം",
    "العربيّة لاإ فارسی‌ها עִבְרִית",
    "漢字かなカナﾊﾝｶｸﾞ한국어조선말 각",
    "ภาษาไทยกำลัง ລາວ ភាសាខ្មែរ မြန်မာ",
    "🔥👍🏽👩‍💻🇩🇪❤️1️⃣™℃½²…“quotes”",
    "don't l’hôtel rock'n'roll ʼn _under_score 1234 a.b,c;d#tag@me https://x.y/z?q=1",
    "e\u0301 a\u0308\u0323 \u00a8\u00b4 I\u0307 i\u0307 ŉ \u200b\u200d\ufeff\u00ad\n\t\r\x00",
)
any_text = st.one_of(
    st.text(alphabet=st.sampled_from("".join(SCRIPTS)), max_size=40),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)


def reference(text: str) -> str:
    """The same words by a walk over the folded text."""
    classes = tables().classes
    words: list[str] = []
    word = ""
    for character in fold_text(text):
        kind = int(classes[ord(character)]) & ~(SLOW | MARK)
        if kind in (APOSTROPHE, DROP):
            continue
        if kind == GAP or kind & SOLO:
            words += [word] if word else []
            word = ""
            words += [character] if kind & SOLO else []
        else:
            word += character
    words += [word] if word else []
    return " " + "".join(found + " " for found in words)


@given(st.lists(st.one_of(st.none(), any_text), max_size=8))
@example(["\u0130\u0307", "I\u0307\u0307", "\u0130\u0328\u0307", "\u0130\u0308\u0307"])
@example(["\u0130\u093c", "I\u093c\u0307", "\u0130\u0328", "I\u0328\u0307", "\u0130\u0308", "I\u0308\u0307"])
@settings(max_examples=400, deadline=None)
def test_words_are_those_of_a_plain_walk_over_the_folded_text(texts: list[str | None]) -> None:
    expected = [None if text is None else reference(text) for text in texts]
    assert tokenise(pa.array(texts, pa.string())).to_pylist() == expected


@given(any_text)
@example("I’\u0301")
@settings(max_examples=300, deadline=None)
def test_tokenising_words_again_changes_nothing(text: str) -> None:
    once = tokenise_one(text)
    assert tokenise_one(once) == once


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Side effects, of dose two!", " side effects of dose two "),
        ("Don't / DON’T / dont", " dont dont dont "),
        ("Straße STRASSE", " strasse strasse "),
        ("ΣΊΣΥΦΟΣ σίσυφος", " σίσυφοσ σίσυφοσ "),
        ("İstanbul istanbul ISTANBUL", " istanbul istanbul istanbul "),
        ("Ｆｕｌｌ ｗｉｄｔｈ ２", " full width 2 "),
        ("cafe\u0301 café", " café café "),
        ("今日は晴れ", " 今 日 は 晴 れ "),
        ("สวัสดี", " ส ว ั ส ด ี "),
        ("fire🔥🔥now", " fire 🔥 🔥 now "),
        ("👍🏽 👍 ❤️ ❤", " 👍 👍 ❤ ❤ "),
        ("👩‍💻", " 👩 💻 "),
        ("#SputnikV @Some_One", " sputnikv some_one "),
        ("می‌خواهم", " میخواهم "),
        ("한국어 조선말", " 한국어 조선말 "),
        ("", " "),
        ("?!", " "),
    ],
)
def test_words_of_examples(text: str, words: str) -> None:
    assert tokenise_one(text) == words


def test_a_phrase_and_a_prefix_are_substrings() -> None:
    words = tokenise_one("My new SHOES had no side-effects.")
    assert " shoe" in words
    assert tokenise_one("side effects") in words


def test_null_stays_null_and_chunks_stay_chunks() -> None:
    texts = pa.chunked_array([["A", None], [], ["b"]], pa.string())
    assert tokenise(texts).to_pylist() == [" a ", None, " b "]
    assert tokenise(pa.nulls(3, pa.string())).to_pylist() == [None] * 3
    assert tokenise(pa.array([], pa.string())).to_pylist() == []


def test_slices_and_large_batches_give_the_same_words() -> None:
    texts = pa.array([f"Post №{n} über Straße 今日 {'x' * (n % 90)}" for n in range(30_000)])
    assert texts.nbytes > 2 * CHUNK_BYTES
    whole = tokenise(texts)
    assert tokenise(texts.slice(12_345, 100)).equals(whole.slice(12_345, 100))
    for row in (0, 9_999, 29_999):
        assert whole[row].as_py() == reference(texts[row].as_py())


def test_every_character_alone_is_classed_as_its_folded_form() -> None:
    known = tables()
    assigned = [chr(code) for code in range(0x20, 0x1FB00) if unicodedata.category(chr(code)) not in ("Cs", "Cn", "Co")]
    found = tokenise(pa.array(assigned)).to_pylist()
    assert [a for a, words in zip(assigned, found, strict=True) if words != reference(a)] == []
    assert known.classes[ord("a")] != GAP
