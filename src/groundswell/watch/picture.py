"""A picture of a scored series as PNG (ISO/IEC 15948), drawn here: no plotting library is needed for one figure."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH: Final = 1600
HEIGHT: Final = 640
_LEFT, _RIGHT, _TOP, _BOTTOM = 110, 30, 90, 70
_PAPER: Final[Colour] = (255, 255, 255)
_INK: Final[Colour] = (40, 44, 52)
_FAINT: Final[Colour] = (226, 229, 234)
_BAND: Final[Colour] = (198, 219, 239)
_LINE: Final[Colour] = (33, 102, 172)
_ALERT: Final[Colour] = (214, 96, 20)  # orange beside blue: told apart by colour-blind readers

#: Letters of 5 × 7 pixels from space to tilde: five columns each, the lowest bit on top.
_FONT: Final = bytes.fromhex(
    "000000000000005f00000007000700147f147f14242a7f2a12231308646236495520500005030000001c2241000041221c00"
    "14083e081408083e080800503000000808080808006060000020100804023e5149453e00427f4000426151494621414"
    "54b311814127f1027454545393c4a4949300171090503364949493606494929" + "1e0036360000005636000008142241001414141414"
    "00412214080201510906324979413e7e1111117e7f494949363e414141227f4141221c7f494949417f090909013e4149497a"
    "7f0808087f00417f41002040413f017f081422417f404040407f020c027f7f0408107f3e4141413e7f090909063e4151215e"
    "7f09192946464949493101017f01013f4040403f1f2040201f3f4038403f631408146307087008076151494543007f414100"
    "02040810200041417f00040201020440404040400001020400205454547" + "87f4844443838444444203844444" + "87f3854545418"
    "087e0901020c5252523e7f0804047800447d40002040443d007f1028440000417f40007c041804787c080404783844444438"
    "7c1414140808141418" + "7c7c08040408485454542004" + "3f4440203c4040207c1c2040201c3c4030403c44281028440c5050503c"
    "4464544c440008364100" + "00007f00000041360800" + "0804081008"
)


@dataclass(frozen=True)
class Figure:
    """What is drawn; arrays of shape (windows,), NaN where not known."""

    title: str
    under: str
    """Source, unit and number of rows."""
    times_us: Ints
    counts: Floats
    lower: Floats
    upper: Floats
    alerts: Sequence[int]
    """Indexes of the windows on which an alert opens."""


def draw(figure: Figure) -> Pixels:
    """The picture, shape (height, width, 3)."""
    page = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
    page[:] = _PAPER
    write(page, figure.title, 24, 20, 3, _INK)
    write(page, figure.under, 24, 54, 2, _INK)
    known = np.concatenate((figure.counts, figure.upper))
    known = known[np.isfinite(known)]
    top = float(known.max()) if len(known) and known.max() > 0 else 1.0
    low = figure.counts[np.isfinite(figure.counts) & (figure.counts > 0)]
    # Counts that span decades would be a flat line with needles.
    decades = len(low) > 0 and top > 30 * max(float(np.median(low)), 1.0)
    heights = _Heights(top, decades)
    x = _columns(figure.times_us)
    _grid(page, heights, figure.times_us)
    _fill(page, x, heights.of(figure.lower), heights.of(figure.upper))
    _line(page, x, heights.of(figure.counts))
    for at in figure.alerts:
        _mark(page, int(x[at]), float(heights.of(figure.counts[at : at + 1])[0]))
    _legend(page, decades)
    return page


def save(figure: Figure, path: Path) -> None:
    """Write the picture to `path`.

    Raises:
        OSError: the file cannot be written.
    """
    page = draw(figure)
    rows = np.concatenate((np.zeros((HEIGHT, 1), dtype=np.uint8), page.reshape(HEIGHT, -1)), axis=1)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write(page: Pixels, text: str, left: int, top: int, size: int, colour: Colour) -> None:
    """Write a line of text; signs outside of ASCII as a question mark."""
    for letter in text.encode("ascii", "replace"):
        code = letter - 32 if 32 <= letter < 127 else 31
        bits = np.frombuffer(_FONT[5 * code : 5 * code + 5], np.uint8)
        shape = (bits[None, :] >> np.arange(7)[:, None] & 1).astype(bool)
        drawn = np.kron(shape, np.ones((size, size), dtype=bool))
        area = page[top : top + drawn.shape[0], left : left + drawn.shape[1]]
        area[drawn[: area.shape[0], : area.shape[1]]] = colour
        left += 6 * size


@dataclass(frozen=True)
class _Heights:
    """The vertical scale: linear, or logarithmic from one on where counts span decades."""

    top: float
    decades: bool

    def of(self, values: Floats) -> Floats:
        """Pixel rows, NaN where a value is not known."""
        part = np.log1p(values) / math.log1p(self.top) if self.decades else values / self.top
        return (HEIGHT - _BOTTOM) - part * (HEIGHT - _BOTTOM - _TOP - 12)

    def ticks(self) -> list[float]:
        """Values with a label."""
        if self.decades:
            return [0.0] + [10.0**power for power in range(0, math.floor(math.log10(self.top)) + 1)]
        raw = self.top / 5
        unit = 10 ** math.floor(math.log10(raw))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)
        return [step * number for number in range(int(self.top / step) + 1)]


def _columns(times_us: Ints) -> Ints:
    span = max(int(times_us[-1] - times_us[0]), 1)
    part = (times_us - times_us[0]) / span
    columns: Ints = (_LEFT + np.round(part * (WIDTH - _LEFT - _RIGHT - 1))).astype(np.int64)
    return columns


def _grid(page: Pixels, heights: _Heights, times_us: Ints) -> None:
    for value in heights.ticks():
        row = round(float(heights.of(np.array([value]))[0]))
        page[row, _LEFT : WIDTH - _RIGHT] = _FAINT
        label = f"{value:,.6g}"
        write(page, label, _LEFT - 10 - 12 * len(label), row - 7, 2, _INK)
    first, last = int(times_us[0]), int(times_us[-1])
    number = 8
    for tick in range(number + 1):
        at = first + (last - first) * tick // number
        x = _LEFT + round((WIDTH - _LEFT - _RIGHT - 1) * tick / number)
        page[_TOP : HEIGHT - _BOTTOM + 6, x] = _FAINT
        form = "%Y-%m-%d" if last - first > 4 * 86_400_000_000 else "%m-%d %H:%M"
        label = datetime.fromtimestamp(at / 1e6, UTC).strftime(form)
        left = min(max(x - 6 * len(label), 4), WIDTH - 12 * len(label) - 4)
        write(page, label, left, HEIGHT - _BOTTOM + 14, 2, _INK)
    page[HEIGHT - _BOTTOM, _LEFT : WIDTH - _RIGHT] = _INK


def _ranges(x: Ints, low: Floats, high: Floats) -> list[tuple[int, int, int]]:
    """For each column of pixels the least and greatest row that any window has there."""
    there = np.isfinite(low) & np.isfinite(high)
    out = []
    for column in np.unique(x[there]).tolist():
        rows = there & (x == column) if len(x) < 4_000 else slice(*np.searchsorted(x, [column, column + 1]))
        first, last = np.nanmin(low[rows]), np.nanmax(high[rows])
        out.append((column, round(float(first)), round(float(last))))
    return out


def _fill(page: Pixels, x: Ints, lower: Floats, upper: Floats) -> None:
    before: tuple[int, int, int] | None = None
    for column, top, bottom in _ranges(x, upper, lower):
        start = before[0] + 1 if before is not None and column - before[0] < 40 else column
        page[max(top, _TOP) : bottom + 1, start : column + 1] = _BAND
        before = (column, top, bottom)


def _line(page: Pixels, x: Ints, y: Floats) -> None:
    before: tuple[int, int, int] | None = None
    for column, top, bottom in _ranges(x, y, y):
        if before is not None and column - before[0] < 40:
            _stroke(page, before[0], before[2], column, bottom)
        page[max(top, _TOP) : bottom + 2, column : column + 2] = _LINE
        before = (column, top, bottom)


def _stroke(page: Pixels, x0: int, y0: int, x1: int, y1: int) -> None:
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    columns = np.round(np.linspace(x0, x1, steps + 1)).astype(int)
    rows = np.round(np.linspace(y0, y1, steps + 1)).astype(int)
    page[rows, columns] = _LINE
    page[rows + 1, columns] = _LINE


def _mark(page: Pixels, x: int, y: float) -> None:
    """A triangle above the window and a dotted line down to it."""
    for row in range(10):
        page[_TOP - 12 + row, max(x - (9 - row) // 1, 0) : x + 10 - row] = _ALERT
    bottom = HEIGHT - _BOTTOM if math.isnan(y) else round(y)
    for row in range(_TOP, max(bottom, _TOP), 8):
        page[row : row + 4, x : x + 2] = _ALERT


def _legend(page: Pixels, decades: bool) -> None:
    top, left = HEIGHT - 28, _LEFT
    for colour, text in ((_LINE, "count"), (_BAND, "expected, 95 %"), (_ALERT, "an alert opens")):
        page[top : top + 14, left : left + 24] = colour
        write(page, text, left + 34, top, 2, _INK)
        left += 34 + 12 * len(text) + 40
    write(page, "logarithmic scale" if decades else "linear scale", left, top, 2, _INK)
