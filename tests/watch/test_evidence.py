from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.testing.streams import START, make_posts, tracker
from groundswell.watch.contract import MINUTE, SeriesPoint, WatchParams
from groundswell.watch.copies import group_copies
from groundswell.watch.episodes import Voice, begin
from groundswell.watch.evidence import Case, collect, detail, headline
from groundswell.watch.profiles import Profile, learn_posts
from groundswell.watch.recent import kept_columns
from groundswell.watch.words import characteristic_words
from groundswell.web.models import Evidence

PARAMS = WatchParams()


def case(texts: Sequence[str | None], authors: Sequence[str | None], expected: float = 10.0, past: int = 100) -> Case:
    rows = len(texts)
    point = SeriesPoint("t", 300, START, rows, expected, 4.0, 17.0, 1e-9, 900.0, 1.4, "unusual")
    voice = Voice("posts", PARAMS.window_us, START, "burst", rows, expected, 4.0, 17.0, 1e-9, 900.0, 30.0)
    profile = Profile()
    earlier = make_posts([START] * past, ["arm is fine"] * past, authors=[f"old{n % 9}" for n in range(past)])
    learn_posts(profile, kept_columns(earlier))
    return Case(
        tracker=tracker("arm", "arm"),
        episode=begin([voice], point, PARAMS),
        windows=[point],
        posts=kept_columns(
            make_posts([START + MINUTE] * rows, list(texts), authors=authors, followers=list(range(rows)))
        ),
        profile=profile,
        own_words=frozenset({"arm"}),
        params=PARAMS,
        learned_windows=500,
    )


def test_copies_and_a_loud_author_are_seen() -> None:
    texts = ["my arm hurts https://a.b/1"] * 30 + [f"arm story {chr(97 + n)} day" for n in range(10)]
    evidence = collect(case(texts, ["bot"] * 20 + [f"u{n}" for n in range(20)]))
    Evidence.model_validate(evidence)
    checks = {check["name"]: check["value"] for check in evidence["checks"]}
    assert checks["without_top_author"] == 2.0
    assert checks["copies_once"] is not None
    assert checks["copies_once"] < 4.0 * 11 / 40 + 0.01
    assert checks["authors_seen_before"] == 0.0
    assert evidence["authors"][0]["key"] == "bot"
    assert evidence["authors"][0]["share"] == round(20 / 30, 4)
    assert evidence["posts"][0]["copies"] == 30
    assert evidence["posts"][0]["followers"] == 29
    assert "75 % copies of one text" in detail(evidence)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["arm hurts", "arm hurts!", "arm day", "my arm again", None]), min_size=1), st.randoms()
)
def test_the_card_does_not_depend_on_the_order_of_posts(texts: list[str | None], shuffle: Random) -> None:
    plain = case(texts, [f"u{n % 5}" for n in range(len(texts))])
    order = list(range(len(texts)))
    shuffle.shuffle(order)
    assert collect(dataclasses.replace(plain, posts=plain.posts.take(order))) == collect(plain)


def test_what_is_usual_has_no_larger_share_than_it_always_has() -> None:
    evidence = collect(case(["arm is fine"] * 90, [f"old{n % 9}" for n in range(90)], expected=20.0))
    assert all(abs(driver["share"] - driver["usual_share"]) < 0.03 for driver in evidence["authors"])
    assert evidence["words"] == []


def test_posts_without_text_author_or_time_do_no_harm() -> None:
    odd = case(["arm"] * 3, [None, None, None], expected=0.001)
    evidence = Evidence.model_validate(collect(odd))
    assert evidence.ratio is None
    assert evidence.authors_total == 0
    assert "usually there are almost none" in headline("arm", odd.episode, PARAMS)


def test_words_are_those_that_the_past_does_not_have() -> None:
    now = Counter({"dose": 40, "the": 40, "arm": 40, "rare": 2})
    past = {"the": 400.0, "arm": 400.0, "food": 100.0}
    words = characteristic_words(now, past, 400, frozenset({"arm"}))
    assert [word["word"] for word in words] == ["dose"]
    assert characteristic_words(now, {}, 0, frozenset()) == []


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=20))
def test_every_text_is_in_one_group(texts: list[str | None]) -> None:
    groups = group_copies(texts)
    assert sorted(at for group in groups for at in group) == list(range(len(texts)))


def test_near_copies_are_one_group() -> None:
    base = "the agency said today that the new vaccine is safe for all adults in the country"
    groups = group_copies([base, f"RT @x {base}", base.replace("all ", ""), "something else entirely"])
    assert groups == [[0, 1, 2], [3]]
