"""`detect` runs the kernel over a file."""

from __future__ import annotations

import csv
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.documents.watch import DetectDocument
from groundswell.testing.counts import PER_DAY, quiet_counts

Run = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    counts = quiet_counts(30.0, None, 1, 10, np.random.default_rng(1))[:, 1]
    counts[9 * PER_DAY : 9 * PER_DAY + 6] = 400
    path = tmp_path / "series.csv"
    lines = "".join(f"{1_728_259_200 + 300 * n},{count:.0f}\n" for n, count in enumerate(counts))
    path.write_text("timestamp,value\n" + lines)
    return path


def test_json_is_one_document_of_the_published_form(cli: Run, file: Path) -> None:
    ran = cli("detect", file, "--out", "out.csv", "--json")
    assert ran.code == 0
    DetectDocument.model_validate(ran.document)
    assert ran.document["windows_s"] == [300, 900, 3600]
    assert ran.document["alerts"][-1]["opened_at"] == "2024-10-16T00:00:00Z"


def test_rows_keep_their_order_and_get_six_columns(cli: Run, file: Path, tmp_path: Path) -> None:
    ran = cli("detect", file, "--timestamp", "timestamp", "--value", "value", "--out", tmp_path / "out.csv")
    assert ran.code == 0
    read = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert len(read) == 10 * PER_DAY
    assert list(read[0]) == ["timestamp", "value", "score", "alert", "expected", "lower", "upper", "return_period"]
    assert read[9 * PER_DAY]["alert"] == "1"
    assert float(read[9 * PER_DAY]["return_period"]) > 30
    assert float(read[9 * PER_DAY]["lower"]) < float(read[9 * PER_DAY]["expected"]) < float(read[9 * PER_DAY]["upper"])
    assert all(np.isfinite(float(row["score"])) for row in read)


def test_the_picture_is_a_png(cli: Run, file: Path, tmp_path: Path) -> None:
    assert cli("detect", file, "--plot", tmp_path / "out.png").code == 0
    data = (tmp_path / "out.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    length = struct.unpack(">I", data[33:37])[0]
    pixels = np.frombuffer(zlib.decompress(data[41 : 41 + length]), np.uint8).reshape(height, 1 + 3 * width)[:, 1:]
    colours = {tuple(pixel) for pixel in pixels.reshape(-1, 3)[::7].tolist()}
    assert {(33, 102, 172), (198, 219, 239), (214, 96, 20)} <= colours


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--value", "count"), "no column `count`"),
        (("--country", "XX"), "no public holidays are known of the country 'XX'"),
        (("--tz", "Mars"), "no time zone `Mars`"),
    ],
)
def test_what_is_wrong_is_said(cli: Run, file: Path, words: tuple[str, ...], said: str) -> None:
    ran = cli("detect", file, *words)
    assert ran.code == 2
    assert said in ran.err


def test_a_short_series_is_written_without_alerts(cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("timestamp,value\n0,1\n300,2\n")
    ran = cli("detect", path, "--out", "out.csv", "--plot", "out.png", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["scored"] == 0
