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


@pytest.mark.service
def test_raw_records_go_to_mongodb_and_come_back_as_known(
    cli: Callable[..., Any], ferretdb: Ferret, tmp_path: Path
) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text("".join(f'{{"post_id": "p{n}", "text": "post {n}", "likes": {n}}}\n' for n in range(30)) + "{x\n")
    cli("import", file)
    url = ferretdb.url(ferretdb.new_database())
    done = cli("export", "--table", "raw", "--to", url, "--json")
    assert done.code == 0, done.err
    assert (done.document["rows"], done.document["target"]["inserted"], done.document["changed"]) == (
        30,
        30,
        {"no JSON object, left out": 1},
    )
    assert cli("export", "--table", "raw", "--to", url, "--json").document["target"]["unchanged"] == 30
    assert cli("import", url, "--collection", "raw", "--json").document["known"] == 30


def test_raw_records_go_to_a_file_as_they_stand(cli: Callable[..., Any], tmp_path: Path) -> None:
    file, out = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    file.write_text('{"post_id": "p1",  "text": "as it stands",  "likes": 1.0}\n')
    cli("import", file)
    assert cli("export", "--table", "raw", "--out", out).code == 0
    assert out.read_bytes() == file.read_bytes()
    refused = cli("export", "--table", "raw", "--out", tmp_path / "b.csv")
    assert (refused.code, "NDJSON" in refused.err) == (2, True)
