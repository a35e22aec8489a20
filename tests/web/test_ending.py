"""A server that was told to end does so in time."""

from __future__ import annotations

import subprocess
import sys

_WAITS = """
import logging, threading
from groundswell.web.ending import Deadline
logging.basicConfig()
deadline = Deadline(0.05)
deadline.begin()
deadline.begin()
threading.Thread(target=threading.Event().wait, name="the watch").start()
"""
_ENDS = """
import time
from groundswell.web.ending import Deadline
deadline = Deadline(0.05)
deadline.begin()
deadline.keep()
time.sleep(0.2)
print("ended in order")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_what_does_not_end_is_ended_and_said() -> None:
    done = run(_WAITS)
    assert done.returncode == 0
    assert "still at work: " in done.stderr
    assert "the watch" in done.stderr


def test_what_ends_in_order_is_left_alone() -> None:
    done = run(_ENDS)
    assert (done.returncode, done.stdout.strip()) == (0, "ended in order"), done.stderr
