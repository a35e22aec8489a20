from __future__ import annotations

import csv
import math
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from groundswell.errors import UnreadableFileError, UsageError
from groundswell.watch.series_file import ADDED, read_series, write_scores


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "series.csv"


def rows(path: Path, *lines: str, head: str = "t,v") -> Path:
    path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    return path


def test_times_are_read_in_every_common_form(path: Path) -> None:
    for texts in (
        ("2026-11-21 15:00:00", "2026-11-21T15:05:00Z"),
        ("2026/11/21 15:00", "2026-11-21 16:05:00+01:00"),
        ("1795273200", "1795273500"),
        ("1795273200000", "1795273500000"),
    ):
        series = read_series(rows(path, *(f"{text},1" for text in texts)), "t", "v")
        assert series.times_us.tolist() == [1_795_273_200_000_000, 1_795_273_500_000_000]
    local = read_series(rows(path, "2026-11-21 16:00,1"), "t", "v", ZoneInfo("Europe/Berlin"))
    assert local.times_us.tolist() == [1_795_273_200_000_000]


def test_missing_values_and_rows_are_told(path: Path) -> None:
    series = read_series(rows(path, "0,1", "300,", "600,nan", "1200,4"), "t", "v")
    assert np.isnan(series.counts).tolist() == [False, True, True, False]
    assert [note.split(".")[0] for note in series.notes] == [
        "2 of 4 rows have no value",
        "1 windows of 5 min are missing",
    ]


def test_rows_in_disorder_keep_their_place(path: Path) -> None:
    series = read_series(rows(path, "600,3", "0,1", "300,2"), "t", "v")
    assert series.counts.tolist() == [1, 2, 3]
    assert series.place.tolist() == [2, 0, 1]
    assert "not in the order of time" in series.notes[0]


def test_equal_rows_count_once_and_other_values_of_a_time_are_added_up(path: Path) -> None:
    series = read_series(rows(path, "0,1", "0,1", "300,2", "300,5", "600,1"), "t", "v")
    assert series.counts.tolist() == [1, 7, 1]


def test_irregular_steps_are_told(path: Path) -> None:
    at = np.cumsum(np.random.default_rng(1).integers(100, 900, 50))
    series = read_series(rows(path, *(f"{time},1" for time in at)), "t", "v")
    assert "irregular" in series.notes[0]


def test_fractions_get_a_unit(path: Path) -> None:
    values = np.random.default_rng(2).normal(0.35, 0.01, 200)
    series = read_series(rows(path, *(f"{300 * n},{value:.5f}" for n, value in enumerate(values))), "t", "v")
    assert series.unit != 1
    assert np.var(series.counts) == pytest.approx(series.counts.mean(), rel=0.5)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["0,1", "300,-2"], "line 3: -2 is no count"),
        (["0,1", "300,inf"], "line 3: inf is no count"),
        (["0,1", "300,many"], "line 3: `many` is no number"),
        (["yesterday,1"], "line 2: `yesterday` is no time"),
    ],
)
def test_a_wrong_cell_is_named(path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_series(rows(path, *lines), "t", "v")


def test_a_wrong_column_gives_those_that_are_there(path: Path) -> None:
    with pytest.raises(UsageError, match="The columns are: time, count"):
        read_series(rows(path, "0,1", head="time,count"), "t", "count")


def test_a_file_without_rows_is_no_series(path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no rows"):
        read_series(rows(path), "t", "v")
    with pytest.raises(UnreadableFileError, match="header"):
        read_series(rows(path, "0"), "t", "v")
    with pytest.raises(UnreadableFileError, match="cannot read"):
        read_series(path.with_name("none.csv"), "t", "v")


def test_other_delimiters_and_marks_are_read(path: Path) -> None:
    path.write_bytes("\ufeffZeit;Anzahl\n0;1\n300;2\n".encode())
    assert read_series(path, "Zeit", "Anzahl").counts.tolist() == [1, 2]


def test_rows_are_written_as_they_came(path: Path, tmp_path: Path) -> None:
    series = read_series(rows(path, "600,3", "0,1", "0,1", "300,"), "t", "v")
    nan = math.nan
    columns = {
        "score": np.array([0.0, 0.5, 1.5]),
        "expected": np.array([nan, 2.0, 2.5]),
        "lower": np.array([nan, 1.0, 1.0]),
        "upper": np.array([nan, 4.0, 5.0]),
        "return_days": np.array([nan, nan, 12.5]),
    }
    out = tmp_path / "out.csv"
    write_scores(series, columns, [0], ("t", "v"), out)
    read = list(csv.reader(out.read_text().splitlines()))
    assert read[0] == ["t", "v", *ADDED]
    assert read[1] == ["600", "3", "1.5", "0", "2.5", "1", "5", "12.5"]
    assert [row[3] for row in read[1:]] == ["0", "0", "1", "0"]
    assert read[4] == ["300", "", "0.5", "0", "2", "1", "4", ""]
