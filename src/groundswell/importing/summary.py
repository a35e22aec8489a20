"""What an import did: read = stored + known + rejected + ignored, for each layout, each file, and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from groundswell.importing.refusals import ANSWERED, Rejection

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout

COUNTS: Final = ("read", "stored", "known", "rejected", "ignored")
_EXAMPLE: Final = 200


@dataclass(slots=True)
class LayoutCounts:
    """The records of one layout in one file (`layout` null: records that no layout claims)."""

    platform: str | None
    layout: str | None
    table: str | None = None
    stored: int = 0
    known: int = 0
    rejected: int = 0
    ignored: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    ignored_reasons: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        """All records of this layout."""
        return self.stored + self.known + self.rejected + self.ignored

    def document(self) -> dict[str, Any]:
        """As `import --json` shows it."""
        head = {"platform": self.platform, "layout": self.layout, "table": self.table}
        reasons = {
            "reasons": dict(self.reasons.most_common()),
            "ignored_reasons": dict(self.ignored_reasons.most_common()),
        }
        return head | {name: getattr(self, name) for name in COUNTS} | reasons


@dataclass(slots=True)
class FileSummary:
    """One file. `error` says why it could not be read (to its end); `examples` has a line for each reason.

    `notes` are sentences about what is peculiar in it. `cursor` says how far the cursor column of a database was read
    (`groundswell.sources.databases.Mark`).
    """

    path: str
    bytes: int = 0
    seconds: float = 0.0
    error: str | None = None
    layouts: dict[str | None, LayoutCounts] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cursor: dict[str, Any] | None = None

    def count(self, name: str) -> int:
        """Sum of one of `COUNTS` over the layouts."""
        return sum(getattr(counts, name) for counts in self.layouts.values())

    @property
    def reasons(self) -> Counter[str]:
        """Rejected records by reason."""
        return _added(counts.reasons for counts in self.layouts.values())

    def of(self, platform: str | None, layout: str | None, table: str | None = None) -> LayoutCounts:
        """The counts of one layout, to add to."""
        counts = self.layouts.get(layout)
        if counts is None:
            counts = self.layouts[layout] = LayoutCounts(platform, layout, table)
        counts.table = counts.table or table
        return counts

    def ignore(self, layout: Layout | None, reason: str, count: int) -> None:
        """Count records that are no posts, or not wanted."""
        counts = self.of(None, None) if layout is None else self.of(layout.platform, layout.id, layout.table)
        counts.ignored += count
        counts.ignored_reasons[reason] += count

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Count rejections, and keep an example of each reason."""
        for rejection in rejections:
            counts = self.of(rejection.platform, rejection.layout)
            counts.rejected += 1
            counts.reasons[rejection.reason] += 1
            if rejection.reason not in self.examples:
                text = rejection.raw[:_EXAMPLE].decode("utf-8", "replace")
                self.examples[rejection.reason] = f"line {rejection.row:,}: {text}"

    def document(self) -> dict[str, Any]:
        """As `import --json` shows it; `from_document` reads it back."""
        layouts = [counts.document() for counts in self.layouts.values()]
        sums = {name: self.count(name) for name in COUNTS}
        rest = {"seconds": round(self.seconds, 3), "bytes": self.bytes, "error": self.error}
        told = {"examples": self.examples, "notes": self.notes, "cursor": self.cursor}
        return {"path": self.path, "layouts": layouts} | sums | rest | told

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FileSummary:
        """The summary that `document` was made of."""
        summary = cls(document["path"], document["bytes"], document["seconds"], document["error"])
        summary.examples, summary.notes = dict(document["examples"]), list(document["notes"])
        summary.cursor = document.get("cursor")
        for entry in document["layouts"]:
            counts = summary.of(entry["platform"], entry["layout"], entry["table"])
            counts.stored, counts.known = entry["stored"], entry["known"]
            counts.rejected, counts.ignored = entry["rejected"], entry["ignored"]
            counts.reasons, counts.ignored_reasons = Counter(entry["reasons"]), Counter(entry["ignored_reasons"])
        return summary

    def nothing_read(self) -> str | None:
        """Why a file of which no record is of any known layout counts as one that could not be read; else null."""
        unknown = self.layouts.get(None)
        if unknown is None or len(self.layouts) > 1 or not unknown.rejected:
            return None
        reason, _ = self.reasons.most_common(1)[0]
        held = "all are in quarantine"
        advice = "" if reason.startswith(ANSWERED) else ". Name a layout with --layout or columns with --map"
        return f"no record could be read ({reason}); {held}{advice}"


@dataclass(slots=True)
class ImportSummary:
    """All files of one import; `seconds` is the time that it took, `estimate` what was expected of a large one."""

    files: list[FileSummary] = field(default_factory=list)
    seconds: float = 0.0
    estimate: dict[str, Any] | None = None

    def count(self, name: str) -> int:
        """Sum of one of `COUNTS` over the files."""
        return sum(file.count(name) for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes of all files, as they lie on disk."""
        return sum(file.bytes for file in self.files)

    @property
    def reasons(self) -> Counter[str]:
        """Rejected records by reason."""
        return _added(file.reasons for file in self.files)

    @property
    def ignored_reasons(self) -> Counter[str]:
        """Ignored records by reason."""
        return _added(counts.ignored_reasons for file in self.files for counts in file.layouts.values())

    def example(self, reason: str) -> str:
        """A record that was rejected for `reason`, with its place."""
        return next((file.examples[reason] for file in self.files if reason in file.examples), "")

    @property
    def exit_code(self) -> int:
        """0 when every record is accounted for, 1 when a file could not be read."""
        return 1 if any(file.error for file in self.files) else 0

    def sums(self) -> dict[str, Any]:
        """The counts over all files, the time and the bytes."""
        counts = {name: self.count(name) for name in COUNTS}
        return counts | {"seconds": round(self.seconds, 3), "bytes": self.bytes}

    def document(self) -> dict[str, Any]:
        """The document of `import --json`."""
        return self.sums() | {"files": [file.document() for file in self.files], "estimate": self.estimate}


def _added(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total
