"""The verbs on Spark: the same documents, and not a word of Java on stdout or stderr."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from groundswell.documents import DOCUMENTS
from groundswell.simulate import Scenario, write

pytestmark = [pytest.mark.spark, pytest.mark.service]

Verb = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def verb(tmp_path: Path) -> Verb:
    """Runs a verb in a process of its own: Java would write past whatever replaces its parent's stdout."""
    environment = os.environ | {"GROUNDSWELL_ENGINE": "local[2]", "GROUNDSWELL_THREADS": "2", "COLUMNS": "200"}

    def run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "groundswell"), *map(str, words)]
        return subprocess.run(
            command, env=environment | more, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
        )

    return run


def test_import_posts_and_trends_print_only_what_they_found(verb: Verb, tmp_path: Path) -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("needs PySpark and Java")
    file = tmp_path / "posts.ndjson"
    write(Scenario(posts=600, days=4, seed=2), file)
    found = verb("import", file)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
    file_line, sums = found.stderr.splitlines()
    assert file_line.endswith("tiktok.nested (600)")
    assert sums.startswith("600 read: 600 stored, 0 known")
    for words in (("posts", "-n", "5"), ("trends",)):
        shown = verb(*words, "--json")
        assert (shown.returncode, shown.stderr) == (0, "")
        document = DOCUMENTS[words[0]].model_validate_json(shown.stdout, strict=True).model_dump()
        assert document["items"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "posts.ndjson", "posts.ndjson.truth.json"]


def test_without_java_a_verb_says_what_is_missing(verb: Verb, tmp_path: Path) -> None:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("needs PySpark")
    said = verb("posts", JAVA_HOME=str(tmp_path / "no-java"))
    assert (said.returncode, said.stdout) == (1, "")
    first, hint = said.stderr.splitlines()
    assert first.startswith(f"error: Spark does not start: {tmp_path / 'no-java'}/bin/java: No such file")
    assert hint.strip().startswith("It needs Java 17 or newer")
