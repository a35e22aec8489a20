"""The reference is the code: it is up to date, and nothing a person can use is missing from it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from groundswell.documents import DOCUMENTS
from groundswell.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def make_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(make_docs: ModuleType) -> None:
    assert [str(path) for path in make_docs.stale()] == [], "run `make docs`"


def test_every_command_option_and_setting_has_a_meaning(make_docs: ModuleType) -> None:
    bare = []
    for words, command in make_docs.commands().items():
        bare += [] if command.help else [words]
        bare += [f"{words} {p.name}" for p in command.params if not p.help]
    bare += [name for name, field in Settings.model_fields.items() if not field.description]
    assert bare == []


def test_every_verb_that_prints_json_has_a_schema(make_docs: ModuleType) -> None:
    prints = {
        words for words, command in make_docs.commands().items() if any("--json" in p.opts for p in command.params)
    }
    assert prints - set(DOCUMENTS) == set(), "add its document to groundswell.documents"
    assert set(DOCUMENTS) - prints == set()


def test_every_document_is_explained(make_docs: ModuleType) -> None:
    told = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert [verb for verb in DOCUMENTS if make_docs.file_of(verb) not in told] == []


def test_links_between_our_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / unquote(target)).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_commands_in_the_documents_exist(make_docs: ModuleType) -> None:
    known = set(make_docs.commands())
    groups = {words.split()[0] for words in known if " " in words}
    wrong = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for verb, second in re.findall(r"^(?:\$ )?groundswell ([a-z]+)(?: ([a-z]+))?", page.read_text("utf-8"), re.M):
            words = f"{verb} {second}" if verb in groups else verb
            wrong += [] if words in known else [f"{page.name}: groundswell {words}"]
    assert wrong == []
