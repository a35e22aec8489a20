"""What goes to a database and comes back is known: every post by its platform, id, time and counters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.servers import Ferret, Postgres

FIXTURES = Path(__file__).parents[1] / "fixtures" / "layouts"


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.service),
        pytest.param("ferretdb", marks=pytest.mark.service),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/out.db"
    server: Postgres | Ferret = request.getfixturevalue(request.param)
    return server.url(server.new_database())


def test_exported_posts_come_back_as_known(cli: Callable[..., Any], url: str) -> None:
    stored = cli("import", FIXTURES, "--json").document
    found = cli("posts", "--limit", "1000", "--json").document["items"]
    posts = len(found)
    assert 50 < posts <= stored["stored"]
    # A table knows no more of a post than its columns: one of these has to be there.
    nameless = sum(not (post["post_id"] or post["text"] or post["url"]) for post in found)
    first = cli("export", "--to", url, "--json")
    assert (first.code, first.document["rows"]) == (0, posts)
    again = cli("export", "--to", url, "--json").document
    assert again["target"]["unchanged"] == posts
    asked = ("--collection" if url.startswith("mongodb") else "--table", "posts")
    back = cli("import", url, *asked, "--json").document
    assert (back["read"], back["stored"], back["rejected"]) == (posts, 0, nameless)
