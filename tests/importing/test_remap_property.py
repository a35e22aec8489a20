"""A remap gives what a new import would give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.importing.test_remap import NEW, OLD, Home, write

from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.settings import load_settings

FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(0, 5).map(str),
        "time": st.sampled_from(["1700000000", "1690000000", "soon", None]),
        "plays": st.sampled_from([None, 1, 2, "many", 10**17]),
        "views": st.sampled_from([None, 1, 2]),
        "text": st.sampled_from(["hello", "#tag", None]),
        "tags": st.sampled_from([None, [], ["a"], "none"]),
    },
)


def test_what_was_known_before_is_stored_where_a_layout_tells_it_apart(tmp_path: Path) -> None:
    once, again = {"id": "5", "time": "1690000000"}, {"id": "5", "time": "1690000000", "plays": 2}
    compare([[once], [again]], tmp_path)


@pytest.mark.slow
@given(files=st.lists(st.lists(FIELDS, min_size=1, max_size=8), min_size=1, max_size=3))
@hypothesis_settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
def test_what_a_remap_gives_is_what_a_new_import_would_give(
    files: list[list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    compare(files, tmp_path_factory.mktemp("remap"))


def compare(files: list[list[dict[str, Any]]], folder: Path) -> None:
    """Import by an older layout and remap; import by the newer one: the same rows, the same set aside."""
    paths = [
        write(folder / f"{at}.ndjson", [{"made": at, **each} for each in records]) for at, records in enumerate(files)
    ]
    found = []
    for name, first in (("again", OLD), ("new", NEW)):
        settings = load_settings(home=folder / name, threads=1)
        engine = open_engine(settings)
        try:
            with open_desk(settings) as desk:
                home = Home(settings, desk, engine)
                for path in paths:
                    home.import_(path, first)
                home.remap(NEW, layout="tiktok.made", write=True)
                found.append((home.posts("key", "post_id", "views", "layout_version"), len(home.held())))
        finally:
            engine.close()
    # Which of records with the same key stays may differ: an import takes the first, a remap what is stored already.
    assert found[0] == found[1]
