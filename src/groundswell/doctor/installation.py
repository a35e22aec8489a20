"""Checks of the machine: Python, packages, settings, disk, clock, and the optional programs."""

from __future__ import annotations

import difflib
import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from groundswell import __version__
from groundswell.doctor.finding import Finding, fail, ok, warn
from groundswell.settings import ENV_FILE, PREFIX, Settings

_LEAST_PYTHON: Final = (3, 11)
_LEAST_FREE: Final = 2 << 30
_LEAST_JAVA: Final = 17
_REQUIREMENT: Final = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?(?:.*?>=\s*(?P<least>[\d.]+))?")
#: Not settings: set by the project's own tests and tools, and the secrets of channels.
_NOT_SETTINGS: Final = (f"{PREFIX}TEST_", f"{PREFIX}SECRET_")


def python(_: Settings) -> Finding:
    """The interpreter is new enough."""
    found = f"Python {platform.python_version()}, Groundswell {__version__}, {os.cpu_count()} cores"
    if sys.version_info[:2] < _LEAST_PYTHON:
        return fail("python", found, "install Python 3.11 or newer")
    return ok("python", found)


def packages(_: Settings) -> Finding:
    """Everything that Groundswell depends on is installed, new enough."""
    try:
        required = [line for line in metadata.requires("groundswell") or [] if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        return warn("packages", "Groundswell runs from a folder, not installed", "run `make setup` or `pip install .`")
    missing = [problem for line in required if (problem := _lacks(line))]
    if missing:
        return fail("packages", "; ".join(missing), "run `make setup`, or `pip install --upgrade groundswell`")
    return ok("packages", f"all {len(required)} are installed")


def settings_known(_: Settings) -> Finding:
    """No variable of ours is misspelt: an unknown one would be ignored silently."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    unknown = [name for name in sorted(os.environ) if name.startswith(PREFIX) and not name.startswith(_NOT_SETTINGS)]
    unknown = [name for name in unknown if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        return warn("settings", f"not a setting: {', '.join(unknown)}", f"{guess}`groundswell config` lists all")
    file = Path(ENV_FILE).absolute()
    return ok("settings", f"valid; {ENV_FILE} {'read from ' + str(file.parent) if file.is_file() else 'not used'}")


def home(settings: Settings) -> Finding:
    """The home can be written and its disk has room."""
    folder = settings.home.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return fail("home", f"{existing} is not a folder", "set GROUNDSWELL_HOME to a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        return fail("home", f"{existing} is not writable", "give yourself the right, or set GROUNDSWELL_HOME")
    free = shutil.disk_usage(existing).free
    where = f"{folder}{'' if folder.exists() else ' (made at the first use)'}, {free / 1e9:,.1f} GB free"
    if free < _LEAST_FREE:
        return warn("home", where, "free some space, or move the home to a larger disk")
    return ok("home", where)


def clock(_: Settings) -> Finding:
    """The clock is plausible: event times are compared with it."""
    now = datetime.now(UTC)
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC, local zone {now.astimezone().tzname()}"
    program = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < program:
        return fail("clock", f"{shown}: before this program was installed", "set the clock of this machine")
    return ok("clock", shown)


def spark(settings: Settings) -> Finding:
    """PySpark and Java are there; needed only when the engine is Spark."""
    needed = settings.engine != "duckdb"
    problem = fail if needed else warn
    use = "" if needed else " (optional, for GROUNDSWELL_ENGINE=local[2] or spark://…)"
    try:
        version = metadata.version("pyspark")
    except metadata.PackageNotFoundError:
        return problem("spark", f"PySpark is not installed{use}", "pip install 'groundswell[spark]'")
    java = _java()
    if java is None:
        return problem("spark", f"PySpark {version}, but no Java{use}", "install Java 17 or newer, or set JAVA_HOME")
    if java < _LEAST_JAVA:
        return problem("spark", f"PySpark {version} needs Java 17, found {java}{use}", "install Java 17 or newer")
    return ok("spark", f"PySpark {version}, Java {java}{use}")


def node(_: Settings) -> Finding:
    """Node, which only builds the page."""
    found = shutil.which("node")
    return ok(
        "node", f"{found} (optional, builds the page)" if found else "not found (optional: `make setup` brings one)"
    )


def chromium(_: Settings) -> Finding:
    """A browser for the browser tests."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if (path := shutil.which(name))), None)
    return ok("chromium", f"{found or 'not found'} (optional, for browser tests and screenshots)")


def _lacks(requirement: str) -> str | None:
    match = _REQUIREMENT.match(requirement)
    if match is None:
        return None
    try:
        found = metadata.version(match["name"])
    except metadata.PackageNotFoundError:
        return f"{match['name']} is not installed"
    least = match["least"]
    return f"{match['name']} {found} is older than {least}" if least and _numbers(found) < _numbers(least) else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3])


def _java() -> int | None:
    """Major version of the Java that Spark would start; null if there is none."""
    own = os.environ.get("JAVA_HOME")
    program = shutil.which(str(Path(own) / "bin" / "java")) if own else shutil.which("java")
    if program is None:
        return None
    try:
        # Java prints its version on stderr.
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False).stderr  # noqa: S603 - the program that was found on the path
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(match[1]) if match else None
