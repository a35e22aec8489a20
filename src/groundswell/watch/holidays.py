"""Public holidays: on them a series is expected to behave as on a Sunday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from groundswell.errors import UsageError
from groundswell.watch.contract import DAY, HOUR

Bools = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Calendar:
    """The public holidays of each series' country.

    Days are those of UTC, as the season's are: what is a Sunday there is a holiday here.
    """

    def __init__(self, countries: Sequence[str | None]) -> None:
        """`countries` has an ISO 3166-1 code or null for each series.

        Raises:
            UsageError: a code is not one of a country whose holidays are known.
        """
        self._rows = [None if code is None else _holidays(code) for code in countries]
        self.known = any(row is not None for row in self._rows)
        """Whether any series has a country."""
        self._days: dict[int, Bools] = {}

    def free(self, start_us: int, window_us: int) -> Bools:
        """Whether the hours before, after and of a window's middle lie on a holiday; shape (3, series).

        Of no series any country is known: shape (3, 0), which costs nothing.
        """
        if not self.known:
            return np.zeros((3, 0), dtype=np.bool_)
        middle = start_us + window_us // 2
        around = (middle, middle) if window_us > HOUR else (middle - HOUR, middle + HOUR)
        return np.stack([self._of_day(at // DAY) for at in (*around, middle)])

    def _of_day(self, day: int) -> Bools:
        found = self._days.get(day)
        if found is None:
            date = (_EPOCH + timedelta(days=day)).date()
            found = np.array([row is not None and date in row for row in self._rows], dtype=np.bool_)
            # A live watch meets a day for a day; a backtest meets many.
            if len(self._days) > 400:
                self._days.clear()
            self._days[day] = found
        return found


def _holidays(code: str) -> Any:
    import holidays  # noqa: PLC0415 - a slow import that only a country needs

    try:
        return holidays.country_holidays(code.upper())
    except NotImplementedError as error:
        what = f"no public holidays are known of the country {code!r}"
        raise UsageError(what, hint="give a code of ISO 3166-1 with two letters, as DE, US or JP") from error
