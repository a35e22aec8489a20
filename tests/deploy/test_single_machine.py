"""One machine: units that are hardened, a backup that is a home, a proxy that keeps strangers out."""

from __future__ import annotations

import base64
import configparser
import hashlib
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from tests.deploy.conftest import DEPLOY
from tests.services.process import ServerProcess, accepts, free_port
from tests.web.conftest import Served
from websockets.sync.client import connect

from groundswell.desk import open_desk, tokens
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings

UNITS = DEPLOY / "systemd"


def unit(name: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # a kill at that place
    found.read(UNITS / name)
    return found


def test_the_service_may_write_its_data_and_nothing_else() -> None:
    service = unit("groundswell.service")["Service"]
    assert service["User"] == "groundswell"
    assert (service["ProtectSystem"], service["ProtectHome"], service["NoNewPrivileges"]) == ("strict", "yes", "yes")
    assert service["CapabilityBoundingSet"] == ""
    assert "MemoryDenyWriteExecute" not in service, "compiled kernels would not load"
    assert service["ExecStart"].split()[0].startswith("/opt/groundswell/bin/")
    text = (UNITS / "groundswell.service").read_text(encoding="utf-8")
    home = re.search(r"GROUNDSWELL_HOME=(\S+)", text)
    assert home is not None
    assert home[1].startswith(f"/var/lib/{service['StateDirectory']}/")


def test_a_backup_is_taken_of_a_stopped_service_and_can_be_opened(
    tmp_path: Path, settings: Settings, make_posts: Callable[..., pa.Table]
) -> None:
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not installed")
    with open_desk(settings):
        pass
    lake = Lake.open(settings)
    lake.append("posts", make_posts([{"post_id": "1", "text": "shoe"}]))
    (settings.home / "tmp").mkdir(exist_ok=True)
    (settings.home / "tmp" / "scratch").write_text("x")
    heard = tmp_path / "heard"
    control = tmp_path / "systemctl"
    control.write_text(f'#!/bin/sh\necho "$@" >> {heard}\n')
    control.chmod(0o755)
    to = tmp_path / "backup"
    environment = {
        **os.environ,
        "GROUNDSWELL_HOME": str(settings.home),
        "BACKUP_TO": str(to),
        "SYSTEMCTL": str(control),
    }
    for _ in range(2):
        subprocess.run([UNITS / "backup.sh"], env=environment, check=True, capture_output=True)
    assert heard.read_text().splitlines()[:3] == [
        "is-active --quiet groundswell.service",
        "stop groundswell.service",
        "start groundswell.service",
    ]
    restored = load_settings(home=to)
    assert Lake.open(restored).count() == 1
    assert not (to / "tmp").exists()


class Proxy:
    """Nginx with our file, on ports and with paths of the test."""

    def __init__(self, folder: Path, upstream: int, token: str) -> None:
        self.port, self._plain = free_port(), free_port()
        key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        names = [
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            f"{folder}/key.pem",
            "-out",
            f"{folder}/cert.pem",
        ]
        subprocess.run([*key, *names], check=True, capture_output=True)
        hashed = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()  # noqa: S324 - a form that nginx knows
        (folder / "htpasswd").write_text(f"maya:{{SHA}}{hashed}\n")
        (folder / "token").write_text(f'set $groundswell_token "{token}";\n')
        text = (DEPLOY / "nginx" / "groundswell.conf").read_text(encoding="utf-8")
        for before, after in {
            "/etc/letsencrypt/live/groundswell.example.org/fullchain.pem": str(folder / "cert.pem"),
            "/etc/letsencrypt/live/groundswell.example.org/privkey.pem": str(folder / "key.pem"),
            "/etc/nginx/groundswell.htpasswd": str(folder / "htpasswd"),
            "/etc/nginx/groundswell.token": str(folder / "token"),
            "127.0.0.1:8765": f"127.0.0.1:{upstream}",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "listen 80;": f"listen 127.0.0.1:{self._plain};",
            "groundswell.example.org": "localhost",
            # The tests' port is not that of https.
            "Host              $host;": "Host              $http_host;",
        }.items():
            assert before in text, before
            text = text.replace(before, after)
        text = re.sub(r"^\s*listen \[::\].*$", "", text, flags=re.M)
        temporary = "".join(
            f"{one}_temp_path {folder}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}{text}\n}}\n"
        )
        command = [str(shutil.which("nginx")), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        self.process = ServerProcess(command, folder / "log", lambda: accepts(self.port))
        self.trust = ssl.create_default_context(cafile=str(folder / "cert.pem"))


@pytest.fixture
def proxy(tmp_path: Path, served: Served) -> Iterator[Proxy]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    with served.services.desk.session() as session:
        secret, _ = tokens.create(session, "proxy")
    folder = tmp_path / "nginx"
    folder.mkdir()
    found = Proxy(folder, served.port, secret)
    found.process.start()
    yield found
    found.process.stop()


@pytest.mark.service
def test_behind_the_proxy_only_who_has_logged_in_or_has_a_token_gets_anything(proxy: Proxy, served: Served) -> None:
    with served.services.desk.session() as session:
        own, _ = tokens.create(session, "collector")
    base = f"https://localhost:{proxy.port}"
    elsewhere = {"X-Forwarded-For": "127.0.0.1"}  # a stranger who pretends to be this machine
    with httpx.Client(base_url=base, verify=proxy.trust, timeout=20) as client:

        def status(path: str, **more: Any) -> int:
            return client.get(path, **more).status_code

        login = ("maya", "secret")
        assert status("/api/v1/status") == 401
        assert status("/api/v1/status", headers=elsewhere) == 401
        assert status("/api/v1/status", auth=("maya", "wrong")) == 401
        assert status("/api/v1/status", auth=login) == 200
        assert status("/", auth=login) == 200
        assert status("/api/v1/status", headers={"Authorization": f"Bearer {own}"}) == 200
        assert status("/metrics", auth=login) == 404
        made = client.post("/api/v1/trackers", json={"name": "a", "query": "a"}, headers={"Origin": base}, auth=login)
        assert made.status_code == 201
        foreign = client.post(
            "/api/v1/trackers", json={"name": "b", "query": "b"}, headers={"Origin": "https://evil"}, auth=login
        )
        assert foreign.status_code == 403
    basic = base64.b64encode(b"maya:secret").decode()
    address = f"wss://localhost:{proxy.port}/api/v1/live?after=0"
    with connect(address, ssl=proxy.trust, additional_headers={"Authorization": f"Basic {basic}"}) as line:
        assert "tracker" in str(line.recv(timeout=20))


def test_who_comes_through_a_proxy_from_elsewhere_needs_a_token(served: Served) -> None:
    with served.services.desk.session() as session:
        secret, _ = tokens.create(session, "proxy")

    def status(forwarded: str, **headers: str) -> int:
        return served.client.get("/status", headers={"X-Forwarded-For": forwarded, **headers}).status_code

    assert status("203.0.113.9") == 401
    assert status("127.0.0.1, 203.0.113.9") == 401
    assert status("203.0.113.9", Authorization="Bearer made-up") == 401
    assert status("203.0.113.9", Authorization=f"Bearer {secret}") == 200
