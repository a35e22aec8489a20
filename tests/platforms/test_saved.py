"""Mappings that a person saved: written, found again, recognised by their columns, and never in the way of others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from groundswell.errors import ConflictError, NotFoundError, UnknownChoiceError, UnreadableFileError, UsageError
from groundswell.platforms import generic, registry
from groundswell.platforms.saved import SavedMapping, find, folder_of, listed, registry_for, remove, save
from groundswell.settings import Settings

MAPPING = SavedMapping("forum", {"text": "Was", "likes": "Daumen"}, ("Nr", "Was", "Daumen"), "board", hidden=("views",))
ROW = {"Nr": "1", "Was": "Hallo", "Daumen": "1.234", "Views": "7"}


def test_a_mapping_is_found_as_it_was_saved_and_is_gone_once_removed(settings: Settings) -> None:
    assert listed(settings) == ()
    path = save(settings, MAPPING)
    assert json.loads(path.read_text(encoding="utf-8"))["map"] == {"text": "Was", "likes": "Daumen"}
    assert listed(settings) == (MAPPING,) == (find(settings, "saved.forum"),)
    with pytest.raises(ConflictError, match="--replace"):
        save(settings, MAPPING)
    save(settings, SavedMapping("forum", {"text": "Wer"}), replace=True)
    assert find(settings, "forum").map == {"text": "Wer"}
    remove(settings, "forum")
    with pytest.raises(NotFoundError, match="none yet"):
        find(settings, "forum")


def test_its_layout_is_known_by_name_and_by_columns(settings: Settings) -> None:
    assert registry_for(settings) is registry()
    save(settings, MAPPING)
    known = registry_for(settings)
    assert registry_for(settings) is known
    layout = known.get("forum")
    assert layout is known.get("saved.forum")
    assert known.recognise(ROW) is layout
    fitted = generic.fit(layout, list(ROW), [ROW])
    assert (fitted.id, fitted.parameters["map"]) == ("saved.forum", {"text": "Was", "likes": "Daumen"})
    assert generic.fit(layout, list(ROW), [ROW]) is fitted
    wider = generic.joined(fitted, [*ROW, "more"])
    assert (wider.id, wider.parameters["habits"]) == ("saved.forum", fitted.parameters["habits"])


@pytest.mark.parametrize(
    "record", [{"Was": "x"}, {"Was": "x", "Daumen": "1"}, {"Nr": "1", "Daumen": "1", "text": "a"}, {}]
)
def test_a_table_without_its_columns_is_left_to_others(settings: Settings, record: dict[str, Any]) -> None:
    save(settings, MAPPING)
    found = registry_for(settings).recognise(record)
    assert found is None or not found.id.startswith("saved.")


@pytest.mark.parametrize(
    ("mapping", "error"),
    [
        (SavedMapping("Forum!", {"text": "a"}), UsageError),
        (SavedMapping("../up", {"text": "a"}), UsageError),
        (SavedMapping("forum", {}), UsageError),
        (SavedMapping("forum", {"txt": "a"}), UnknownChoiceError),
        (SavedMapping("forum", {"text": "a"}, hidden=("txt",)), UnknownChoiceError),
    ],
)
def test_what_is_no_mapping_is_not_saved(settings: Settings, mapping: SavedMapping, error: type[Exception]) -> None:
    with pytest.raises(error):
        save(settings, mapping)
    assert listed(settings) == ()


def test_a_file_that_is_no_mapping_is_named(settings: Settings) -> None:
    folder_of(settings).mkdir(parents=True)
    (folder_of(settings) / "odd.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"odd\.json"):
        registry_for(settings)
