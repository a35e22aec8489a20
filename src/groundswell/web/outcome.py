"""What came of an import as the page shows it: sums by layout and reason, however many files there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from groundswell.web.import_models import FileFailure, ImportResult, LayoutResult, ReasonResult

_COUNTS: Final = ("read", "stored", "known", "rejected", "ignored")
#: Reasons and failed files that are named.
_MOST: Final = 20


def outcome_of(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """How an upload stands after `import --json` said `document`; `name` is what the person calls the file.

    Where nothing could be read the file is kept, so that it can be read in another way: `failed`.
    """
    result = result_of(document, document["files"], name)
    hopeless = bool(result.failed) and not result.stored and not result.known
    return {
        "state": "failed" if hopeless else "done",
        "result": result.model_dump(),
        "error": result.failed[0].error if hopeless else None,
        "hint": None,
    }


def result_of(sums: Mapping[str, Any], files: Iterable[Mapping[str, Any]], name: str) -> ImportResult:
    """Sums of an import and its files as one result."""
    listed = list(files)
    layouts: dict[str | None, dict[str, Any]] = {}
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for file in listed:
        for entry in file.get("layouts") or ():
            known = layouts.setdefault(entry["layout"], {"platform": entry["platform"], **dict.fromkeys(_COUNTS, 0)})
            for count in _COUNTS:
                known[count] += entry[count]
            reasons.update(entry["reasons"])
        examples = dict(file.get("examples") or {}) | examples
    ordered = sorted(layouts.items(), key=lambda pair: -int(pair[1]["read"]))
    return ImportResult(
        **{count: sums[count] for count in _COUNTS},
        seconds=sums["seconds"],
        bytes=sums["bytes"],
        files=len(listed),
        layouts=[LayoutResult(layout=layout, **rest) for layout, rest in ordered],
        reasons=[
            ReasonResult(reason=reason, rows=rows, example=examples.get(reason, ""))
            for reason, rows in reasons.most_common(_MOST)
        ],
        failed=[
            FileFailure(path=_short(str(file["path"]), name), error=str(file["error"]))
            for file in listed
            if file.get("error")
        ][:_MOST],
    )


def _short(path: str, name: str) -> str:
    """The file's own name, with the member of an archive that is meant.

    >>> _short("uploads/1f2e/a.zip::b.csv", "a.zip")
    'a.zip::b.csv'
    """
    at = path.find(name)
    return path[at:] if at >= 0 else path
