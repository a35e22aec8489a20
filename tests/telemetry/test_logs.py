"""Lines of the log: for people, or one JSON object a line with the names of the Elastic Common Schema."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from groundswell.telemetry import logs

BROKEN = "broken"

log = logging.getLogger("groundswell.test")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("groundswell")
    before = root.level, ours.level, list(root.handlers)
    yield
    root.setLevel(before[0])
    ours.setLevel(before[1])
    root.handlers[:] = before[2]


def test_a_line_of_json_has_the_names_of_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    log.warning("%d records\nin two lines", 3, extra={"fields": {"url.path": "/x"}})
    said = json.loads(capsys.readouterr().err)
    assert said["message"] == "3 records\nin two lines"
    assert (said["log.level"], said["log.logger"], said["url.path"]) == ("warning", "groundswell.test", "/x")
    assert datetime.fromisoformat(said["@timestamp"]).utcoffset() is not None
    assert {"ecs.version", "process.pid", "process.thread.name", "service.version"} <= set(said)


def test_an_error_has_its_type_and_where_it_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    try:
        raise ValueError(BROKEN)
    except ValueError:
        log.exception("it failed")
    said = json.loads(capsys.readouterr().err)
    assert (said["error.type"], said["error.message"]) == ("ValueError", "broken")
    assert "test_logs.py" in said["error.stack_trace"]


def test_lines_for_people_are_one_sentence_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    log.info("ready")
    assert capsys.readouterr().err.rstrip().endswith("INFO ready")


def test_the_level_is_that_of_our_lines_and_libraries_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "debug")
    log.debug("ours")
    logging.getLogger("uvicorn.error").info("theirs")
    logging.getLogger("uvicorn.error").warning("their warning")
    said = capsys.readouterr().err
    assert "ours" in said
    assert "theirs" not in said
    assert "their warning" in said


def test_configured_again_each_line_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    logs.configure("json")
    log.info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_a_verb_prints_becomes_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    stream = logs.sentences()
    stream.write("  first\nsec")
    stream.write("ond\n\n")
    said = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert said == ["first", "second"]
    assert not stream.isatty()
