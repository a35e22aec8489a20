"""How fast the simulator writes, beside the limit: the same bytes written plainly.

    .venv/bin/python benchmarks/simulate.py [--posts 400000] [--folder DIR]

Prints posts/s and MB/s of making alone, of writing (plain, .gz, .zst), and of writing the same bytes already made.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from groundswell.simulate import Scenario, blocks, with_default_events, write


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=400_000)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; default: the temporary folder")
    given = parser.parse_args()
    scenario = with_default_events(Scenario(posts=given.posts, days=given.days))
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        size = sum(len(block) for block in blocks(scenario))
        print(f"{given.posts:,} posts, {size / 1e6:,.0f} MB ({size / given.posts:,.0f} bytes a post)\n")
        print(f"{'':28}{'seconds':>9}{'posts/s':>12}{'MB/s':>9}")
        _row("limit: plain write", scenario.posts, size, _plain(scenario, folder / "limit"))
        _row("make, 1 thread", scenario.posts, size, lambda: _drain(scenario, 1))
        _row("make, all cores", scenario.posts, size, lambda: _drain(scenario, None))
        for suffix in ("ndjson", "ndjson.zst", "ndjson.gz"):
            path = folder / f"posts.{suffix}"
            _row(f"simulate --out .{suffix}", scenario.posts, size, _writing(scenario, path))
            path.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory {peak:,.0f} MiB (the limit's block of bytes included)")


def _row(label: str, posts: int, size: int, work: Callable[[], None]) -> None:
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(f"{label:28}{seconds:>9.2f}{posts / seconds:>12,.0f}{size / seconds / 1e6:>9,.0f}")


def _drain(scenario: Scenario, workers: int | None) -> None:
    for _ in blocks(scenario, workers=workers):
        pass


def _writing(scenario: Scenario, path: Path) -> Callable[[], None]:
    return lambda: (write(scenario, path), None)[1]


def _plain(scenario: Scenario, path: Path) -> Callable[[], None]:
    """Write as many bytes as the scenario has, from a block that is made beforehand."""
    block = next(iter(blocks(scenario)))
    size = sum(len(piece) for piece in blocks(scenario))

    def work() -> None:
        left = size
        with path.open("wb") as file:
            while left > 0:
                left -= file.write(block[: min(left, len(block))])
        path.unlink()

    return work


if __name__ == "__main__":
    main()
