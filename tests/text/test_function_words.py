from groundswell.text.function_words import FUNCTION_WORDS
from groundswell.text.tokens import tokenise_one


def test_every_function_word_is_spelt_as_tokens_spell_it() -> None:
    wrong = [word for word in FUNCTION_WORDS if tokenise_one(word) != f" {word} "]
    assert wrong == []


def test_words_with_a_meaning_of_their_own_are_not_among_them() -> None:
    assert FUNCTION_WORDS.isdisjoint({"boycott", "recall", "poison", "love", "new", "video", "angry"})
