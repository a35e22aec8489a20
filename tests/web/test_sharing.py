"""The server's process answers quickly and gives memory back."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CHECK = """
import os, sys, threading
import numpy as np
from groundswell.web.sharing import SWITCH_S, settle

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

settle()
import pyarrow as pa
assert pa.default_memory_pool().backend_name == "system"
assert not any(name.startswith("ARROW") for name in os.environ)
assert sys.getswitchinterval() == SWITCH_S

def work():
    # Large blocks with small ones between them that stay: the heap cannot shrink, mapped blocks go at once.
    large = [np.ones(1 << 18) for _ in range(50)]
    kept.append([bytes(1000) for _ in range(100)])
    del large

kept = []
before = resident()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((resident() - before) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_what_threads_needed_for_a_moment_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _CHECK], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 40  # 800 MiB were asked for


def test_a_watch_keeps_what_it_needs_again_in_few_places() -> None:
    code = "\n".join(
        [
            "import sys",
            "from groundswell.web.sharing import SWITCH_S, settle_for_streams",
            "settle_for_streams()",
            "import pyarrow as pa",
            "assert pa.default_memory_pool().backend_name == 'system'",
            "assert sys.getswitchinterval() > SWITCH_S",
        ]
    )
    subprocess.run([sys.executable, "-c", code], check=True)
