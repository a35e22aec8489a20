"""Does the installation work? One check for each part; each says what it found and what to do."""

from __future__ import annotations

from groundswell.doctor.finding import Finding, State
from groundswell.doctor.run import CHECKS, examine

__all__ = ["CHECKS", "Finding", "State", "examine"]
