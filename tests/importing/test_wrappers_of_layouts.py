"""Answers of the platforms' APIs as files and as lines: every record in them is stored by its layout."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "layouts"


def records(layout: str) -> list[Any]:
    return [json.loads(line) for line in (FIXTURES / f"{layout}.ndjson").read_text(encoding="utf-8").splitlines()]


def wrapped(*path: str) -> Callable[[list[Any]], Any]:
    def wrap(inner: Any) -> Any:
        for key in reversed(path):
            inner = {key: inner}
        return {"statusCode": 0, **inner, "hasMore": True}

    return wrap


def first_of(*path: str) -> Callable[[list[Any]], Any]:
    wrap = wrapped(*path)
    return lambda inner: wrap(inner[0])


ANSWERS: tuple[tuple[str, Callable[[list[Any]], Any], int], ...] = (
    ("tiktok.api", wrapped("itemList"), 4),
    ("tiktok.api", wrapped("items"), 4),
    ("tiktok.api", first_of("itemInfo", "itemStruct"), 1),
    ("tiktok.api", first_of("__DEFAULT_SCOPE__", "webapp.video-detail", "itemInfo", "itemStruct"), 1),
    ("tiktok.nested", wrapped("body", "itemListData"), 6),
    ("tiktok.scraper", wrapped("collector"), 3),
    ("tiktok.aweme", wrapped("aweme_list"), 3),
    ("tiktok.comments", wrapped("comments"), 3),
    ("tiktok.research_videos", wrapped("data", "videos"), 3),
    ("tiktok.research_comments", wrapped("data", "comments"), 3),
    ("instagram.graph_media", wrapped("data"), 3),
    ("instagram.graph_media", wrapped("business_discovery", "media", "data"), 3),
    ("instagram.graphql", wrapped("GraphImages"), 3),
    ("instagram.graphql", first_of("graphql", "shortcode_media"), 1),
    ("instagram.graphql_node", wrapped("data", "user", "edge_owner_to_timeline_media", "edges"), 3),
    ("instagram.api_v1", wrapped("items"), 3),
    ("facebook.graph_posts", wrapped("data"), 3),
    ("facebook.graph_posts", wrapped("posts", "data"), 3),
    ("facebook.crowdtangle_api", wrapped("result", "posts"), 2),
)


def counted(summary: Any) -> tuple[Counter[str], int]:
    layouts: Counter[str] = Counter()
    for file in summary["files"]:
        assert file["error"] is None, file
        for line in file["layouts"]:
            layouts[str(line["layout"])] += line["stored"] + line["known"]
    return layouts, summary["rejected"]


@pytest.mark.parametrize(("layout", "wrap", "count"), ANSWERS, ids=[f"{a[0]}-{n}" for n, a in enumerate(ANSWERS)])
def test_an_answer_gives_its_records_as_a_document_and_as_a_line(
    layout: str, wrap: Callable[[list[Any]], Any], count: int, tmp_path: Path, workshop: Any
) -> None:
    answer = wrap(records(layout))
    document, lines = tmp_path / "answer.json", tmp_path / "answers.ndjson"
    document.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    lines.write_text(f"{json.dumps(answer)}\n{json.dumps(answer)}\n", encoding="utf-8")
    assert counted(workshop.import_(document)) == ({layout: count}, 0)
    assert counted(workshop.import_(lines)) == ({layout: 2 * count}, 0)


def test_a_file_of_many_collectors_gives_each_record_to_its_layout(tmp_path: Path, workshop: Any) -> None:
    names = sorted(path.name.removesuffix(".ndjson") for path in FIXTURES.glob("*zeeschuimer*.ndjson"))
    path = tmp_path / "collected.ndjson"
    path.write_text("".join(f"{json.dumps(one)}\n" for name in names for one in records(name)), encoding="utf-8")
    layouts, rejected = counted(workshop.import_(path))
    assert rejected == 0
    assert layouts == {name: len(records(name)) for name in names}
