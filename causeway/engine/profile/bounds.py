"""Whether a profile's numbers are what the contract says they must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from causeway.contract.bound import DISTINCT, DUPLICATES, LATENCY, NULLS, PERCENT, ROWS, SECONDS, Bound

A_DAY = len("2024-01-31")
NO_ROWS, OTHER_TYPE = "there are no rows", "the table has this column with another type"
# Whether each number from `low` to `high` is allowed, by the first and the last limit.
KEPT: dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "mustBe": lambda low, high, first, last: bool(low == first == high),
    "mustNotBe": lambda low, high, first, last: bool(high < first or low > first),
    "mustBeGreaterThan": lambda low, high, first, last: bool(low > first),
    "mustBeLessOrEqualTo": lambda low, high, first, last: bool(high <= first),
    "mustBeLessThan": lambda low, high, first, last: bool(high < first),
    "mustBeGreaterOrEqualTo": lambda low, high, first, last: bool(low >= first),
    "mustBeBetween": lambda low, high, first, last: bool(first < low and high < last),
    "mustNotBeBetween": lambda low, high, first, last: bool(high <= first or low >= last),
}
_PAIRS = (
    ("mustBe", "mustNotBe"),
    ("mustBeGreaterThan", "mustBeLessOrEqualTo"),
    ("mustBeLessThan", "mustBeGreaterOrEqualTo"),
    ("mustBeBetween", "mustNotBeBetween"),
)
OPPOSITE = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}


class Found(NamedTuple):
    """A profile's number, and between which it lies if it is an estimate; none, and why."""

    value: Any = None
    note: str = ""
    low: float | None = None
    high: float | None = None


def judge(document: Mapping[str, Any], bounds: Iterable[Bound], at: datetime) -> list[dict[str, Any]]:
    """Each bound, and whether it holds: null where the profile, made at this time, does not tell."""
    return [_judged(bound, _find(document, bound, at)) for bound in bounds]


def with_quality(document: Mapping[str, Any], bounds: Sequence[Bound], at: datetime) -> dict[str, Any]:
    """The profile, with what its contract says of its numbers, if it does."""
    return {**document, "quality": judge(document, bounds, at)} if bounds else {**document}


def _judged(bound: Bound, found: Found) -> dict[str, Any]:
    holds, note = None, found.note
    if found.value is not None:
        holds = _holds(bound, found)
        if holds is None:
            note = f"{note}: that leaves it open"
    return {
        "name": bound.name,
        "column": bound.column or None,
        "metric": bound.metric,
        "value": found.value,
        "allowed": bound.allowed,
        "severity": bound.severity,
        "holds": holds,
        **({"note": note} if note else {}),
    }


def _holds(bound: Bound, found: Found) -> bool | None:
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    first, last = bound.limits[0], bound.limits[-1]
    if KEPT[bound.operator](low, high, first, last):
        return True
    return False if KEPT[OPPOSITE[bound.operator]](low, high, first, last) else None


def _find(document: Mapping[str, Any], bound: Bound, at: datetime) -> Found:
    rows: int = document["rows"]
    if bound.metric == ROWS:
        return Found(rows)
    column = document["columns"].get(bound.column)
    if column is None:
        return Found(note="the table does not have this column")
    if bound.metric in (NULLS, DUPLICATES, DISTINCT):
        return _count(column, bound, rows)
    value = column.get("maximum" if bound.metric == LATENCY else bound.metric)
    if value is not None:
        return (
            _age(str(value), SECONDS[bound.unit], at) if bound.metric == LATENCY else _of_type(bound, value)
        )
    if rows > column["nulls"]:
        return Found(note="the profile has no such number: one value has no deviation, huge ones no mean")
    return Found(note="it has no values" if rows else NO_ROWS)


def _of_type(bound: Bound, value: Any) -> Found:
    """A snapshot may be older than the contract."""
    if isinstance(value, str) == isinstance(bound.limits[0], str):
        return Found(value)
    return Found(note=OTHER_TYPE)


def _count(column: Mapping[str, Any], bound: Bound, rows: int) -> Found:
    present = rows - column["nulls"] - column.get("not_finite", 0)
    if bound.metric == NULLS:
        found = Found(column["nulls"])
    elif "distinct" in column or not present:
        found = _values(column.get("distinct", {"count": 0}), present, bound.metric == DUPLICATES)
    else:
        return Found(note=OTHER_TYPE)
    if bound.unit != PERCENT:
        return found
    if not rows:
        return Found(note=NO_ROWS)
    value, low, high = (n if n is None else 100 * n / rows for n in (found.value, found.low, found.high))
    return found._replace(value=value, low=low, high=high)


def _values(distinct: Mapping[str, Any], present: int, duplicates: bool) -> Found:
    """How many values there are, or how many rows repeat one; an estimate of many."""
    count, error = min(distinct["count"], present), distinct.get("relative_error", 0)
    low, high = round(count * (1 - error)), min(round(count * (1 + error)), present)
    if duplicates:
        count, low, high = present - count, present - high, present - low
    if not error:
        return Found(count)
    return Found(
        count, f"an estimate, from {low:,} to {high:,} {'rows' if duplicates else 'values'}", low, high
    )


def _age(newest: str, unit: int, at: datetime) -> Found:
    """Of a date in whole days; without a time zone it is taken for UTC's."""
    note = ""
    try:
        if len(newest) == A_DAY:
            days = (at.astimezone(UTC).date() - date.fromisoformat(newest)).days
            age = float(days * SECONDS["d"])
        else:
            then = datetime.fromisoformat(newest)
            if then.tzinfo is None:
                then, note = then.replace(tzinfo=UTC), "it has no time zone, and is taken for UTC"
            age = (at - then).total_seconds()
    except ValueError:
        return Found(note=OTHER_TYPE)
    return Found(age / unit, "its newest value is in the future" if age < 0 else note)
