"""What no value or no table can be is refused, and nothing else is."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.contract.load import load_contract
from causeway.contract.model import Column, ContractError
from causeway.contract.place import Place
from causeway.contract.possible import Range, refuse_impossible

Draft = Callable[[str], Path]

IMPOSSIBLE = [
    ("integer", "exclusiveMinimum: 5, exclusiveMaximum: 6", "no integer is between"),
    ("integer", "minimum: 1, maximum: 9, multipleOf: 10", "in multiples of 10: no integer is between"),
    ("integer", "maximum: 9223372036854775808", "is beyond an integer of 64 bits, which holds up to 92233"),
    (
        "integer",
        "format: i32, minimum: 2147483648",
        "is beyond an integer of 32 bits, which holds up to 21474",
    ),
    ("integer", "minimum: -99999999999999999999", "is beyond an integer of 64 bits"),
    ("number", "precision: 3, scale: 1, maximum: 100", "beyond decimal(3,1), which holds up to 99.9"),
    (
        "number",
        "precision: 5, scale: 2, exclusiveMinimum: 1.5, exclusiveMaximum: 1.51",
        "no number is between",
    ),
    ("number", "minimum: 0.1, maximum: 0.2, multipleOf: 0.25", "no number is between"),
    ("date", "exclusiveMinimum: 2024-01-01, exclusiveMaximum: 2024-01-02", "no date is between"),
]


@pytest.mark.parametrize(
    ("kind", "options", "why"), IMPOSSIBLE, ids=[options for _, options, _ in IMPOSSIBLE]
)
def test_bounds_between_which_there_is_no_value_are_refused(
    draft: Draft, kind: str, options: str, why: str
) -> None:
    path = draft(f"  - {{name: a, logicalType: {kind}, logicalTypeOptions: {{{options}}}}}\n")
    with pytest.raises(ContractError, match=re.escape(why)) as caught:
        load_contract(path)
    assert "a).logicalTypeOptions" in str(caught.value)


POSSIBLE = [
    ("integer", "exclusiveMinimum: 5, exclusiveMaximum: 7"),
    ("integer", "maximum: 9223372036854775807, minimum: -9223372036854775808"),
    ("number", "exclusiveMinimum: 5, exclusiveMaximum: 6"),
    ("number", "minimum: 0.1, maximum: 0.3, multipleOf: 0.1"),
    ("number", "precision: 3, scale: 1, maximum: 99.9"),
    ("date", "exclusiveMinimum: 2024-01-01, exclusiveMaximum: 2024-01-03"),
    ("timestamp", "exclusiveMinimum: '2024-01-01 00:00:00', exclusiveMaximum: '2024-01-01 00:00:01'"),
]


@pytest.mark.parametrize(("kind", "options"), POSSIBLE)
def test_bounds_that_some_value_keeps_are_taken(draft: Draft, kind: str, options: str) -> None:
    load_contract(draft(f"  - {{name: a, logicalType: {kind}, logicalTypeOptions: {{{options}}}}}\n"))


VALUES = [
    (
        "integer",
        "minimum: 0, maximum: 5",
        "[{value: 1}, {value: 7}]",
        "7 is allowed, and maximum 5 forbids it",
    ),
    ("integer", "exclusiveMinimum: 1", "[{value: 1}]", "1 is allowed, and exclusiveMinimum 1 forbids it"),
    ("integer", "multipleOf: 5", "[{value: 12}]", "12 is allowed, and multipleOf 5 forbids it"),
    ("string", "maxLength: 3", "[{value: open}]", "open is allowed, and maxLength 3 forbids it"),
    ("string", "minLength: 5", "[{value: open}]", "open is allowed, and minLength 5 forbids it"),
    ("string", "pattern: '^[A-Z]+$'", "[{value: open}]", "open is allowed, and pattern ^[A-Z]+$ forbids it"),
    ("date", "minimum: 2024-01-01", "[{value: 2023-12-31}]", "2023-12-31 is allowed, and minimum 2024-01-01"),
]


@pytest.mark.parametrize(("kind", "options", "values", "why"), VALUES, ids=[why for *_, why in VALUES])
def test_an_allowed_value_that_a_bound_forbids_is_refused(
    draft: Draft, kind: str, options: str, values: str, why: str
) -> None:
    body = f"  - {{name: a, logicalType: {kind}, logicalTypeOptions: {{{options}}}, enum: {values}}}\n"
    with pytest.raises(ContractError, match=re.escape(why)):
        load_contract(draft(body))


def test_so_is_one_of_the_librarys_valid_values(draft: Draft) -> None:
    quality = "[{metric: invalidValues, mustBe: 0, arguments: {validValues: [1, 9]}}]"
    options = "{maximum: 5}"
    with pytest.raises(ContractError, match="9 is allowed, and maximum 5 forbids it"):
        load_contract(
            draft(
                f"  - {{name: a, logicalType: integer, logicalTypeOptions: {options}, quality: {quality}}}\n"
            )
        )


SMALL = st.none() | st.integers(-8, 8)


@given(low=SMALL, high=SMALL, above=SMALL, below=SMALL, step=st.none() | st.integers(1, 9))
def test_integers_are_refused_exactly_when_none_is_right(
    low: int | None, high: int | None, above: int | None, below: int | None, step: int | None
) -> None:
    """Tried one by one, far enough on both sides that an open end has a multiple."""
    column = Column(
        "a", "a", "integer",
        minimum=low, maximum=high, exclusive_minimum=above, exclusive_maximum=below, multiple_of=step,
    )  # fmt: skip

    def right(value: int) -> bool:
        return (
            (low is None or value >= low)
            and (high is None or value <= high)
            and (above is None or value > above)
            and (below is None or value < below)
            and (step is None or value % step == 0)
        )

    assert _refused(column) == (not any(right(value) for value in range(-30, 31)))


def _refused(column: Column) -> bool:
    try:
        refuse_impossible(column, Place(Path("c")))
    except ContractError:
        return True
    return False


ENDS = st.integers(-4, 4)
RANGES = st.builds(Range, ENDS, ENDS, st.booleans(), st.booleans())


@given(RANGES, RANGES)
def test_two_ranges_meet_exactly_when_a_number_is_in_both(one: Range, other: Range) -> None:
    def inside(value: Fraction, of: Range) -> bool:
        above = value > of.least if of.open_least else value >= of.least
        return above and (value < of.most if of.open_most else value <= of.most)

    def some(denominator: int) -> bool:
        tried = [Fraction(n, denominator) for n in range(-5 * denominator, 5 * denominator + 1)]
        return any(inside(value, one) and inside(value, other) for value in tried)

    assert one.meets(other, whole=True) == some(1)
    assert one.meets(other, whole=False) == some(4)


ROW_COUNTS = [
    ("mustBeGreaterThan: 10", "mustBeLessThan: 5"),
    ("mustBe: 10", "mustBe: 11"),
    ("mustBeGreaterThan: 10", "mustBeLessThan: 11"),
    ("mustBeBetween: [1, 5]", "mustBeGreaterOrEqualTo: 5"),
]


@pytest.mark.parametrize(("first", "second"), ROW_COUNTS)
def test_bounds_that_no_table_keeps_together_are_refused(draft: Draft, first: str, second: str) -> None:
    path = draft("  - {name: a, logicalType: integer}\n")
    rules = f"  quality:\n  - {{metric: rowCount, {first}}}\n  - {{metric: rowCount, {second}}}\n"
    path.write_text(path.read_text().rstrip("\n") + "\n" + rules)
    with pytest.raises(ContractError, match="no rowCount can be both; mend one"):
        load_contract(path)


OWN: list[tuple[str, str, str]] = [
    ("required: true", "{metric: nullValues, mustBeGreaterThan: 0}", "a is required: it can never hold"),
    ("unique: true", "{metric: duplicateValues, mustBeGreaterThan: 3}", "a is unique: it can never hold"),
    (
        "logicalTypeOptions: {minimum: 0}",
        "{type: sql, query: 'SELECT MIN({column}) FROM {table}', mustBeLessThan: 0}",
        "bounded by minimum 0: it can never hold",
    ),
    (
        "logicalTypeOptions: {exclusiveMaximum: 100}",
        "{type: sql, query: 'SELECT AVG({column}) FROM {table}', mustBeGreaterOrEqualTo: 100}",
        "bounded by exclusiveMaximum 100: it can never hold",
    ),
]


@pytest.mark.parametrize(("fact", "bound", "why"), OWN)
def test_a_bound_that_the_columns_own_rules_exclude_is_refused(
    draft: Draft, fact: str, bound: str, why: str
) -> None:
    with pytest.raises(ContractError, match=re.escape(why)):
        load_contract(draft(f"  - {{name: a, logicalType: integer, {fact}, quality: [{bound}]}}\n"))


KEPT = [
    "[{metric: nullValues, mustBeLessThan: 10}, {metric: nullValues, unit: percent, mustBeGreaterThan: 1}]",
    "[{metric: nullValues, mustBeLessThan: 10}, {metric: nullValues, mustBeLessThan: 5, severity: error}]",
]


@pytest.mark.parametrize("bounds", KEPT)
def test_bounds_of_other_units_or_that_only_narrow_are_taken(draft: Draft, bounds: str) -> None:
    load_contract(draft(f"  - {{name: a, logicalType: integer, quality: {bounds}}}\n"))
