"""The whole demo, small and as fast as it can: what it says and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

GROUNDSWELL = str(Path(sys.executable).with_name("groundswell"))

pytestmark = pytest.mark.service


def test_once_ends_by_itself_and_says_what_was_found_of_six_events(tmp_path: Path) -> None:
    command = [GROUNDSWELL, "demo", "--once", "--speed", "max", "--posts", "150000", "--json", "--home"]
    done = subprocess.run([*command, str(tmp_path / "demo")], capture_output=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert [event["kind"] for event in said["events"]] == ["crisis", "buildup", "viral", "bots", "viral", "surge"]
    found = {event["kind"]: event["found"] for event in said["events"]}
    assert found["crisis"]
    assert found["bots"]
    assert not found["surge"]
    (unwatched,) = (event for event in said["events"] if event["query"] == "#pulsefest")
    # With so few posts it is some twenty in an hour: whether that is enough is not what is tested here.
    assert (unwatched["topic"] is not None) == unwatched["found"]
    assert unwatched["alert"] is None
    assert said["alerts"] == sum(event["alert"] is not None for event in said["events"]) + len(said["false_alarms"])
    assert said["surge_alarms"] == 0
    assert said["set_up"]["stored"] == said["set_up"]["posts"]
    assert b"tiktok.nested" in done.stderr


def test_the_page_is_served_while_the_stream_runs_and_ctrl_c_ends_it(
    tmp_path: Path, until: Callable[..., None]
) -> None:
    command = [GROUNDSWELL, "demo", "--no-browser", "--port", "0", "--posts", "20000", "--speed", "600x", "--home"]
    process = subprocess.Popen([*command, str(tmp_path / "demo")], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    said: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: said.extend(line.decode() for line in process.stderr or []))
    reader.start()
    try:
        until(lambda: any("the page is at" in line for line in said), seconds=120, what="the address")
        address = next(line for line in said if "the page is at" in line).split()[-1]

        def windows() -> int:
            with urllib.request.urlopen(f"{address}/api/v1/series?hours=12", timeout=10) as answer:  # noqa: S310 - our own server
                return sum(len(series["items"]) for series in json.load(answer)["items"])

        until(lambda: windows() > 20, seconds=60, what="closed windows on the page")
        process.send_signal(2)
        process.communicate(timeout=60)
    finally:
        process.kill()
        reader.join()
    assert process.returncode == 0, "".join(said)
