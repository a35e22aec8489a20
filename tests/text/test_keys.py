"""Keys of observations."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from groundswell.schema import COUNTERS, MAPPED
from groundswell.text.keys import KEY_BYTES, observation_keys

POST: dict[str, Any] = {"platform": "tiktok", "post_id": "7", "views": 5, "text": "hello", "author_id": "a"}


def key(**changes: Any) -> bytes:
    row = {**dict.fromkeys(MAPPED.names), **POST, **changes}
    found: bytes = observation_keys(pa.Table.from_pylist([row], schema=MAPPED))[0].as_py()
    return found


def test_a_key_has_sixteen_bytes_and_is_the_same_again() -> None:
    assert len(key()) == KEY_BYTES
    assert key() == key()


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_new_counter_is_a_new_observation_and_null_is_not_zero(counter: str) -> None:
    assert len({key(**{counter: None}), key(**{counter: 0}), key(**{counter: 1})}) == 3


def test_the_platform_and_the_observed_time_count() -> None:
    assert len({key(), key(platform="youtube"), key(observed_at=1), key(observed_at=2)}) == 4


def test_with_an_id_the_text_does_not_count_and_without_it_does() -> None:
    assert key(text="other", author_id="b") == key()
    bare = {"post_id": None}
    others = (key(**bare, text="other"), key(**bare, author_id="b"), key(**bare, created_at=1))
    assert len({key(), key(**bare), *others}) == 5


def test_an_empty_text_is_not_a_missing_one_and_fields_do_not_run_together() -> None:
    assert key(post_id=None, text="") != key(post_id=None, text=None)
    assert key(post_id=None, author_id="ab", text="c") != key(post_id=None, author_id="a", text="bc")


def test_the_name_stands_for_an_author_without_id() -> None:
    assert key(post_id=None, author_id=None, author_name="a") == key(post_id=None, author_id="a")


def test_no_rows_have_no_keys() -> None:
    assert len(observation_keys(MAPPED.empty_table())) == 0
