"""A demo has a home of its own and leaves others alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.demo.staging import MARK, demo_settings, fresh_home, set_up
from groundswell.demo.story import TRACKERS, tell
from groundswell.desk import open_desk, trackers
from groundswell.errors import ConflictError, UnavailableError
from groundswell.lake import Lake


class Notes:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: dict[str, float] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    def at(self, what: str, done: float) -> None:
        assert 0 <= done <= 1
        self.steps[what] = done


def test_an_earlier_demo_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    fresh_home(home)
    (home / "old").write_text("old")
    fresh_home(home)
    assert [path.name for path in home.iterdir()] == [MARK]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConflictError, match="not a demo"):
        fresh_home(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot make"):
        fresh_home(tmp_path / "file" / "demo")


def test_the_environment_does_not_lead_a_demo_to_another_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_LAKE", str(tmp_path / "precious"))
    monkeypatch.setenv("GROUNDSWELL_DESK", f"sqlite:///{tmp_path / 'precious.sqlite'}")
    settings = demo_settings(tmp_path / "demo")
    assert settings.lake_path == tmp_path / "demo" / "lake"
    assert "precious" not in settings.desk_url


def test_the_set_up_imports_all_of_history_and_nothing_of_the_stream(tmp_path: Path) -> None:
    story, notes = tell(datetime(2026, 6, 1, tzinfo=UTC), posts=4000), Notes()
    settings = demo_settings(tmp_path / "demo", threads=2)
    staged = set_up(settings, story, story.begins + timedelta(hours=2), notes)
    past, coming = staged.document["posts"], staged.truth.posts
    assert staged.document["stored"] == past == Lake.open(settings).count()
    assert 0 < coming < past < 4000
    assert staged.stream.read_bytes().count(b"\n") == coming
    with open_desk(settings) as desk, desk.reading() as session:
        assert {row.name for row in trackers.list_active(session)} == {name for name, _ in TRACKERS}
    assert any("tiktok.nested" in text and "MB/s" in text for text in notes.said)
    assert notes.steps["importing"] > 0.9
