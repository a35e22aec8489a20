"""The NAB score of `groundswell detect` with default settings on real Twitter volumes.

    python benchmarks/nab.py [--sensitivity] [--series FOLDER --windows FILE --tools FOLDER]

Oracle: the score with the one best threshold over all series. Label-free: the alerts as raised. Both of the three
profiles of the Numenta Anomaly Benchmark (Lavin & Ahmad 2015): 0 never alerts, 100 is the perfect detector. The
labels are used by nothing but the scorer. With `--sensitivity` each constant of the kernel is halved and doubled,
all others as they are.

The series, their windows and the scorer `nabscore.py` are not part of this project: they are taken from the folder
`nab` of GROUNDSWELL_TEST_DATA and from `tools` beside it.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Any

from groundswell.watch.constants import CONSTANTS, Constants
from groundswell.watch.series import detect
from groundswell.watch.series_file import read_series, write_scores

PROFILES = ("standard", "low_FP", "low_FN")
GOALS = {"standard": (70.0, 62.0)}
KNOWN = (("Numenta HTM", 66.6), ("contextOSE", 66.5), ("Twitter ADVec", 65.5))


def scorer(tools: Path) -> Any:
    """The module `nabscore`."""
    path = tools / "nabscore.py"
    if not path.is_file():
        sys.exit(f"no scorer at {path}; set GROUNDSWELL_TEST_DATA to a folder beside `tools`, or give --tools")
    spec = importlib.util.spec_from_file_location("nabscore", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look for the module that they stand in.
    sys.modules["nabscore"] = module
    spec.loader.exec_module(module)
    return module


def by_command(series: Path, name: str, out: Path) -> None:
    """Score a series as a user would."""
    words = ["detect", series / name, "--timestamp", "timestamp", "--value", "value", "--out", out / name]
    command = [sys.executable, "-c", "from groundswell.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)


def with_constants(series: Path, name: str, out: Path, constants: Constants) -> None:
    """Score a series by other constants."""
    file = read_series(series / name, "timestamp", "value", UTC)
    found = detect(file.times_us, file.counts, 30.0, constants=constants)
    columns = {key: getattr(found, key) for key in ("score", "expected", "lower", "upper", "return_days")}
    write_scores(file, columns, [one.row for one in found.alerts], ("timestamp", "value"), out / name)


def shown(label: str, scores: dict[str, Any]) -> str:
    """One line of the table."""
    cells = "".join(f"{scores[one]['oracle']:>9.1f} {scores[one]['label_free']:>7.1f}" for one in PROFILES)
    return f"{label:<34}{cells}{scores['label_free_recall']:>9}{scores['label_free_fp_per_1k_rows']:>10.2f}"


def main() -> None:
    """Print the table."""
    data = Path(os.environ.get("GROUNDSWELL_TEST_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--series", type=Path, default=data / "nab")
    parser.add_argument("--windows", type=Path)
    parser.add_argument("--tools", type=Path, default=data.parent / "tools")
    parser.add_argument("--sensitivity", action="store_true")
    options = parser.parse_args()
    windows = options.windows or options.series / "windows.json"
    score = scorer(options.tools).main
    if not windows.is_file():
        sys.exit(f"no labels at {windows}; set GROUNDSWELL_TEST_DATA, or give --series and --windows")
    names = list(json.loads(windows.read_text()))
    rows = sum(len(list(csv.reader((options.series / name).read_text().splitlines()))) - 1 for name in names)
    print(f"{len(names)} series, {rows:,} rows; oracle and label-free score of each profile")
    print(f"{'':<34}{'standard':>17}{'low FP':>17}{'low FN':>17}{'found':>9}{'false/1k':>10}")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for name in names:
            by_command(options.series, name, out)
        found = score(str(windows), str(options.series), str(out))
        print(shown("groundswell detect", found), flush=True)
        for profile, (oracle, free) in GOALS.items():
            reached = found[profile]["oracle"] >= oracle and found[profile]["label_free"] >= free
            print(
                f"{'goal on the four series, ' + profile:<34}{oracle:>9.1f} {free:>7.1f}  {'yes' if reached else 'NO'}"
            )
        for peer, value in KNOWN:
            print(f"{peer + ' (published results)':<34}{value:>9.1f}")
        for field in Constants._fields if options.sensitivity else ():
            for factor, word in ((0.5, "halved"), (2.0, "doubled")):
                changed = CONSTANTS._replace(**{field: getattr(CONSTANTS, field) * factor})
                for name in names:
                    with_constants(options.series, name, out, changed)
                print(shown(f"{field} {word}", score(str(windows), str(options.series), str(out))), flush=True)


if __name__ == "__main__":
    main()
