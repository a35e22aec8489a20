"""The image is built on a plain Debian and runs: everything that the Dockerfile says, without a container engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.conftest import wait_until
from tests.deploy.conftest import ROOT
from tests.services.built import alone, cache
from tests.services.process import free_port

pytestmark = [pytest.mark.soak, pytest.mark.service, pytest.mark.timeout(3600)]

SUITE: Final = "bookworm"


def call(*command: str | Path, **more: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def base() -> Path:
    """A plain Debian with Python, as a folder that is kept."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None or shutil.which("buildah") is None:
        pytest.skip("needs root, buildah and debootstrap: apt install buildah debootstrap")
    folder = cache() / f"debian-{SUITE}"
    with alone(folder.name):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            # Without one debootstrap takes its own.
            mirror = os.environ.get("GROUNDSWELL_TEST_MIRROR", "").split()
            packages = "--include=python3,python3-venv,ca-certificates"
            call("debootstrap", "--variant=minbase", packages, SUITE, partial, *mirror)
            partial.rename(folder)
    return folder


class Buildah:
    """Buildah with a storage of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage = ("--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs")

    def __call__(self, *arguments: str | Path) -> str:
        return call("buildah", *self._storage, *arguments).strip()

    def start(self, container: str, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        command = ["buildah", *map(str, self._storage), "run", "--isolation", "chroot", *arguments[:-2]]
        with log.open("wb") as out:
            return subprocess.Popen(
                [*command, container, "--", *arguments[-2:]], stdout=out, stderr=out, start_new_session=True
            )


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Iterator[Buildah]:
    """The image `localhost/groundswell`, built with the package registry that this machine uses."""
    folder = tmp_path_factory.mktemp("image")
    made = Buildah(folder)
    context = folder / "context"
    for name in ("requirements", "deploy"):
        shutil.copytree(ROOT / name, context / name)
    (context / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "sbom.py", context / "scripts")
    call(ROOT / ".venv" / "bin" / "python", "-m", "hatchling", "build", "-t", "wheel", "-d", context / "dist")
    container = made("from", "scratch")
    made("add", "--quiet", container, base, "/")
    made("commit", "--quiet", container, "localhost/base")
    made("rm", container)
    secret = folder / "pip.conf"
    listed = call(ROOT / ".venv" / "bin" / "pip", "config", "list")
    wanted = ("index-url", "extra-index-url", "find-links", "trusted-host")
    lines = [line.partition("=") for line in listed.splitlines()]
    said = {name.rpartition(".")[2]: value.strip("'") for name, _, value in lines}
    secret.write_text("[global]\n" + "".join(f"{name} = {said[name]}\n" for name in wanted if name in said))
    made(
        *("bud", "--isolation", "chroot", "--format", "docker", "--network", "host", "--target", "groundswell"),
        *("--build-arg", "BASE=localhost/base", "--secret", f"id=pip,src={secret}"),
        *("-v", "/etc/ssl/certs:/etc/ssl/certs:ro", "-f", context / "deploy" / "Dockerfile"),
        *("-t", "localhost/groundswell", context),
    )
    yield made
    shutil.rmtree(folder, ignore_errors=True)


def test_the_image_serves_as_nobody_and_says_how_it_is(buildah: Buildah, tmp_path: Path) -> None:
    container = buildah("from", "localhost/groundswell")
    run = ("run", "--isolation", "chroot", container, "--")
    python = "/opt/groundswell/bin/python"
    who = buildah(
        *run, python, "-c", "import os; print(os.getuid(), os.access('/opt', os.W_OK), os.access('/data', os.W_OK))"
    )
    assert who == "10001 False True"
    parts = json.loads(buildah(*run, "cat", "/opt/groundswell/sbom.cdx.json"))
    assert len(parts["components"]) > 50
    port = free_port()
    server = buildah.start(container, tmp_path / "log", "-e", f"GROUNDSWELL_PORT={port}", "groundswell", "serve")
    try:
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{address}/api/v1/health").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, 120, what="the server in the container")
        assert "<title>" in httpx.get(address).text
        port_is = ("-e", f"GROUNDSWELL_PORT={port}")
        buildah("run", "--isolation", "chroot", *port_is, container, "--", python, "/opt/groundswell/health.py")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def test_the_image_names_no_registry_of_the_machine_that_built_it(buildah: Buildah) -> None:
    told = buildah("inspect", "--type", "image", "localhost/groundswell")
    assert "PIP_" not in told
    assert "index-url" not in told
    config = json.loads(told)["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
