from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from groundswell.errors import UnavailableError
from groundswell.importing import Options
from groundswell.importing import estimate as module
from groundswell.importing.choice import Chooser
from groundswell.importing.estimate import Estimate, estimate
from groundswell.importing.part import Part
from groundswell.platforms import registry
from groundswell.sources.files import find_files

ROWS = 30_000


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", 1_000)
    monkeypatch.setattr(module, "LARGE", 1_000)


def posts() -> bytes:
    rows = ({"id": f"p{n}", "text": f"post {n} about {n * n % 977}", "created_at": "2024-01-02"} for n in range(ROWS))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def of(workshop: Any, path: Path, **options: Any) -> Estimate:
    chooser = Chooser.for_options(registry(), Options(**options))
    found = estimate(find_files([str(path)], path.parent), chooser, workshop.lake, workshop.engine, workshop.settings)
    assert found is not None
    return found


@pytest.mark.parametrize("pack", ["plain", "gz", "zip"])
def test_rows_are_told_from_the_beginning(pack: str, workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "posts"
    if pack == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.ndjson", posts())
    else:
        path.write_bytes(gzip.compress(posts()) if pack == "gz" else posts())
    found = of(workshop, path)
    assert found.rows == pytest.approx(ROWS, rel=0.1)
    assert (found.seconds or 0) > 0
    assert (found.disk or 0) > 100_000
    assert "rows" in found.sentence
    assert list(workshop.settings.tmp_path.glob("estimate-*")) == []


def test_a_table_is_estimated_too_and_a_part_takes_less_disk(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text,created_at\n" + "".join(f"{n},post number {n},2024-01-02\n" for n in range(ROWS)))
    whole, part = of(workshop, path, raw=False), of(workshop, path, raw=False, part=Part.of(sample="1%"))
    assert whole.rows == pytest.approx(ROWS, rel=0.1)
    assert whole.disk is not None
    assert part.disk is not None
    assert part.disk < whole.disk / 4


def test_what_cannot_be_read_is_not_guessed(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(5_000))
    found = of(workshop, path)
    assert (found.rows, found.disk) == (None, None)
    found.check()


def test_small_imports_are_not_estimated(workshop: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("{}")
    chooser = Chooser.for_options(registry(), Options())
    files = find_files([str(tmp_path / "a")], tmp_path)
    assert estimate(files, chooser, workshop.lake, workshop.engine, workshop.settings) is None


def test_a_disk_that_is_too_small_is_said() -> None:
    with pytest.raises(UnavailableError, match=r"needs about 12\.0 GB of disk, and 3\.0 GB are free.*--force"):
        Estimate(1, 50 * 10**9, 10**7, 600.0, 12 * 10**9, 3 * 10**9, 1_000).check()
    Estimate(1, 50 * 10**9, 10**7, 600.0, 12 * 10**9, None, 1_000).check()
