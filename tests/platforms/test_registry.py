"""Which layouts there are, and which of them a record is of."""

from __future__ import annotations

from typing import Any

import ibis
import pytest

from groundswell.errors import ConflictError, UnknownChoiceError
from groundswell.platforms import complete, generic, registry, split_reject
from groundswell.platforms.casts import NUMBER
from groundswell.platforms.youtube import VIDEOS
from groundswell.schema import MAPPED, REJECT, UNREAD


def test_the_built_in_layouts_are_registered_and_the_generic_table_is_last() -> None:
    names = [layout.id for layout in registry().layouts]
    assert {"tiktok.nested", "tiktok.claims", "youtube.trending_csv", "youtube.videos_list"} <= set(names)
    assert names[-1] == "generic.table"


def test_an_unknown_layout_or_platform_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownChoiceError, match=r"did you mean `tiktok\.nested`|Did you mean `tiktok\.nested`"):
        registry().get("tiktok.nestd")
    with pytest.raises(UnknownChoiceError, match="instagram, "):
        registry().of_platform("myspace")


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        ({"itemInfos": {"id": "1"}}, "tiktok.nested"),
        ({"authorInfos": {}, "musicInfos": {}}, "tiktok.nested"),
        ({"kind": "youtube#video", "id": "x"}, "youtube.videos_list"),
        ({"id": "1", "text": "hello"}, "generic.table"),
        ({"Tweet": "hello", "Favorites": 3}, "generic.table"),
        ({"id": 5, "views": 7}, "generic.table"),
        ({"id": 5}, None),
        ({"error": {"code": 403}}, None),
        ({"kind": "youtube#channel", "id": "UC", "snippet": {}}, "youtube.channels_list"),
        ({}, None),
    ],
)
def test_a_record_is_recognised_by_what_is_peculiar_to_it(record: dict[str, Any], layout: str | None) -> None:
    found = registry().recognise(record)
    assert (found.id if found else None) == layout


def test_a_sample_is_of_the_layout_that_most_records_are_of() -> None:
    nested, other = {"itemInfos": {"id": "1"}}, {"id": "1", "text": "x"}
    found = registry().recognise_sample([nested, other, nested, {}])
    assert found is not None
    assert found.id == "tiktok.nested"
    assert registry().recognise_sample([]) is None
    assert registry().recognise_sample([{}, {"a": 1}]) is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"kind": "youtube#playlist"}, "a playlist, not a video"),
        ({"kind": "youtube#searchResult", "id": {"kind": "youtube#playlist"}}, "a playlist, not a video"),
        ({"kind": "youtube#searchResult", "id": {"kind": "youtube#video"}}, None),
        ({"kind": "youtube#video"}, None),
        ({"kind": 5}, None),
    ],
)
def test_other_resources_of_the_data_api_are_no_posts(record: dict[str, Any], reason: str | None) -> None:
    assert VIDEOS.ignores is not None
    assert VIDEOS.ignores(record) == reason


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["Id", "Text", "Erstellt am", "Gefällt mir"], {"post_id": "Id", "text": "Text", "created_at": "Erstellt am"}),
        (["contenu", "j'aime", "abonnés"], {"text": "contenu", "likes": "j'aime", "followers": "abonnés"}),
        (["title", "body"], {"text": "body", "title": "title"}),
        (["title"], {"text": "title"}),
        (["текст", "лайки"], {"text": "текст", "likes": "лайки"}),
        (["foo"], {}),
    ],
)
def test_columns_are_guessed_in_several_languages(columns: list[str], expected: dict[str, str]) -> None:
    assert expected.items() <= generic.guess(columns).items()


def test_samples_keep_a_column_from_a_field_that_it_cannot_be() -> None:
    assert "likes" not in generic.guess(["text", "likes"], [{"text": "a", "likes": "very much"}])
    assert generic.guess(["text", "likes"], [{"text": "a", "likes": 3}])["likes"] == "likes"


def test_a_column_map_wins_and_is_checked() -> None:
    layout = generic.table(["a", "b", "likes"], {"text": "a", "likes": "b"}, "Europe/Paris", "forum")
    assert layout.parameters["map"] == {"text": "a", "likes": "b"}
    assert generic.table(["a", "b", "likes"], {"text": "a", "likes": "b"}, "Europe/Paris", "forum") is layout
    with pytest.raises(UnknownChoiceError, match="no column `c`"):
        generic.table(["a"], {"text": "c"})
    with pytest.raises(UnknownChoiceError, match="no field `txt`"):
        generic.table(["a"], {"txt": "a"})
    with pytest.raises(ConflictError, match="--map text=COLUMN"):
        generic.table(["a", "b"])


def test_what_a_layout_leaves_out_is_completed_with_nulls_in_order() -> None:
    raw = ibis.table({"post_id": "string", NUMBER: "int64"}, name="raw")
    assert complete(raw).columns == (*MAPPED.names, REJECT, UNREAD, NUMBER)


def test_a_rejection_is_split_into_reason_and_detail() -> None:
    assert split_reject("no post id") == ("no post id", "no post id")
    assert split_reject("bad time: 12: 30") == ("bad time", "bad time: 12: 30")
