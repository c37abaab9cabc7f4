"""Compiles a contract's service levels: how old its newest value may be, how often rows must come."""

from __future__ import annotations

import math
from collections.abc import Iterator

from open_data_contract_standard.model import (
    OpenDataContractStandard,
    SchemaObject,
    ServiceLevelAgreementProperty,
)

from causeway.contract.bound import LATENCY, SECONDS, WARNING, Bound
from causeway.contract.model import Column, Contract
from causeway.contract.odcs_bounds import column_of, require, severity_of, tables_of
from causeway.contract.place import Place, nearest, not_one_of

# The standard writes d, day and days, and means the like of others; months and years are no freshness.
UNITS = {word: name[0] for name in ("day", "hour", "minute") for word in (name[0], name, f"{name}s")}
FREQUENCY = ("frequency", "fy")
SEVERITY = "severity"  # an entry's custom property: the standard has none here


def compile_frequency(standard: OpenDataContractStandard, place: Place) -> int:
    """Seconds between two commits of rows, at most; 0 if the contract says nothing of it."""
    said = 0
    for i, sla in enumerate(standard.slaProperties or []):
        at = place / f"slaProperties[{i}]"
        if (sla.property or "").lower() in FREQUENCY:
            for name in ("valueExt", "element"):
                if getattr(sla, name) is not None:
                    raise (at / name).wrong("frequency is of the whole dataset and has none; take it out")
            if said:
                raise at.wrong("frequency is there already; keep one of them")
            said = math.ceil(_age(sla, at / "value") * SECONDS[_unit(sla, at / "unit")])
    return said


def compile_sla(
    standard: OpenDataContractStandard, schema: SchemaObject, contract: Contract, place: Place
) -> Iterator[Bound]:
    for i, sla in enumerate(standard.slaProperties or []):
        at, name = place / f"slaProperties[{i}]", (sla.property or "").lower()
        if name in FREQUENCY:
            continue  # of no column: compile_frequency
        if name not in (LATENCY, "ly"):
            raise at.wrong(
                f"nothing here watches {sla.property!r}; take it out. Allowed is property: latency,"
                " value: 36, unit: h (or d, m), element: <table>.<column>;"
                " or property: frequency, value: 1, unit: d"
            )
        if sla.valueExt is not None:
            raise (at / "valueExt").wrong("latency has none; take it out")
        element = sla.element or standard.slaDefaultElement or ""
        column = _column(element, tables_of(schema, contract), contract, at / "element")
        require(LATENCY, column, at / "element")
        yield Bound(
            name=sla.id or f"{LATENCY} of {column.name}",
            metric=LATENCY,
            operator="mustBeLessOrEqualTo",
            limits=(_age(sla, at / "value"),),
            column=column.name,
            unit=_unit(sla, at / "unit"),
            severity=_severity(sla, at),
        )


def _column(element: str, tables: list[str], contract: Contract, place: Place) -> Column:
    """`table.column`; the table need not be said, for a contract has one."""
    instants = [c.name for c in contract.columns if c.type in ("date", "timestamp")]
    if not element:
        listed = ", ".join(instants) or "this contract has none"
        raise place.wrong(f"expected <table>.<column>, a date or a timestamp: {listed}")
    name = element.strip()
    if name not in [column.name for column in contract.columns]:
        table = next((t for t in tables if name.casefold().startswith(f"{t}.".casefold())), None)
        if table is None and "." in name:
            known = [f"{t}.{instant}" for t in tables[:1] for instant in instants]
            raise place.wrong(f"{element!r} is no <table>.<column>{nearest(element, known)}")
        name = name[len(table) + 1 :] if table else name
    return column_of(name, contract, place)


def _age(sla: ServiceLevelAgreementProperty, place: Place) -> float:
    age = sla.value
    if isinstance(age, bool) or not isinstance(age, int | float) or not math.isfinite(age) or age <= 0:
        raise place.wrong(f"{age!r} is not a number above 0")
    return age


def _unit(sla: ServiceLevelAgreementProperty, place: Place) -> str:
    if sla.unit not in UNITS:
        raise place.wrong(not_one_of(sla.unit, UNITS))
    return UNITS[sla.unit]


def _severity(sla: ServiceLevelAgreementProperty, place: Place) -> str:
    for i, custom in enumerate(sla.customProperties or []):
        if custom.property == SEVERITY:
            return severity_of(custom.value, place / f"customProperties[{i}] ({SEVERITY})")
    return WARNING
