"""A bound: what a number of a table's profile must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Of which number: those with a name in the standard have it, the others are called as in a profile.
ROWS, NULLS, DUPLICATES, LATENCY = "rowCount", "nullValues", "duplicateValues", "latency"
DISTINCT, LOWEST, HIGHEST, MEAN, DEVIATION = "distinct", "minimum", "maximum", "mean", "deviation"
PERCENT = "percent"
SECONDS = {"d": 86400, "h": 3600, "m": 60}  # of a latency's units
WARNING, ERROR = "warning", "error"
# The standard's operators, in words. Its two ends of a range are no part of it: "mustBeBetween is the
# equivalent to mustBeGreaterThan and mustBeLessThan".
OPERATORS = {
    "mustBe": "exactly {}",
    "mustNotBe": "not {}",
    "mustBeGreaterThan": "more than {}",
    "mustBeGreaterOrEqualTo": "at least {}",
    "mustBeLessThan": "less than {}",
    "mustBeLessOrEqualTo": "at most {}",
    "mustBeBetween": "more than {} and less than {}",
    "mustNotBeBetween": "at most {} or at least {}",
}


@dataclass(frozen=True)
class Bound:
    """It is asked of a profile, and rejects no row."""

    name: str
    metric: str
    operator: str  # one of OPERATORS
    limits: tuple[Any, ...]  # numbers, or a date, timestamp or time as a profile writes it
    column: str = ""  # of the whole table
    unit: str = ""
    severity: str = WARNING

    @property
    def allowed(self) -> str:
        """In words: at most 5 %."""
        unit = {PERCENT: "%"}.get(self.unit, self.unit)
        return f"{OPERATORS[self.operator].format(*map(_plain, self.limits))} {unit}".rstrip()


def _plain(limit: Any) -> str:
    if isinstance(limit, float):
        return f"{int(limit):,}" if limit.is_integer() else repr(limit)
    return f"{limit:,}" if isinstance(limit, int) else str(limit)
