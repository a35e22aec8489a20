"""The files of the containers agree with each other, with the repository and with the settings that there are."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.conftest import DEPLOY, ROOT, read_yaml
from tests.services.process import free_port
from tests.web.conftest import Served

from groundswell.settings import PREFIX, Settings, load_settings

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
#: Variables of the files around the program, not of the program.
AROUND = {
    "IMAGE",
    "IMAGE_SPARK",
    "IMAGE_AIRFLOW",
    "RAW",
    "SINCE",
    "COMMAND",
    "DAILY_CRON",
    "TOKEN",
    "LOGIN",
    "PASSWORD_HASH",
}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(DEPLOY / "compose.yaml")
    return found


def files_with_variables() -> list[Path]:
    ends = {".yaml", ".yml", ".env", ".service", ".timer", ".py", ".Caddyfile", ".conf", ".sh", ""}
    return [
        path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix in ends and "__pycache__" not in path.parts
    ]


def test_every_variable_is_a_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}{name}" for name in AROUND}
    wrong = {
        str(path.relative_to(ROOT)): sorted(names)
        for path in files_with_variables()
        if (names := set(re.findall(r"GROUNDSWELL_[A-Z0-9_]*[A-Z0-9]", path.read_text(encoding="utf-8"))) - known)
    }
    assert wrong == {}


def test_what_the_image_copies_is_there_and_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M)]
    for source in (one.replace("${LOCK}", "image.txt") for words in copied for one in words):
        assert any(
            source == path or source.startswith(f"{path}/") or fnmatch.fnmatch(source, path) for path in allowed
        ), source
        assert source.startswith("dist/") or (ROOT / source).exists(), source


def test_the_image_is_made_of_locks_that_name_every_hash() -> None:
    assert re.findall(r"pip install (?!--require-hashes|--no-deps --no-index)", DOCKERFILE) == []
    for name in ("image.txt", "image-spark.txt", "airflow.txt"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        packages = [number for number, line in enumerate(lines) if line and line[0].isalnum()]
        assert packages, name
        assert [lines[number] for number in packages if "--hash" not in lines[number + 1]] == [], name


def test_the_image_runs_as_nobody_in_particular_and_is_asked_how_it_is(settings: Settings) -> None:
    final = DOCKERFILE.split("AS groundswell\n", 1)[1].split("\nFROM", 1)[0]
    assert "USER 10001:10001" in final
    assert f"EXPOSE {settings.port}" in final
    assert "HEALTHCHECK" in final
    assert not re.search(r"^(ARG|ENV).*(INDEX|PROXY|TOKEN|PASSWORD)", DOCKERFILE, re.M | re.I)


def test_compose_starts_only_the_server_unless_the_rest_is_asked_for() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "full" not in service.get("profiles", [])] == ["serve"]
    assert set(services) == {"serve", "kafka", "postgres", "s3", "s3-bucket", "spark", "airflow"}
    stages = set(re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.M))
    volumes = set(compose()["volumes"])
    for name, service in services.items():
        target = service.get("build", {}).get("target")
        assert target is None or target in stages, name
        assert re.search(r":[^}/]+\}?$", service["image"]), name
        named = {volume.partition(":")[0] for volume in service.get("volumes", []) if not volume.startswith("$")}
        assert named <= volumes, name
        assert set(service.get("depends_on", {})) <= set(services), name


def test_our_containers_may_write_their_data_and_nothing_else() -> None:
    for name in ("serve", "spark", "airflow"):
        service = compose()["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name


def test_nothing_listens_beyond_this_machine() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert "0.0.0.0" not in text  # noqa: S104 - a text; nothing is bound to it
    assert not any("ports" in service for service in compose()["services"].values())


def test_the_settings_of_the_full_stack_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (DEPLOY / "full.env").read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.bus.startswith("kafka://")
    assert settings.desk.startswith("postgresql")
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert set(values) - asked == {"COMPOSE_PROFILES"}


def test_the_health_check_asks_the_server(served: Served) -> None:
    script = DEPLOY / "container" / "health.py"
    for port, code in ((served.port, 0), (free_port(), 1)):
        environment = {**os.environ, "GROUNDSWELL_PORT": str(port)}
        done = subprocess.run([sys.executable, script], env=environment, capture_output=True, check=False)
        assert done.returncode == code, done.stderr


def test_the_bill_of_materials_names_every_package() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "sbom.py"], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert (found["bomFormat"], found["metadata"]["component"]["name"]) == ("CycloneDX", "groundswell")
    purls = [part["purl"] for part in found["components"]]
    assert len(purls) == len(set(purls)) > 50
    assert any(purl.startswith("pkg:pypi/pyarrow@") for purl in purls)
