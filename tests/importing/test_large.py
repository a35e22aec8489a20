"""What is too large to be held: a document of gigabytes, a line of a gigabyte; both in bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from groundswell.lake import Lake
from groundswell.settings import load_settings

pytestmark = [pytest.mark.soak, pytest.mark.service, pytest.mark.timeout(1_800)]

GIB = 1 << 30


def imported(file: Path, home: Path) -> tuple[dict[str, Any], int]:
    """The document of an import in another process, and the peak memory of that process, bytes."""
    environment = {**os.environ, "GROUNDSWELL_HOME": str(home), "GROUNDSWELL_THREADS": "2"}
    command = [str(Path(sys.executable).parent / "groundswell"), "import", "--json", "--no-index", str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        seen = psutil.Process(process.pid)
        while not done.wait(0.05):
            try:
                peak = max(peak, seen.memory_info().rss)
            except psutil.Error:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = process.communicate()
    done.set()
    watcher.join()
    assert process.returncode == 0
    return json.loads(out), peak


def test_a_document_of_two_gigabytes_streams(tmp_path: Path) -> None:
    file = tmp_path / "videos.json"
    count = 0
    with file.open("w") as out:
        out.write('{"videos": [')
        while out.tell() < 2 * 10**9:
            for _ in range(1_000):
                item = {"id": str(count), "text": f"post {count} " + "word " * 400, "createTime": "1642515300"}
                out.write((",\n" if count else "") + json.dumps({"authorInfos": {}, "itemInfos": item}))
                count += 1
        out.write("]}")
    done, peak = imported(file, tmp_path / "home")
    assert (done["read"], done["stored"]) == (count, count)
    assert peak <= GIB


def test_a_line_of_a_gigabyte_is_held_by_its_place_and_hash(tmp_path: Path) -> None:
    file = tmp_path / "in.ndjson"
    item = {"id": "1", "text": "a post", "createTime": "1642515300"}
    line = json.dumps({"authorInfos": {}, "itemInfos": item}).encode() + b"\n"
    digest = hashlib.sha256()
    with file.open("wb") as out:
        out.write(line)
        for part in (b'{"itemInfos": {"text": "', *[b"x" * (1 << 20)] * 1_000, b'"}}'):
            out.write(part)
            digest.update(part)
        out.write(b"\n" + line.replace(b'"1"', b'"2"'))
    done, peak = imported(file, tmp_path / "home")
    assert (done["stored"], done["rejected"]) == (2, 1)
    assert peak <= GIB
    (row,) = Lake.open(load_settings(home=tmp_path / "home")).read("quarantine").to_pylist()
    assert row["origin_offset"] == len(line)
    assert row["raw_bytes"] == 1_000 * (1 << 20) + 27
    assert row["raw_sha256"] == digest.hexdigest()
    assert len(row["raw"]) == 64 << 10
