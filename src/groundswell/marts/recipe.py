"""What is done to make the analysis table of posts: every rule and every number of it, so that it can be done again.

The order is fixed. 1. Bounds of outliers, of each metric on each platform, from its known values. 2. Rows are left
out: those without a value that may not be missing, and with `outliers: drop` those with an outlier. 3. From what is
left, the values that fill gaps and the scales. 4. Gaps are filled. 5. Scaled columns are added beside the raw ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np

from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.marts.distribution import Distribution, weighted_quantiles
from groundswell.marts.outliers import Bounds, Rule

#: Columns that can be filled and scaled.
NUMBERS: Final = (
    "views",
    "likes",
    "comments",
    "shares",
    "saves",
    "followers",
    "following",
    "duration_s",
    "engagement",
)
#: Columns that can be demanded.
TEXTS: Final = ("post_id", "author_id", "author_name", "created_at", "text", "lang", "region", "kind")
#: What is a standard deviation for the normal distribution, in units of the MAD.
_MAD_SCALE: Final = 1.4826


class Nulls(StrEnum):
    """What becomes of a missing value."""

    KEEP = "keep"
    ZERO = "zero"
    MEDIAN = "median"
    MEAN = "mean"
    DROP = "drop"


class Treatment(StrEnum):
    """What becomes of outliers."""

    MARK = "mark"
    DROP = "drop"


class Standard(StrEnum):
    """How a number is scaled."""

    Z = "z"
    """(x - mean) / standard deviation."""

    ROBUST = "robust"
    """(x - median) / (1.4826 MAD)."""

    MINMAX = "minmax"
    """(x - least) / (greatest - least)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What was asked for."""

    nulls: Mapping[str, Nulls] = field(default_factory=dict)
    outliers: Treatment = Treatment.MARK
    rule: Rule = Rule.ROBUST_Z
    limit: float | None = None
    standard: Standard | None = None
    log: bool = False
    """Whether scales are those of log10(1 + x)."""

    def document(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "nulls": {name: rule.value for name, rule in self.nulls.items()} or "keep",
            "outliers": {"treatment": self.outliers.value, "rule": self.rule.value, "limit": self.limit},
            "standardise": None if self.standard is None else self.standard.value,
            "logarithm": self.log,
        }


def parse_nulls(given: str) -> dict[str, Nulls]:
    """The rules of `--nulls`, `field=rule` with commas between them.

    Raises:
        UsageError: it is not of that form, or the rule does not fit the field.
        UnknownChoiceError: there is no such field or rule.

    >>> parse_nulls("views=median, likes=zero")
    {'views': <Nulls.MEDIAN: 'median'>, 'likes': <Nulls.ZERO: 'zero'>}
    """
    found: dict[str, Nulls] = {}
    for part in filter(None, (part.strip() for part in given.split(","))):
        name, equals, rule = (piece.strip() for piece in part.partition("="))
        if not equals:
            wrong = f"`{part}` is no rule for missing values"
            raise UsageError(wrong, hint="write FIELD=RULE with commas between: views=median,likes=zero")
        if name not in (*NUMBERS, *TEXTS):
            kind = "field"
            raise UnknownChoiceError(kind, name, (*NUMBERS, *TEXTS))
        if rule not in set(Nulls):
            kind = "rule for missing values"
            raise UnknownChoiceError(kind, rule, Nulls)
        if name in TEXTS and rule not in {Nulls.KEEP, Nulls.DROP}:
            wrong = f"`{name}` is no number, so it has no {rule}"
            raise UsageError(wrong, hint=f"valid for {name}: keep, drop")
        found[name] = Nulls(rule)
    return found


@dataclass(frozen=True, slots=True)
class Scale:
    """How one number of one platform is scaled: (x - `centre`) / `width`; null where its values do not differ."""

    centre: float
    width: float | None


def scale_of(values: Distribution, standard: Standard, *, log: bool = False) -> Scale | None:
    """The scale of a number from its distribution (to 0.1 %); null without values."""
    if values.least is None or values.greatest is None:
        return None
    if values.least == values.greatest:
        return Scale(np.log10(1 + values.least) if log else values.least, None)
    found, weights = values.weighted()
    x = np.log10(1 + found) if log else found
    if standard is Standard.MINMAX:
        ends = np.array([values.least, values.greatest])
        least, greatest = (np.log10(1 + ends) if log else ends).tolist()
        return Scale(least, _width(greatest - least))
    if standard is Standard.Z:
        mean = float(np.average(x, weights=weights))
        deviation = float(np.sqrt(np.average((x - mean) ** 2, weights=weights)))
        return Scale(mean, _width(deviation))
    half = np.array([0.5])
    median = float(weighted_quantiles(x, weights, half)[0])
    away = np.abs(x - median)
    order = np.argsort(away)
    return Scale(median, _width(_MAD_SCALE * float(weighted_quantiles(away[order], weights[order], half)[0])))


def fill_of(values: Distribution, rule: Nulls) -> float | None:
    """What stands in for a missing value; null where it stays missing."""
    if rule is Nulls.ZERO:
        return 0.0
    if rule is Nulls.MEAN:
        return values.mean
    if rule is Nulls.MEDIAN and values.count:
        return float(values.quantiles([0.5])[0])
    return None


@dataclass(slots=True)
class Recipe:
    """The rules with the numbers that they came to; keys are (platform, field)."""

    rules: Rules
    bounds: dict[tuple[str, str], Bounds] = field(default_factory=dict)
    fills: dict[tuple[str, str], float] = field(default_factory=dict)
    scales: dict[tuple[str, str], Scale] = field(default_factory=dict)
    before: int = 0
    after: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows left out, by why: the first reason counts."""

    filled: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    """Values outside of their bounds, by field, in the rows that are left."""

    def document(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "rules": self.rules.document(),
            "scope": "each field on each platform by itself",
            "rows": {"before": self.before, "after": self.after, "dropped": self.dropped},
            "values": {"filled": self.filled, "outliers": self.flagged},
            "bounds": [
                {
                    "platform": platform,
                    "field": name,
                    "rule": one.rule.value,
                    "limit": one.limit,
                    "lower": one.lower,
                    "upper": one.upper,
                    "values": one.values,
                    "why_none": one.why,
                }
                for (platform, name), one in self.bounds.items()
            ],
            "fills": [{"platform": p, "field": f, "value": value} for (p, f), value in self.fills.items()],
            "scales": [
                {"platform": p, "field": f, "centre": one.centre, "width": one.width}
                for (p, f), one in self.scales.items()
            ],
        }


def _width(value: float) -> float | None:
    return value if value > 0 else None
