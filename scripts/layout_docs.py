"""Make docs/layouts.md from the layouts; `--check` only says whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import ibis

from groundswell.platforms import Layout, Shape, registry
from groundswell.platforms.casts import filled_columns
from groundswell.platforms.generic.columns import NAMES
from groundswell.schema import POST_FIELDS

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "layouts.md"
HEAD: Final = """<!-- Made by scripts/layout_docs.py from the code. -->

# Layouts: what is read from which record

A layout says how one kind of raw record becomes a post. It is recognised from the content; `--layout` names one.
A cell that is absent or blank is null, never 0. A cell that cannot be read (`12.5` or `NaN` as a count) is null and
kept under `unread` in `extra`. A record is rejected, with its reason, only when nothing identifies it or when its
time is no time of the years 1990 to 2100. Counts and ids never pass through a float.

What a layout leaves out of `hashtags`, `mentions` and `urls` is read from the text.
"""
RECOGNISED: Final = {
    "tiktok.nested": "It has `itemInfos`, or two of `authorInfos`, `challengeInfoList`, `musicInfos`.",
    "tiktok.claims": "It has the columns `claim_status`, `video_id`, `video_transcription_text`.",
    "youtube.trending_csv": "It has the columns `video_id`, `trending_date`, `channel_title`.",
    "youtube.videos_list": "Its `kind` is `youtube#video`, or it has a text `id` and two parts of a video.",
    "generic.table": "No other layout knows it, and a text can be guessed, or an id and something beside it.",
}


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_section(layout) for layout in registry().layouts) + _names()


def _section(layout: Layout) -> str:
    filled = filled_columns(layout.posts(ibis.table(dict(layout.raw), name="raw")))
    fields = [field for field in POST_FIELDS if field.name in filled]
    what = "a row of a table" if layout.shape is Shape.ROW else "a JSON object"
    lines = [f"\n## `{layout.id}` (version {layout.version})\n", f"\n{layout.description}. A record is {what}. "]
    lines.append(RECOGNISED.get(layout.id, "See its `matches`."))
    if layout.unwraps:
        paths = ", ".join(f"`{'.'.join(path)}`" for path in layout.unwraps)
        lines.append(f" A document's records are under {paths}.")
    lines.append("\n\n| field | meaning | unit |\n| --- | --- | --- |\n")
    lines += [f"| `{field.name}` | {field.meaning} | {field.unit} |\n" for field in fields]
    if layout.platform != "generic":
        lines.append(
            "\nIt reads: " + ", ".join(f"`{part}`" for name, kind in layout.raw.items() for part in _leaves(name, kind))
        )
        lines.append(".\n")
    return "".join(lines)


def _leaves(name: str, kind: Any) -> list[str]:
    dtype = ibis.dtype(kind)
    if dtype.is_array():
        return _leaves(f"{name}[]", dtype.value_type)
    if dtype.is_struct():
        return [leaf for part, inner in dtype.items() for leaf in _leaves(f"{name}.{part}", inner)]
    return [name]


def _names() -> str:
    lines = [
        "\n### Names that are guessed\n\nCase, accents and signs between words do not matter; the first that is there"
    ]
    lines.append(
        " wins, and `--map field=column` goes before all. `title` stands before the text.\n\n| field | columns |\n"
    )
    lines.append("| --- | --- |\n")
    lines += [f"| `{field}` | {', '.join(names.split())} |\n" for field, names in NAMES.items()]
    return "".join(lines)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0 if PAGE.read_text(encoding="utf-8") == page() else "docs/layouts.md is old: python scripts/layout_docs.py"
        )
    PAGE.write_text(page(), encoding="utf-8")
