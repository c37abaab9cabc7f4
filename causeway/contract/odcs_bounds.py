"""Compiles bounds of a profile's numbers: which numbers a column has, and what each can be compared with."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from open_data_contract_standard.model import DataQuality, SchemaObject

from causeway.contract.bound import (
    DEVIATION,
    DISTINCT,
    DUPLICATES,
    ERROR,
    HIGHEST,
    LATENCY,
    LOWEST,
    MEAN,
    NULLS,
    OPERATORS,
    PERCENT,
    ROWS,
    WARNING,
    Bound,
)
from causeway.contract.model import Column, Contract
from causeway.contract.odcs_options import value_of
from causeway.contract.place import Place, nearest, not_one_of

NUMBERS, TIMES = ("integer", "number"), ("date", "timestamp", "time")
COUNTS = (ROWS, NULLS, DUPLICATES, DISTINCT)
# How a contract asks for each.
SPELLED = {
    ROWS: ROWS,
    NULLS: NULLS,
    DUPLICATES: DUPLICATES,
    LATENCY: LATENCY,
    DISTINCT: "COUNT(DISTINCT)",
    LOWEST: "MIN",
    HIGHEST: "MAX",
    MEAN: "AVG",
    DEVIATION: "STDDEV",
}


def compile_bound(quality: DataQuality, metric: str, column: Column | None, place: Place) -> Bound:
    """Of a column, or of the whole table. Raises ContractError where there is no such number, or bound."""
    if column:
        require(metric, column, place)
    if quality.arguments:
        raise (place / "arguments").wrong(f"{metric} with a bound takes none; take them out")
    unit = _unit(quality.unit, metric, column, place / "unit")
    said = [name for name in OPERATORS if getattr(quality, name) is not None]
    if len(said) != 1:
        found = ", ".join(said) or "none"
        raise place.wrong(f"expected exactly one of {', '.join(OPERATORS)}; found {found}")
    operator, at, given = said[0], place / said[0], getattr(quality, said[0])
    limits = tuple(given) if operator.endswith("Between") else (given,)
    if column and column.type in TIMES and metric in (LOWEST, HIGHEST):
        limits = (_time(column, limits[0], operator, at),)
    else:
        _refuse_impossible(limits, operator, metric, unit, at)
    return Bound(
        name=quality.name or quality.id or f"{SPELLED[metric]}{f' of {column.name}' if column else ''}",
        metric=metric,
        operator=operator,
        limits=limits,
        column=column.name if column else "",
        unit=unit,
        severity=severity_of(quality.severity, place / "severity"),
    )


def require(metric: str, column: Column, place: Place) -> None:
    """Raises ContractError unless a profile has this number of the column."""
    if column.withheld:
        raise place.wrong(f"{column.name} is withheld, so it is in no table, and no profile knows it")
    if metric not in (there := _numbers(column)):
        what = "hashed" if column.hashed else f"{column.type} ({column.measured})"
        listed = ", ".join(SPELLED[number] for number in there)
        raise place.wrong(f"{SPELLED[metric]}: {column.name} is {what}; of it there are bounds of {listed}")


def _numbers(column: Column) -> tuple[str, ...]:
    """Those that can be bounded."""
    if column.type in ("array", "object"):
        return (NULLS,)
    there: tuple[str, ...] = (NULLS, DUPLICATES, DISTINCT)
    if column.hashed or column.type not in NUMBERS + TIMES:
        return there
    there += (LOWEST, HIGHEST)
    if column.measured == "quantity":
        # The mean of instants is one, and the standard compares those for equality alone.
        there += (MEAN, DEVIATION) if column.type in NUMBERS else (DEVIATION,)
    return (*there, LATENCY) if column.type in ("date", "timestamp") else there


def _unit(said: str | None, metric: str, column: Column | None, place: Place) -> str:
    """Some numbers have units of their own; of the others the contract's is a word for people."""
    known = {NULLS: ("rows", PERCENT), DUPLICATES: ("rows", PERCENT), ROWS: ("rows",), DISTINCT: ("values",)}
    if column and column.type in TIMES and metric == DEVIATION:
        known[metric] = ("days",) if column.type == "date" else ("seconds",)
    allowed = known.get(metric, (said or "",))
    if said is not None and said not in allowed:
        raise place.wrong(not_one_of(said, allowed))
    return said or allowed[0]


def _time(column: Column, limit: Any, operator: str, place: Place) -> str:
    if operator not in ("mustBe", "mustNotBe"):
        raise place.wrong(
            f"the standard compares numbers so, and {column.name} is a {column.type}; mustBe and mustNotBe"
            " are allowed, logicalTypeOptions bound each of its values, slaProperties (latency) the newest"
        )
    value = value_of(column, str(limit), place)
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC)
    return str(value.isoformat())


def _refuse_impossible(limits: tuple[Any, ...], operator: str, metric: str, unit: str, place: Place) -> None:
    """What is no number, and bounds that no number or every number keeps: a slip of the pen."""
    share = metric in COUNTS and unit == PERCENT
    least = 0 if metric in (*COUNTS, DEVIATION) else -math.inf
    most = 100 if share else math.inf
    for limit in limits:
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
            raise place.wrong(f"{limit!r} is not a number")
        if metric in COUNTS and not share and limit != int(limit):
            raise place.wrong(f"{limit!r} is not a whole number")
        if not least <= limit <= most:
            raise place.wrong(f"{limit!r} is not {'from 0 to 100' if share else '0 or more'}")
    first, last = limits[0], limits[-1]
    if len(limits) > 1 and first >= last:
        raise place.wrong(f"[{first}, {last}]: expected the smaller number first")
    nothing = operator == "mustBeBetween" and metric in COUNTS and not share and last - first == 1
    nothing |= operator == "mustBeLessThan" and first == least
    nothing |= operator == "mustBeGreaterThan" and first == most
    if nothing:
        said = list(limits) if len(limits) > 1 else first
        raise place.wrong(f"{said}: no {SPELLED[metric]} can be so, for the ends are not included")


def severity_of(said: Any, place: Place) -> str:
    if said not in (None, WARNING, ERROR):
        raise place.wrong(not_one_of(said, (WARNING, ERROR)))
    return said or WARNING


def tables_of(schema: SchemaObject, contract: Contract) -> list[str]:
    """How a contract may call its table."""
    names = (schema.name, schema.physicalName, contract.dataset, contract.table)
    return list(dict.fromkeys(name for name in names if name))


def column_of(name: str, contract: Contract, place: Place) -> Column:
    """In upper or lower case, for the catalog knows neither."""
    known = {column.name: column for column in contract.columns}
    found = [column for known_name, column in known.items() if known_name.casefold() == name.casefold()]
    if not found:
        raise place.wrong(f"no column {name!r}{nearest(name, known)}")
    return found[0]
