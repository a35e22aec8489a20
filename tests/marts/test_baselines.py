from __future__ import annotations

from groundswell.engines.duckdb import DuckEngine
from groundswell.marts.baselines import histories, history
from groundswell.query import parse
from groundswell.settings import Settings
from groundswell.testing.streams import START, make_posts
from groundswell.watch.contract import HOUR, MINUTE

WIDTH = 5 * MINUTE


def test_posts_are_counted_per_window_and_a_post_seen_twice_once(settings: Settings) -> None:
    times = [START, START + MINUTE, START + 6 * MINUTE, START + MINUTE, START + 2 * HOUR]
    posts = make_posts(times, ["arm", "leg", "arm", "leg", "arm"], ids=["1", "2", "3", "2", "4"])
    engine = DuckEngine(settings)
    table = engine.register("posts", posts.drop_columns(["record", "received_us"]))
    counts, totals, first = history(engine, table, parse("arm"), WIDTH, START + HOUR + MINUTE, 1)
    assert first == START
    assert len(counts) == len(totals) == 12
    assert counts[:3].tolist() == [1, 1, 0]
    assert totals[:3].tolist() == [2, 1, 0]
    several, _, _ = histories(engine, table, [parse("arm"), parse("leg")], WIDTH, START + HOUR, 1)
    assert several.sum(axis=1).tolist() == [2, 1]
    engine.close()


def test_a_past_without_posts_is_empty(settings: Settings) -> None:
    engine = DuckEngine(settings)
    table = engine.register("posts", make_posts([START], ["arm"]).drop_columns(["record", "received_us"]))
    counts, totals, _ = history(engine, table, parse("arm"), WIDTH, START - HOUR, 1)
    assert len(counts) == len(totals) == 0
    engine.close()


def test_the_last_half_second_of_a_window_belongs_to_it(settings: Settings) -> None:
    late = START + WIDTH - 300_000
    posts = make_posts([START, late, START + WIDTH], ["arm", "arm", "arm"])
    engine = DuckEngine(settings)
    table = engine.register("posts", posts.drop_columns(["record", "received_us"]))
    counts, totals, first = history(engine, table, parse("arm"), WIDTH, START + 3 * WIDTH, 1)
    engine.close()
    assert first == START
    assert counts.tolist() == totals.tolist() == [2, 1, 0]
