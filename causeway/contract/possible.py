"""Refuses what no value, or no table, can be: constraints that contradict each other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from causeway.contract.bound import DISTINCT, DUPLICATES, HIGHEST, LOWEST, MEAN, NULLS, PERCENT, ROWS, Bound
from causeway.contract.model import Column
from causeway.contract.place import Place

MEND = "swap them, or mend one"


def refuse_impossible(column: Column, place: Place) -> None:
    """Raises ContractError if no value keeps all bounds of the column, or one that is allowed breaks some."""
    at = place / "logicalTypeOptions"
    lows, highs = _ends(column)
    for (low, least), (high, most) in [*product(lows, highs), *_lengths(column)]:
        if least > most or (least == most and "exclusive" in low + high):
            against = "above" if least > most else "the same as"
            raise at.wrong(f"{low} {least} is {against} {high} {most}: no value can be right; {MEND}")
    for name, limit in (*lows, *highs):
        _refuse_beyond(column, name, limit, at)
    _refuse_gap(column, at)
    for value in column.values:
        for name, limit in _broken(column, value):
            raise place.wrong(
                f"{value!s} is allowed, and {name} {limit} forbids it: it can never be right; "
                "take it out, or mend the bound"
            )


Named = tuple[str, Any]


def _ends(column: Column) -> tuple[list[Named], list[Named]]:
    lows = [("minimum", column.minimum), ("exclusiveMinimum", column.exclusive_minimum)]
    highs = [("maximum", column.maximum), ("exclusiveMaximum", column.exclusive_maximum)]
    return ([end for end in lows if end[1] is not None], [end for end in highs if end[1] is not None])


def _lengths(column: Column) -> Iterator[tuple[Named, Named]]:
    of = "Items" if column.type == "array" else "Length"
    if column.min_length is not None and column.max_length is not None:
        yield (f"min{of}", column.min_length), (f"max{of}", column.max_length)


def _refuse_beyond(column: Column, name: str, limit: Any, place: Place) -> None:
    """A number that the column's type cannot hold is no bound of it."""
    if column.type == "integer":
        most, of = 2 ** (column.bits - 1) - 1, f"an integer of {column.bits} bits"
        beyond = not -most - 1 <= limit <= most
    elif column.type == "number" and column.precision:
        most = (Decimal(10) ** column.precision - 1).scaleb(-column.scale)
        of, beyond = f"decimal({column.precision},{column.scale})", abs(limit) > most
    else:
        return
    if beyond:
        raise place.wrong(
            f"{name} {limit} is beyond {of}, which holds up to {most}; mend it, or leave it out"
        )


def _refuse_gap(column: Column, place: Place) -> None:
    """Between the ends is something, but no value of a type that goes in steps."""
    lows, highs = _ends(column)
    if not lows or not highs:
        return
    step = _step(column)
    if step is None and column.multiple_of is None:
        return
    low, least = max(lows, key=lambda end: (end[1], "exclusive" in end[0]))
    high, most = min(highs, key=lambda end: (end[1], "exclusive" not in end[0]))
    if column.type == "date":
        days = (most - least).days - sum("exclusive" in name for name in (low, high))
        nothing = days < 0
    else:
        steps = [Fraction(str(one)) for one in (step, column.multiple_of) if one is not None]
        whole = math.lcm(*(one.numerator * (_denominator(steps) // one.denominator) for one in steps))
        unit = Fraction(whole, _denominator(steps))
        first = math.ceil(Fraction(str(least)) / unit) * unit
        first += unit * (low == "exclusiveMinimum" and first == Fraction(str(least)))
        end = Fraction(str(most))
        nothing = first > end or (high == "exclusiveMaximum" and first == end)
    if nothing:
        steps_of = f", in multiples of {column.multiple_of}" if column.multiple_of is not None else ""
        raise place.wrong(
            f"{low} {least}, {high} {most}{steps_of}: no {column.type} is between them; mend one"
        )


def _denominator(steps: Sequence[Fraction]) -> int:
    return math.lcm(*(one.denominator for one in steps))


def _step(column: Column) -> Any:
    if column.type == "integer":
        return 1
    if column.type == "date":
        return timedelta(days=1)
    return Decimal(1).scaleb(-column.scale) if column.type == "number" and column.precision else None


def _broken(column: Column, value: Any) -> Iterator[Named]:
    """The bounds that a value which is allowed breaks."""
    lows, highs = _ends(column)
    for name, limit in lows:
        if value < limit or (value == limit and "exclusive" in name):
            yield name, limit
    for name, limit in highs:
        if value > limit or (value == limit and "exclusive" in name):
            yield name, limit
    if column.multiple_of is not None and Fraction(str(value)) % Fraction(str(column.multiple_of)):
        yield "multipleOf", column.multiple_of
    if column.type == "string" and not column.encoded:
        if column.min_length is not None and len(value) < column.min_length:
            yield "minLength", column.min_length
        if column.max_length is not None and len(value) > column.max_length:
            yield "maxLength", column.max_length
        if column.pattern and not re.search(column.pattern, value):
            yield "pattern", column.pattern


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`; an open end is no part of it."""

    least: float = -math.inf
    most: float = math.inf
    open_least: bool = False
    open_most: bool = False

    def meets(self, other: Range, *, whole: bool) -> bool:
        """Whether some number, of whole ones if only these count, is in both."""
        least, open_least = max((self.least, self.open_least), (other.least, other.open_least))
        most, closed_most = min((self.most, not self.open_most), (other.most, not other.open_most))
        if whole:
            first = math.floor(least) + 1 if open_least else math.ceil(least) if least > -math.inf else least
            last = math.ceil(most) - 1 if not closed_most else math.floor(most) if most < math.inf else most
            return first <= last
        return least < most or (least == most and closed_most and not open_least)


def _range(bound: Bound) -> Range | None:
    """None of those that leave something out, or compare no numbers."""
    if not all(isinstance(limit, int | float) for limit in bound.limits):
        return None
    first, last = bound.limits[0], bound.limits[-1]
    return {
        "mustBe": Range(first, first),
        "mustBeGreaterThan": Range(first, open_least=True),
        "mustBeGreaterOrEqualTo": Range(first),
        "mustBeLessThan": Range(most=first, open_most=True),
        "mustBeLessOrEqualTo": Range(most=first),
        "mustBeBetween": Range(first, last, open_least=True, open_most=True),
    }.get(bound.operator)


def refuse_contradictions(bounds: Sequence[tuple[Bound, Place]], columns: Sequence[Column]) -> None:
    """Raises ContractError at the first bound that no table can keep together with another, or its column."""
    known = {column.name: column for column in columns}
    seen: list[tuple[Bound, Range]] = []
    for bound, place in bounds:
        if (mine := _range(bound)) is None:
            continue
        whole = bound.metric in (ROWS, NULLS, DUPLICATES, DISTINCT) and bound.unit != PERCENT
        for other, theirs in seen:
            same = (other.metric, other.column, other.unit) == (bound.metric, bound.column, bound.unit)
            if same and not mine.meets(theirs, whole=whole):
                raise place.wrong(
                    f"{bound.allowed}, and elsewhere {other.allowed}: no {bound.metric} can be both; mend one"
                )
        for facts, why in _given(known.get(bound.column), bound.metric):
            if not mine.meets(facts, whole=whole):
                raise place.wrong(
                    f"{bound.allowed}, and {bound.column} is {why}: it can never hold; mend one of them"
                )
        seen.append((bound, mine))


def _given(column: Column | None, metric: str) -> Iterator[tuple[Range, str]]:
    """What the column's own rules, kept row by row, make of the number."""
    if column is None:
        return
    if metric == NULLS and (column.required or column.key):
        yield Range(0, 0), "required"
    if metric == DUPLICATES and column.unique:
        yield Range(0, 0), "unique"
    if metric in (LOWEST, HIGHEST, MEAN) and column.type in ("integer", "number"):
        for name, limit in (pair for ends in _ends(column) for pair in ends):
            end, is_open = float(limit), "exclusive" in name
            if "inimum" in name:
                yield Range(end, open_least=is_open), f"bounded by {name} {limit}"
            else:
                yield Range(most=end, open_most=is_open), f"bounded by {name} {limit}"
