"""What people see of an import: how far it is, and what became of the records."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final

from rich.markup import escape

from groundswell.cli.app import messages

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from groundswell.importing.summary import FileSummary, ImportSummary

#: Seconds before the progress shows.
PATIENCE_S: Final = 2.0
#: Files that are named one by one; of more only those with something to say.
NAMED: Final = 20


class TerminalProgress:
    """Shows on a terminal, after two seconds, which file is read, how far it is and how long it still takes."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._bar: Bar | None = None
        self._task: object = None
        self._name = ""
        self._size = 0
        self._position = 0

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def file(self, name: str, number: int, total: int, size: int) -> None:
        """A file begins."""
        self._name = name if total == 1 else f"{number} of {total}: {name}"
        self._size, self._position = size, 0
        self._update(0)

    def at(self, position: int, records: int) -> None:
        """So many bytes and records of it are done."""
        # A table tells rows, a packed file the bytes of its content: then only the count is shown.
        self._position = max(self._position, position)
        self._update(records)

    def say(self, message: str) -> None:
        """A sentence for the person."""
        messages.print(escape(message), soft_wrap=True)

    def _update(self, records: int) -> None:
        if not messages.is_terminal or time.monotonic() - self._begun < PATIENCE_S:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[records]:,} records"),
                TimeRemainingColumn(),
                console=messages,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=None, records=0)
        known = 0 < self._position <= self._size
        self._bar.update(
            self._task,  # type: ignore[arg-type]  # there since the bar is
            description=escape(self._name[-60:]),
            total=self._size if known else None,
            completed=self._position if known else 0,
            records=records,
        )


def show_summary(summary: ImportSummary, *, dry_run: bool) -> None:
    """Say what became of each file (of many: of those that could not be read), and the sums."""
    spoken = [file for file in summary.files if file.error or file.notes] if len(summary.files) > NAMED else []
    shown = (spoken or summary.files)[:NAMED]
    for file in shown:
        _show_file(file)
    if len(summary.files) > len(shown):
        messages.print(f"and {len(summary.files) - len(shown):,} more files")
    seconds = max(summary.seconds, 1e-6)
    stored = "would be stored" if dry_run else "stored"
    messages.print(
        f"[bold]{summary.count('read'):,} read[/]: {summary.count('stored'):,} {stored}, "
        f"{summary.count('known'):,} known, {summary.count('rejected'):,} rejected, "
        f"{summary.count('ignored'):,} ignored; {seconds:.1f} s, {summary.bytes / seconds / 1e6:,.1f} MB/s"
    )
    for reason, count in summary.ignored_reasons.most_common(3):
        messages.print(f"  {count:,} ignored: {escape(reason)}", soft_wrap=True)
    for reason, count in summary.reasons.most_common(3):
        messages.print(f"  [yellow]{count:,} rejected[/]: {escape(reason)}", soft_wrap=True)
        example = summary.example(reason)
        messages.print(f"    {escape(example[:160])}", style="dim", soft_wrap=True)
    if summary.count("rejected") and not dry_run:
        messages.print("  `groundswell quarantine list` shows them, `quarantine retry` reads them again")


def _show_file(file: FileSummary) -> None:
    layouts = ", ".join(
        f"{counts.layout or 'no known layout'} ({counts.read:,}{_into(counts.table)})"
        for counts in file.layouts.values()
        if counts.read
    )
    messages.print(f"{escape(file.path)}: {layouts or 'no records'}", soft_wrap=True)
    for note in file.notes:
        messages.print(f"  {escape(note)}", soft_wrap=True)
    if file.error:
        messages.print(f"  [bold red]error[/]: {escape(file.error)}", soft_wrap=True)


def _into(table: str | None) -> str:
    return f" {table}" if table in ("authors", "comments") else ""
