"""The words of texts; the plain twin is `groundswell.text.tokens`."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]

#: Classes of `groundswell.text.characters`, as constants that a kernel can hold.
_SOLO: Final = 2
_DROP: Final = 4
_APOSTROPHE: Final = 8
_SLOW: Final = 16
_MARK: Final = 64
_LOOSE: Final = _SLOW | _DROP | _APOSTROPHE

#: What a text holds: marks of the array that `words` fills.
IS_SLOW: Final = 1
HAS_AT: Final = 2
HAS_LINK: Final = 4
HAS_HASH: Final = 8


@njit(nogil=True, cache=True, boundscheck=False)
def words(  # noqa: PLR0912, PLR0915 - one pass over the bytes, every branch a case of UTF-8 or of words
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    folded: NDArray[np.uint32],
    out: Bytes,
    ends: Offsets,
    marks: Bytes,
) -> int:
    """Folded words of valid UTF-8 texts, each `" word word "`, one behind the other; the bytes written.

    `offsets` (n + 1) bound the texts in `data`, `ends` (n + 1, the first is set to 0) those in `out`, which needs
    room for twice the bytes and two more a text. `marks` (n) tells per text whether it must be folded as a whole
    instead (`IS_SLOW`: what was written for it does not count) and what else may be in it.
    """
    at = 0
    ends[0] = 0
    for row in range(len(offsets) - 1):
        i = offsets[row]
        end = offsets[row + 1]
        mark = 0
        inside = False
        alone = False
        last = 0
        while i < end:
            first = data[i]
            if first < 0x80:
                code = np.uint32(first)
                i += 1
            elif first < 0xE0:
                code = np.uint32((first & 0x1F) << 6 | data[i + 1] & 0x3F)
                i += 2
            elif first < 0xF0:
                code = np.uint32((first & 0x0F) << 12 | (data[i + 1] & 0x3F) << 6 | data[i + 2] & 0x3F)
                i += 3
            else:
                code = np.uint32(
                    (first & 0x07) << 18 | (data[i + 1] & 0x3F) << 12 | (data[i + 2] & 0x3F) << 6 | data[i + 3] & 0x3F
                )
                i += 4
            kind = classes[code]
            before = last
            last = kind
            if before & _MARK and kind & _LOOSE:
                mark |= IS_SLOW
            if kind == 0:
                inside = False
                sign = folded[code]
                if sign == 0x40:
                    mark |= HAS_AT
                elif sign == 0x23:
                    mark |= HAS_HASH
                elif code == 0x3A:
                    if i + 1 < end and data[i] == 0x2F and data[i + 1] == 0x2F:
                        mark |= HAS_LINK
                elif code == 0x2E and i >= offsets[row] + 4 and data[i - 2] | 0x20 == 0x77:
                    mark |= HAS_LINK
                continue
            if kind & _SLOW and (not kind & _MARK or before == 0 or before & _LOOSE):
                mark |= IS_SLOW
                continue
            if kind & (_DROP | _APOSTROPHE):
                continue
            solo = kind & _SOLO != 0
            if not inside or solo or alone:
                out[at] = 0x20
                at += 1
            inside = True
            alone = solo
            code = folded[code]
            if code < 0x80:
                out[at] = code
                at += 1
            elif code < 0x800:
                out[at] = 0xC0 | code >> 6
                out[at + 1] = 0x80 | code & 0x3F
                at += 2
            elif code < 0x10000:
                out[at] = 0xE0 | code >> 12
                out[at + 1] = 0x80 | code >> 6 & 0x3F
                out[at + 2] = 0x80 | code & 0x3F
                at += 3
            else:
                out[at] = 0xF0 | code >> 18
                out[at + 1] = 0x80 | code >> 12 & 0x3F
                out[at + 2] = 0x80 | code >> 6 & 0x3F
                out[at + 3] = 0x80 | code & 0x3F
                at += 4
        if mark & IS_SLOW:
            at = ends[row]
        else:
            out[at] = 0x20
            at += 1
        ends[row + 1] = at
        marks[row] = mark
    return at
