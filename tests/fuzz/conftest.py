"""Fuzzing for a time: a few seconds for each parser in every full run, five minutes for each in `make soak`.

A full run goes no further than the seeds that were tried before, so that it is the same on a fast machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

Fuzz = Callable[[SearchStrategy[Any], Callable[[Any], None]], None]
#: Seeds of a full run at most.
_SEEDS = 40
_PHASES = (Phase.explicit, Phase.generate, Phase.shrink)


@pytest.fixture(
    params=[
        pytest.param(3.0, marks=pytest.mark.slow, id="seconds"),
        pytest.param(300.0, marks=pytest.mark.soak, id="minutes"),
    ]
)
def fuzz(request: pytest.FixtureRequest) -> Fuzz:
    """Check examples of a strategy until the time is over (`GROUNDSWELL_TEST_FUZZ`, seconds, says another)."""
    asked = os.environ.get("GROUNDSWELL_TEST_FUZZ")
    seconds = float(asked or request.param)
    most = None if asked or seconds > 60 else _SEEDS

    def run(examples: SearchStrategy[Any], check: Callable[[Any], None]) -> None:
        begun, number = time.monotonic(), 0
        while number == 0 or (number != most and time.monotonic() - begun < seconds):
            chosen = settings(
                max_examples=25, deadline=None, database=None, phases=_PHASES, suppress_health_check=list(HealthCheck)
            )
            seed(number)(chosen(given(examples)(check)))()
            number += 1

    return run
