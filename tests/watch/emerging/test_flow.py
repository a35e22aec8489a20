"""Topics out of a stream of posts: what is found, what is not, and that it does not depend on batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from groundswell import kernels
from groundswell.query import Matches
from groundswell.testing.streams import START, make_posts
from groundswell.text.tokens import hashtags_of
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import HOUR, MINUTE
from groundswell.watch.emerging import flow
from groundswell.watch.emerging.records import TopicParams, TopicRecord
from groundswell.watch.emerging.state import Emerging

PARAMS = TopicParams(warm_us=2 * HOUR)
#: Posts a minute of the usual stream.
RATE = 12
BEGIN = 200
"""The minute in which what is injected begins."""
LENGTH = 230

Post = tuple[int, str, str]
"""Minute, author, text."""

_SUBJECTS = ("tea", "bikes", "rain", "dogs", "pasta", "trains", "songs", "maps", "bread", "shoes", "stars", "rivers")
_VERBS = ("love", "watch", "want", "miss", "like", "found", "lost", "draw")
_PLACES = ("home", "work", "school", "market", "garden", "station", "kitchen", "beach")


def usual(minutes: int = LENGTH, rate: float = RATE, seed: int = 1) -> list[Post]:
    """What is always said: the same words in the same shares."""
    rng = np.random.default_rng(seed)
    posts = []
    for minute in range(minutes):
        for _ in range(rng.poisson(rate)):
            words = (rng.choice(_VERBS), rng.choice(_SUBJECTS), "at", rng.choice(_PLACES), f"#{rng.choice(_SUBJECTS)}")
            posts.append((minute, f"u{rng.integers(400)}", " ".join(words)))
    return posts


def about(text: str, per_minute: int, minutes: range, authors: int = 300) -> list[Post]:
    """Posts of one text, by one author after the other."""
    posts: list[Post] = []
    for minute in minutes:
        for _ in range(per_minute):
            posts.append((minute, f"v{len(posts) % authors}", text.format(n=len(posts))))
    return posts


@dataclass
class Told:
    """The last record of each topic, and all states of it."""

    topics: dict[str, TopicRecord] = field(default_factory=dict)
    state: Emerging = field(default_factory=lambda: Emerging.empty(5))

    @property
    def labels(self) -> list[str]:
        return sorted(topic.label for topic in self.topics.values())

    def one(self, label: str) -> TopicRecord:
        (topic,) = (topic for topic in self.topics.values() if topic.label == label)
        return topic


def run(
    posts: Sequence[Post],
    borders: Sequence[int] = (),
    told: Told | None = None,
    *,
    matched: str | None = None,
    minutes: int = LENGTH,
    first: int = 0,
    window: int = MINUTE,
    params: TopicParams = PARAMS,
) -> Told:
    """Run posts in batches that end at `borders` (and once a window), and close every window as soon as it is over."""
    told = Told() if told is None else told
    ordered = sorted(posts, key=lambda post: post[0])
    times = np.array([minute for minute, _, _ in ordered]) * MINUTE + START
    table = make_posts(
        times.tolist(),
        [text for *_, text in ordered],
        authors=[author for _, author, _ in ordered],
    )
    table = table.set_column(table.column_names.index("hashtags"), "hashtags", hashtags_of(table.column("text")))
    cuts = sorted({0, len(ordered), *(min(border, len(ordered)) for border in borders)})
    windows = times // window * window
    due = first
    for begin, end in zip(cuts, [*cuts[1:], len(ordered)], strict=True):
        if end > begin:
            part = table.slice(begin, end - begin)
            pairs = None
            if matched is not None:
                rows = np.flatnonzero([matched in text for *_, text in ordered[begin:end]])
                pairs = Matches(np.zeros(len(rows), np.int64), rows)
            counted = np.ones(end - begin, np.bool_)
            flow.add(told.state, TableArrivals(part), counted, windows[begin:end], window, params, pairs, ["mine"])
        until = minutes if end == len(ordered) else int((times[end] - START) // window * window // MINUTE)
        while due + window // MINUTE <= until:
            for topic in flow.close(told.state, START + due * MINUTE, params):
                told.topics[topic.id] = topic
            due += window // MINUTE
        flow.make_room(told.state, params)
    return told


@pytest.fixture(autouse=True)
def _plain_afterwards() -> Iterator[None]:
    yield
    kernels.unload()


LEAK = about("#novaleak shows the photos of model {n}", 3, range(BEGIN, LENGTH))


def test_a_new_hashtag_is_a_topic_with_the_words_that_come_with_it() -> None:
    told = run([*usual(), *LEAK])
    assert told.labels == ["#novaleak"]
    topic = told.one("#novaleak")
    assert topic.is_new
    assert topic.opened_at <= START + (BEGIN + 4) * MINUTE
    assert abs(topic.started_at - (START + BEGIN * MINUTE)) <= 5 * MINUTE
    assert {"#novaleak", "photos", "shows"} <= {term["term"] for term in topic.body["terms"]}
    assert "the" not in {term["term"] for term in topic.body["terms"]}
    assert topic.query == "#novaleak"
    assert topic.authors == pytest.approx(90, rel=0.15)
    assert topic.posts == pytest.approx(90, rel=0.1)
    assert topic.body["examples"][0]["text"].startswith("#novaleak")
    assert topic.body["platforms"] == [{"platform": "x", "posts": topic.posts, "share": 1.0}]
    assert topic.body["covered_by"] == []
    assert topic.headline.startswith("#novaleak is new: ")


def test_nothing_is_told_of_a_usual_stream() -> None:
    assert run(usual()).topics == {}


def test_a_usual_word_that_rises_is_a_topic_with_its_level() -> None:
    told = run([*usual(), *about("rivers rise and rise", 5, range(BEGIN, LENGTH))])
    assert told.labels in (["rise"], ["rivers"])
    (topic,) = told.topics.values()
    rivers = next(term for term in topic.body["terms"] if term["term"] == "rivers")
    assert not rivers["is_new"]
    assert rivers["expected"] > 1


def test_a_word_that_rises_only_because_everything_rises_is_none() -> None:
    more = [(minute + BEGIN, author, text) for minute, author, text in usual(LENGTH - BEGIN, 4 * RATE, seed=2)]
    assert run([*usual(), *more]).topics == {}


def test_one_account_is_no_topic_however_much_it_posts() -> None:
    assert run([*usual(), *about("buy #cheappills today {n}", 20, range(BEGIN, LENGTH), authors=1)]).topics == {}
    assert run([*usual(), *about("buy #cheappills today {n}", 20, range(BEGIN, LENGTH), authors=3)]).topics == {}


def test_the_parts_of_a_link_are_no_topic() -> None:
    told = run([*usual(), *about("look https://t.example/zqxjk77 at bread", 3, range(BEGIN, LENGTH))])
    words = {term["term"] for topic in told.topics.values() for term in topic.body["terms"]}
    assert not {"https", "t", "example", "zqxjk77"} & words


def test_two_things_at_once_are_two_topics() -> None:
    told = run([*usual(), *LEAK, *about("the #marsparade was loud", 3, range(BEGIN + 5, LENGTH))])
    assert told.labels == ["#marsparade", "#novaleak"]


def test_a_topic_says_which_tracker_sees_it_already() -> None:
    told = run([*usual(), *LEAK], matched="photos")
    assert told.one("#novaleak").body["covered_by"] == [{"id": "mine", "share": 1.0}]
    assert told.one("#novaleak").detail.endswith("a tracker sees it")


def test_a_topic_is_over_when_nobody_speaks_of_it() -> None:
    leak = about("#novaleak shows photos {n}", 3, range(BEGIN, BEGIN + 15))
    told = run([*usual(400), *leak], minutes=400)
    topic = told.one("#novaleak")
    assert topic.phase == "closed"
    assert topic.closed_at is not None
    # Half an hour has to be calm.
    assert topic.closed_at <= START + (BEGIN + 15 + 40) * MINUTE


@pytest.mark.parametrize("cuts", [[50, 51, 700], list(range(0, 2600, 37)), list(range(0, 3000, 400))])
def test_topics_do_not_depend_on_where_batches_end(cuts: list[int]) -> None:
    posts = [*usual(), *LEAK]
    assert run(posts, cuts).topics == run(posts).topics


def test_compiled_and_plain_say_the_same() -> None:
    posts = [*usual(), *LEAK]
    plain = run(posts, [100, 2500])
    kernels.load()
    assert run(posts, [100, 2500]).topics == plain.topics


def test_a_state_that_was_written_down_goes_on_as_if_nothing_had_been() -> None:
    posts = sorted([*usual(), *LEAK], key=lambda post: post[0])
    whole = run(posts)
    at = BEGIN + 7
    before = run([post for post in posts if post[0] < at], minutes=at)
    names = flow.dump(before.state)
    assert all(array.ndim == 1 for array in names.values())
    again = Told(before.topics, flow.load(names))
    # The rest is numbered from its own start, so posts are told apart by their own numbers only.
    told = run([post for post in posts if post[0] >= at], told=again, first=at)
    assert {topic.id: (topic.authors, topic.return_days, topic.posts) for topic in told.topics.values()} == {
        topic.id: (topic.authors, topic.return_days, topic.posts) for topic in whole.topics.values()
    }


def test_a_silent_hour_leaves_levels_as_they_are() -> None:
    posts = usual(200)
    later = [(minute + 700, author, text) for minute, author, text in usual(60, seed=3)]
    told = run(posts, minutes=200)
    run(later, told=told, first=700, minutes=760)
    assert told.topics == {}
    assert told.state.stream.past.sum() > 0


def test_windows_of_five_minutes_do_as_well() -> None:
    told = run([*usual(), *LEAK], window=5 * MINUTE)
    assert told.labels == ["#novaleak"]


def test_a_home_that_wants_no_topics_counts_nothing() -> None:
    told = run([*usual(), *LEAK], params=TopicParams(per_day=0))
    assert told.topics == {}
    assert told.state.terms.used == 0
    assert not told.state.open


def test_the_seed_of_the_tables_changes_nothing() -> None:
    kernels.load()
    posts = [*usual(), *LEAK]
    assert (
        run(posts, told=Told(state=Emerging.empty(1))).topics == run(posts, told=Told(state=Emerging.empty(99))).topics
    )


def test_memory_stays_within_its_bounds_under_words_that_never_come_again() -> None:
    kernels.load()
    params = TopicParams(candidates=1 << 10, window_terms=1 << 11, keep_posts=16, warm_us=2 * HOUR)
    rng = np.random.default_rng(4)
    junk = [
        (minute, f"j{rng.integers(50)}", " ".join(f"q{rng.integers(1 << 40):x}" for _ in range(20)))
        for minute in range(0, 150)
        for _ in range(40)
    ]  # fmt: skip
    told = run([*usual(150), *junk], minutes=150, params=params)
    assert told.state.terms.used <= 1 << 10
    assert told.state.pool.posts.num_rows <= 16 * 65
    assert told.topics == {}
    assert told.state.nbytes < 12_000_000


def test_a_batch_of_many_windows_counts_what_small_ones_do_however_many_terms_they_hold_together() -> None:
    params = TopicParams(window_terms=1 << 11, warm_us=2 * HOUR)
    posts = [(minute, f"j{n}", f"w{minute}x{n} " * 2 + f"q{n} z{n} y{n}") for minute in range(30) for n in range(150)]
    assert sum(len(set(text.split())) for *_, text in posts) > 4 * params.window_terms
    whole = run(posts, minutes=30, params=params)
    small = run(posts, range(100, len(posts), 100), minutes=30, params=params)
    assert flow.dump(whole.state)["term_key"].tolist() == flow.dump(small.state)["term_key"].tolist()


def test_what_a_batch_leaves_open_is_bounded() -> None:
    params = TopicParams(window_terms=1 << 9, warm_us=2 * HOUR)
    posts = [(minute, f"j{n}", f"w{minute}x{n} v{minute}x{n}") for minute in range(30) for n in range(150)]
    told = run(posts, minutes=0, params=params)
    assert 0 < sum(one.used for one in told.state.open.values()) <= 4 * params.window_terms


def test_windows_without_a_post_cost_nothing_and_mean_the_same() -> None:
    posts = usual(130)
    told = run(posts, minutes=130)
    for minute in range(130, 700):
        assert flow.close(told.state, START + minute * MINUTE, PARAMS) == []
    skipped = run(posts, minutes=130)
    later = [(minute + 700, author, text) for minute, author, text in usual(20, seed=3)]
    for one in (told, skipped):
        run(later, told=one, first=700, minutes=720)
    first, second = flow.dump(told.state), flow.dump(skipped.state)
    assert {name: array.tolist() for name, array in first.items()} == {
        name: array.tolist() for name, array in second.items()
    }
