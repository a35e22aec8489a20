"""Make docs/layouts.md: what each layout reads, from the code, and what became of every row of the test data.

    layout_docs.py                  make the page
    layout_docs.py --check          say whether the part from the code is up to date
    layout_docs.py --check-data     say whether the part from the data is up to date (needs the data)

The data is the folder that GROUNDSWELL_TEST_DATA names (default ../shared/data); without it that part stays as it is.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import ibis

from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.importing import Options, import_paths
from groundswell.importing.refusals import UNKNOWN_LAYOUT
from groundswell.lake import Lake
from groundswell.platforms import Layout, Shape, registry
from groundswell.platforms.casts import filled_columns
from groundswell.platforms.generic.names import NAMES
from groundswell.schema import FIELDS
from groundswell.settings import load_settings

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "layouts.md"
DATA: Final = Path(os.environ.get("GROUNDSWELL_TEST_DATA", ROOT.parent / "shared" / "data"))
BEGIN: Final = "<!-- data: begin -->\n"
END: Final = "<!-- data: end -->\n"
HEAD: Final = """<!-- Made by scripts/layout_docs.py from the code and from the test data. -->

# Layouts: what is read from which record

A layout says how one kind of raw record becomes a post, a comment or an author. It is recognised from the content;
`--layout` names one. A record that holds others (an answer with `items`, a thread with its replies) is taken apart, and
each part goes its own way. A record of one kind among those of another is read by its own layout.

A cell that is absent or blank is null, never 0. A cell that cannot be read (`12.5` or `NaN` as a count) is null and
kept under `unread` in `extra`. A record is rejected, with its reason, only when nothing identifies it or when its
time is no time of the years 1990 to 2100. Counts and ids never pass through a float. What a layout leaves out of
`hashtags`, `mentions` and `urls` is read from the text. The fields are explained in
[the reference of the tables](reference/schema.md).

What is peculiar to a platform:

- **Shares, retweets, boosts**: the counters in a repeated post (retweet, boost) are those of the original or a 0 that
  nobody counted; they are null, and `extra` names the original.
- **Reddit**: a score may be negative. `metrics.score` has it as it is; `likes` has it where it is a count, else null.
- **YouTube**: a counter that the owner hides is absent and null, as is the audience of a channel that hides it. Search
  results and entries of playlists have no counters at all.
- **Bluesky**: a post's id is its `at://` address. A `createdAt` after the moment at which the network saw the post is
  not believed; the earlier of both counts. Likes, follows, deletions and news of accounts are ignored, each by name.
- **Mastodon**: a post's id is its `uri`, the same on every server; `extra.id` has the server's own number.
- **X**: an id that went through a float or a spreadsheet (`1.34E+18`) is none; the text is that of the whole tweet
  where the record has it.
"""
ABOUT_DATA: Final = """
## What became of every row of the test data

Made by importing the whole folder at once into an empty lake. *Rows in* are counted without Groundswell; rows in =
stored + known + rejected + ignored. *Known* is a row of the same post (the same id; where there is none, the same
author, time and text) with the same counters as an earlier one, also of another file.

"""
COLUMNS: Final = ("file", "rows in", "stored", "known", "rejected", "ignored", "layouts")


def page(data: str) -> str:
    """The whole page, with `data` as the part about the test data."""
    return HEAD + overview() + data + "".join(_section(layout) for layout in registry().layouts) + _names()


def overview() -> str:
    """All layouts at a glance."""
    lines = ["\n## All layouts\n\n| layout | gives | of |\n| --- | --- | --- |\n"]
    for layout in registry().layouts:
        lines.append(f"| [`{layout.id}`](#{layout.id.replace('.', '')}) | {layout.table} | {layout.description} |\n")
    return "".join(lines)


def _section(layout: Layout) -> str:
    filled = filled_columns(layout.posts(ibis.table(dict(layout.raw), name="raw")))
    fields = [f"`{field.name}`" for field in FIELDS[layout.table] if field.name in filled]
    what = "a row of a table, or a flat JSON object" if layout.shape is Shape.ROW else "a JSON object"
    lines = [f"\n### {layout.id}\n\nVersion {layout.version}; {layout.table}. A record is {what}."]
    if told := _recognised(layout):
        lines.append(f" It is known by this: {told}")
    if layout.unwraps:
        lines.append(" Records may stand under " + ", ".join(f"`{'.'.join(path)}`" for path in layout.unwraps) + ".")
    if layout.expand is not None:
        lines.append(" A record that holds others is taken apart.")
    lines.append(f"\n\nFills {', '.join(fields)}.\n")
    if layout.platform != "generic":
        read = [part for name, kind in layout.raw.items() for part in _leaves(name, ibis.dtype(kind))]
        lines.append(f"\nReads {', '.join(f'`{part}`' for part in read)}.\n")
    return "".join(lines)


def _recognised(layout: Layout) -> str:
    """What `matches` says that it looks at."""
    told = " ".join((layout.matches.__doc__ or "").split("\n\n")[0].split())
    return told.removeprefix("Whether ") if told.startswith("Whether ") else ""


def _leaves(name: str, kind: Any) -> list[str]:
    if kind.is_array():
        return _leaves(f"{name}[]", kind.value_type)
    if kind.is_struct():
        return [leaf for part, inner in kind.items() for leaf in _leaves(f"{name}.{part}", inner)]
    return [name]


def _names() -> str:
    lines = [
        "\n## Names that are guessed\n\nCase, accents and signs between words do not matter; the first that is there"
    ]
    lines.append(
        " wins, and `--map field=column` goes before all. `title` stands before the text.\n\n| field | columns |\n"
    )
    lines.append("| --- | --- |\n")
    lines += [f"| `{field}` | {', '.join(names.split())} |\n" for field, names in NAMES.items()]
    return "".join(lines)


def rows_in(path: Path) -> int | None:
    """How many records a file holds, counted without Groundswell; null for running text.

    A JSON document holds what stands in its array, a table its rows but the header. The texts that end in `.txt`
    are tables by tabs without a header.
    """
    if path.suffix == ".md" or path.name.startswith("LICENSE"):
        return None
    if path.suffix == ".json":
        return _in_document(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix in (".ndjson", ".txt"):
        return sum(bool(line.strip()) for line in path.read_bytes().splitlines())
    with path.open(encoding="latin-1", newline="") as file:
        if path.suffix == ".tsv":
            return sum(bool(line.strip()) for line in file) - 1
        return sum(bool(row) for row in csv.reader(file)) - 1


def _in_document(document: Any) -> int:
    if isinstance(document, list):
        return len(document)
    return next((len(document[key]) for key in ("items", "collector") if isinstance(document.get(key), list)), 1)


def imported() -> dict[str, Mapping[str, Any]]:
    """What became of each file of the test data, by its name; imported into a home that is gone afterwards.

    `details` of a file has what is said about the first record that was set aside for a reason.
    """
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(home=Path(home), tz="UTC", engine="duckdb")
        engine, lake = open_engine(settings), Lake.open(settings)
        try:
            with open_desk(settings) as desk:
                summary = import_paths([str(DATA)], Options(), lake, desk, engine, settings)
            held = lake.read("quarantine", ["origin", "reason", "detail", "row"]).sort_by("row").to_pylist()
        finally:
            engine.close()
    details: dict[str, dict[str, str]] = {}
    for row in held:
        details.setdefault(row["origin"], {}).setdefault(row["reason"], row["detail"])
    return {
        str(Path(file["path"]).relative_to(DATA.absolute())): {**file, "details": details.get(file["path"], {})}
        for file in summary.document()["files"]
    }


def data_part() -> str:
    """The part about the test data."""
    lines = [BEGIN, ABOUT_DATA, f"| {' | '.join(COLUMNS)} |\n", "| --- " * len(COLUMNS) + "|\n"]
    files = imported()
    for path in sorted(path for path in DATA.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = str(path.relative_to(DATA))
        lines.append(_row(name, rows_in(path), files[name]))
    return "".join([*lines, END])


def _row(name: str, rows: int | None, file: Mapping[str, Any]) -> str:
    rejected, ignored = _reasons(file, "reasons"), _reasons(file, "ignored_reasons")
    layouts = [layout["layout"] for layout in file["layouts"] if layout["layout"] and layout["read"]]
    if not file["read"] and file["error"]:
        rejected = str(file["error"]).replace(str(DATA.absolute()) + "/", "")
    cells = [f"`{name}`", "–" if rows is None else f"{rows:,}", f"{file['stored']:,}", f"{file['known']:,}"]
    return "| " + " | ".join([*cells, rejected or "0", ignored or "0", ", ".join(layouts) or "–"]) + " |\n"


def _reasons(file: Mapping[str, Any], which: str) -> str:
    told: dict[str, int] = {}
    for layout in file["layouts"]:
        for reason, count in layout[which].items():
            told[reason] = told.get(reason, 0) + count
    ordered = sorted(told.items(), key=lambda item: -item[1])
    return "; ".join(f"{count:,}: {_plain(_whole(reason, file['details']))}" for reason, count in ordered)


def _whole(reason: str, details: Mapping[str, str]) -> str:
    """A reason that says little with what was said about its first record."""
    detail = details.get(reason, "")
    return f"{reason} ({detail})" if reason == UNKNOWN_LAYOUT and detail else reason


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _kept_part(written: str) -> str:
    """The part about the data as it stands in the page."""
    begin, end = written.find(BEGIN), written.find(END)
    return written[begin : end + len(END)] if 0 <= begin < end else BEGIN + END


def main(arguments: Iterable[str]) -> str | None:
    """Make or check the page; what is wrong with it, or null."""
    wanted = set(arguments)
    written = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    if "--check" in wanted:
        return None if written == page(_kept_part(written)) else "docs/layouts.md is old: python scripts/layout_docs.py"
    if "--check-data" in wanted:
        same = _kept_part(written) == data_part()
        return None if same else "the data in docs/layouts.md is old: python scripts/layout_docs.py"
    PAGE.write_text(page(data_part() if DATA.is_dir() else _kept_part(written)), encoding="utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
