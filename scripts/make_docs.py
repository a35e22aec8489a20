"""Make docs/reference and docs/schemas from the code; `--check` only says whether they are up to date."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import typer

from groundswell import errors, schema
from groundswell.cli import VERBS, load_verbs
from groundswell.cli.app import app
from groundswell.documents import DOCUMENTS, file_of, schema_of
from groundswell.origins import setting_origins
from groundswell.settings import ENV_FILE, load_settings

ROOT: Final = Path(__file__).resolve().parent.parent
NOTE: Final = "<!-- Made by scripts/make_docs.py from the code; `make docs` renews it. -->\n\n"


def commands() -> dict[str, Any]:
    """Every command by the words that call it (`watch add`), in alphabetical order."""
    load_verbs()
    root = typer.main.get_command(app)
    return dict(sorted(_walk(root, ())))


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield " ".join(words), command
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _walk(child, (*words, name))


def cli_page() -> str:
    """docs/reference/cli.md."""
    load_verbs()
    root = typer.main.get_command(app)
    parts = ["# Command line\n", _options(root)]
    for words, command in commands().items():
        name = f"groundswell {words}"
        usage = " ".join(command.collect_usage_pieces(typer.Context(command)))
        document = f"\n`--json`: [{file_of(words)}](../schemas/{file_of(words)})\n" if words in DOCUMENTS else ""
        text = _plain(command.help or "")
        parts.append(f"## {name}\n\n```\n{name} {usage}\n```\n\n{text}\n\n{_options(command)}{document}")
    return NOTE + "\n".join(parts)


def _options(command: Any) -> str:
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(typer.Context(command))
        if record is not None and "--help" not in parameter.opts:
            names = record[0].replace("|", r"\|")
            rows.append(f"| `{names}` | {_plain(record[1]).replace('|', chr(92) + '|')} |")
    return "\n".join(["| argument or option | meaning |", "| --- | --- |", *rows, ""]) if rows else ""


def _plain(text: str) -> str:
    return "\n".join(line.strip() for line in text.replace(r"\[", "[").strip().splitlines())


def settings_page() -> str:
    """docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        f"Each is an environment variable, or a line `NAME=value` in the file `{ENV_FILE}` of the working",
        "folder; the variable wins. `groundswell --home FOLDER …` wins over both. `groundswell config` shows what",
        "is in force and why.",
        "",
        "| variable | default | accepts | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for line in setting_origins(load_settings()):
        default = f"`{line.default}`" if line.default else "(empty)"
        lines.append(f"| `{line.variable}` | {default} | {line.accepts} | {line.meaning} |")
    return NOTE + "\n".join(lines) + "\n"


def schema_page() -> str:
    """docs/reference/schema.md."""
    lines = [
        "# Tables of the lake",
        "",
        f"Schema version {schema.SCHEMA_VERSION}. A missing value is null, never 0. Times are UTC with microseconds.",
        "Identifiers are text. A row of `posts` is an *observation*: a post as it was seen at `observed_at`.",
        "",
        f'The three are partitioned by {" and ".join(f"`{name}`" for name in schema.POSTS_PARTITION)}. "By" says who '
        "fills a column: the layout, or the import.",
    ]
    for name, fields in schema.FIELDS.items():
        lines += ["", f"## {name}", "", "| column | type | unit | by | meaning |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| `{f.name}` | {_type(f.type)} | {f.unit} | {f.filled_by} | {f.meaning} |" for f in fields]
    for name, table in (("quarantine", schema.QUARANTINE), ("ledger", schema.LEDGER)):
        lines += ["", f"## {name}", "", "| column | type | meaning |", "| --- | --- | --- |"]
        for column in table:
            meaning = (column.metadata or {}).get(b"meaning", b"").decode()
            lines.append(f"| `{column.name}` | {_type(column.type)} | {meaning} |")
    return NOTE + "\n".join(lines) + "\n"


def _type(kind: pa.DataType) -> str:
    return str(kind).replace("timestamp[us, tz=UTC]", "timestamp UTC").replace("item: ", "").replace("|", r"\|")


def errors_page() -> str:
    """docs/reference/errors.md."""
    lines = [
        "# Errors and exit codes",
        "",
        "An error says what went wrong, where, and what to do. On the command line it goes to stderr; the REST API",
        "sends it as a problem document (RFC 9457) with `hint`.",
        "",
        "| exit code | meaning |",
        "| --- | --- |",
        "| 0 | done; every record is accounted for (a rejected record is in quarantine, and no failure) |",
        "| 1 | failed: a file could not be read, a part is missing or in use, a check of `doctor` failed |",
        "| 2 | wrong usage: an unknown option, a wrong value, a query that does not parse |",
        "| 130 | stopped by Ctrl-C |",
        "",
        "| error | exit code | HTTP status | meaning |",
        "| --- | --- | --- | --- |",
    ]
    found: list[type[errors.GroundswellError]] = [errors.GroundswellError, *_subclasses(errors.GroundswellError)]
    for kind in sorted(found, key=lambda each: (each.exit_code, each.status, each.__name__)):
        first = (kind.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| {kind.__name__} | {kind.exit_code} | {kind.status} | {first} |")
    return NOTE + "\n".join(lines) + "\n"


def _subclasses(kind: type[errors.GroundswellError]) -> Iterator[type[errors.GroundswellError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _subclasses(child)


def api_page() -> str:
    """docs/reference/api.md."""
    from groundswell.web.app import create_app  # noqa: PLC0415 - the server's imports are slow and only needed here
    from groundswell.web.openapi import document_of  # noqa: PLC0415 - loads the server

    document = document_of(create_app(load_settings(), runner=False))
    lines = [
        "# REST API",
        "",
        "`groundswell serve` answers under `/api/v1`; `/api/v1/openapi.json` has every document with examples, and",
        "`groundswell openapi` prints it. Errors are problem documents (RFC 9457).",
        "",
        "| route | what it does |",
        "| --- | --- |",
    ]
    for path, operations in sorted(document["paths"].items()):
        for method, operation in operations.items():
            said = operation.get("description") or operation.get("summary", "")
            lines.append(f"| `{method.upper()} {path}` | {said.split(chr(10) * 2)[0].replace(chr(10), ' ')} |")
    lines.append("| `WebSocket /api/v1/live` | The page's live line: changes after `?after=`, as they happen. |")
    for path, operations in sorted(document["paths"].items()):
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    return NOTE + "\n".join(lines) + "\n"


def _operation(title: str, operation: dict[str, Any]) -> list[str]:
    lines = ["", f"## {title}", "", operation.get("description") or operation.get("summary", "")]
    parameters = operation.get("parameters", [])
    if parameters:
        lines += ["", "| parameter | in | meaning |", "| --- | --- | --- |"]
    for parameter in parameters:
        meaning = parameter.get("description") or parameter.get("schema", {}).get("description", "")
        lines.append(f"| `{parameter['name']}` | {parameter['in']} | {' '.join(meaning.split())} |")
    answers = [
        f"{code} {answer.get('description', '').rstrip('.')}".strip() for code, answer in operation["responses"].items()
    ]
    return [*lines, "", f"Answers: {'; '.join(answers)}"]


def layouts_page() -> str:
    """docs/reference/layouts.md."""
    from groundswell.platforms import registry  # noqa: PLC0415 - loads every layout

    lines = [
        "# Layouts",
        "",
        "A layout is recognised from the content; `--layout NAME` chooses one.",
        "",
        "| layout | version | record | what it is |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| `{e.id}` | {e.version} | {e.shape.value} | {e.description} |" for e in registry().layouts]
    return NOTE + "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    reference = Path("docs/reference")
    made = {
        reference / "cli.md": cli_page(),
        reference / "settings.md": settings_page(),
        reference / "schema.md": schema_page(),
        reference / "errors.md": errors_page(),
        reference / "api.md": api_page(),
        reference / "layouts.md": layouts_page(),
    }
    for verb in DOCUMENTS:
        path = Path("docs/schemas") / file_of(verb)
        made[path] = json.dumps(schema_of(verb), ensure_ascii=False, indent=2) + "\n"
    return made


def stale(root: Path = ROOT) -> list[Path]:
    """The generated files that differ from the code, and those that should no longer be there."""
    made = pages()
    different = [path for path, text in made.items() if not _holds(root / path, text)]
    kept = {root / path for path in made}
    left = [p for folder in ("docs/reference", "docs/schemas") for p in (root / folder).glob("*") if p not in kept]
    return different + [path.relative_to(root) for path in left]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main() -> int:
    """Write the files, or with --check list what is not up to date (exit code 1)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if something is stale")
    if parser.parse_args().check:
        found = stale()
        for path in found:
            sys.stderr.write(f"not up to date: {path}; run `make docs`\n")
        return 1 if found else 0
    old = stale()
    for path, text in pages().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    for path in old:
        if path not in pages():
            (ROOT / path).unlink()
    sys.stdout.write(f"{len(old)} files renewed, {len(VERBS)} verb modules\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
