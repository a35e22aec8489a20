"""A count series in a CSV file: reading it with whatever dirt it has, and writing what was found."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.errors import UnreadableFileError, UsageError
from groundswell.watch.contract import DAY, HOUR, MINUTE, SECOND

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Columns that are added to those of the file.
ADDED: Final = ("score", "alert", "expected", "lower", "upper", "return_period")
_NONE: Final = frozenset(("", "na", "nan", "null", "none", "-", "n/a"))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Numbers up to these are seconds, milliseconds, microseconds, nanoseconds since 1970.
_UNITS: Final = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (1e20, 0.001))
#: A step within this part of a multiple of the usual one is regular.
_JITTER: Final = 0.1


@dataclass(frozen=True)
class SeriesFile:
    """The rows of a file, and the series that they make."""

    cells: list[tuple[str, str]]
    """Time and value of each row, as they stand in the file."""
    place: Ints
    """Index into the series of each row."""
    times_us: Ints
    """Start of each window, strictly ascending."""
    counts: Floats
    """NaN: not known."""
    unit: float = 1.0
    """What one count is worth, where the values are no whole numbers."""
    notes: list[str] = field(default_factory=list)
    """What had to be done with the file, as sentences."""


def read_series(path: Path, time_column: str, value_column: str, zone: tzinfo = UTC) -> SeriesFile:
    """Read the two columns; times without a zone are in `zone`.

    Raises:
        UnreadableFileError: the file cannot be read as CSV.
        UsageError: a column is not there, or a cell is no time or no count.
    """
    cells = _cells(path, time_column, value_column)
    if not cells:
        what = "the file has no rows"
        raise UnreadableFileError(what, where=path, hint="give a CSV file with a header and at least one row")
    times = _times([time for time, _ in cells], path, zone)
    values = np.array([_value(text, path, number) for number, (_, text) in enumerate(cells, start=2)])
    notes: list[str] = []
    if np.any(np.diff(times) < 0):
        notes.append(
            "The rows are not in the order of time. They were sorted for scoring; the output keeps their order."
        )
    starts, place = np.unique(times, return_inverse=True)
    counts = _summed(times, values, place, len(starts), notes)
    missing = int(np.isnan(values).sum())
    if missing:
        notes.append(f"{missing:,} of {len(values):,} rows have no value. They are not scored and teach nothing.")
    _look_at_steps(starts, notes)
    unit = _unit(counts)
    if unit != 1.0:
        notes.append(
            f"The values are not whole numbers. They were scored in units of {unit:.3g}, the size of their noise."
        )
    return SeriesFile(cells, place.astype(np.int64), starts.astype(np.int64), counts / unit, unit, notes)


def _cells(path: Path, time_column: str, value_column: str) -> list[tuple[str, str]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        what = "cannot read the file"
        raise UnreadableFileError(what, where=path, hint=error.strerror) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = text.splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t|", key=head.count)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        what = f"not a CSV file: {error}"
        raise UnreadableFileError(what, where=path, hint="give a CSV file with a header") from error
    names = [name.strip() for name in rows[0]] if rows else []
    for wanted in (time_column, value_column):
        if wanted not in names:
            what = f"no column `{wanted}`"
            raise UsageError(what, where=path, hint="the columns are: " + ", ".join(names or ["none"]))
    first, second = names.index(time_column), names.index(value_column)
    out = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        if max(first, second) >= len(row):
            what = f"line {number} has {len(row)} cells, the header {len(names)}"
            raise UnreadableFileError(what, where=path, hint="mend or remove the line")
        out.append((row[first].strip(), row[second].strip()))
    return out


def _times(texts: list[str], path: Path, zone: tzinfo) -> Ints:
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        return np.array([_moment(text, path, number, zone) for number, text in enumerate(texts, start=2)])
    largest = float(np.abs(numbers).max())
    factor = next((factor for most, factor in _UNITS if largest < most), None)
    if factor is None or not np.isfinite(numbers).all():
        what = "a time is not a number of seconds since 1970"
        raise UsageError(what, where=path, hint="give times as 2026-11-21 15:00:00 or as seconds since 1970")
    return np.round(numbers * factor).astype(np.int64)


def _moment(text: str, path: Path, number: int, zone: tzinfo) -> int:
    try:
        moment = datetime.fromisoformat(text.replace("/", "-") if text[4:5] == "/" else text)
    except ValueError:
        what = f"line {number}: `{text}` is no time"
        hint = "give times as 2026-11-21 15:00:00, with or without a zone, or as seconds since 1970"
        raise UsageError(what, where=path, hint=hint) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def _value(text: str, path: Path, number: int) -> float:
    if text.lower() in _NONE:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        what = f"line {number}: `{text}` is no number"
        raise UsageError(
            what, where=path, hint="give counts as plain numbers; an empty cell is a missing one"
        ) from None
    if math.isnan(value):
        return math.nan
    if value < 0 or math.isinf(value):
        what = f"line {number}: {text} is no count"
        hint = "the detector is for counts, which are not negative; give the number of events in each window"
        raise UsageError(what, where=path, hint=hint)
    return value


def _summed(times: Ints, values: Floats, place: Ints, windows: int, notes: list[str]) -> Floats:
    """One value a time. The same row again counts once, other values of the same time are added up."""
    if windows == len(times):
        out = np.empty(windows)
        out[place] = values
        return out
    pairs = np.unique(np.stack((times.astype(np.float64), values)), axis=1)
    sums = np.full(windows, np.nan)
    at = np.searchsorted(np.unique(times).astype(np.float64), pairs[0])
    for window, value in zip(at.tolist(), pairs[1].tolist(), strict=True):
        if not math.isnan(value):
            sums[window] = value if math.isnan(sums[window]) else sums[window] + value
    again = len(times) - windows
    notes.append(f"{again:,} rows have the time of another one. Equal rows counted once, others were added up.")
    return sums


def _look_at_steps(starts: Ints, notes: list[str]) -> None:
    if len(starts) < 3:
        return
    steps = np.diff(starts)
    usual = float(np.median(steps))
    parts = steps / usual
    odd = float(np.mean(np.abs(parts - np.maximum(np.round(parts), 1)) > _JITTER))
    holes = int(np.sum(np.maximum(np.round(parts) - 1, 0)))
    length = duration(int(usual))
    if odd > 0.1:
        notes.append(
            f"The steps are irregular: {odd:.0%} are no multiple of {length}. "
            f"Each row was taken as one window of {length}."
        )
    elif holes:
        notes.append(f"{holes:,} windows of {length} are missing. They are not scored and teach nothing.")


def _unit(counts: Floats) -> float:
    """1 for whole numbers; else the variance beside the mean of the first rows, so that one unit is like one count."""
    there = counts[~np.isnan(counts)]
    if not len(there) or np.all(there == np.round(there)):
        return 1.0
    early = there[: max(50, len(there) // 10)]
    mean = float(early.mean())
    noise = float(np.median(np.abs(np.diff(early)))) / 0.954 if len(early) > 1 else 0.0
    unit = noise**2 / mean if mean > 0 else 0.0
    return unit if unit > 0 else max(mean, 1e-12) / 100.0


def write_scores(
    file: SeriesFile, columns: dict[str, Floats], opened: list[int], names: tuple[str, str], out: Path
) -> None:
    """Write the file's rows in their order with `ADDED`; cells that are not known are empty, times in days.

    `columns` has arrays of the series, one value a window; `opened` are the indexes on which an alert opens.
    """
    alert = np.zeros(len(file.times_us), dtype=np.int64)
    alert[opened] = 1
    last = np.full(len(file.times_us), -1, dtype=np.int64)
    last[file.place] = np.arange(len(file.place))
    partial = out.with_name(out.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow((*names, *ADDED))
        for number, (cells, at) in enumerate(zip(file.cells, file.place.tolist(), strict=True)):
            opens = int(alert[at]) if last[at] == number else 0
            score = f"{columns['score'][at]:.6g}"
            rest = (_cell(columns[name][at]) for name in ("expected", "lower", "upper", "return_days"))
            writer.writerow((*cells, score, opens, *rest))
    os.replace(partial, out)


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def duration(length_us: int) -> str:
    """A length of time in words.

    >>> duration(5 * MINUTE), duration(DAY), duration(90 * SECOND)
    ('5 min', '1 d', '90 s')
    """
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if length_us >= unit and length_us % unit == 0:
            return f"{length_us // unit} {name}"
    return f"{length_us / SECOND:g} s"
