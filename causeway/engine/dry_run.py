"""Whether the engine could run a contract, asked before any file landed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

import polars as pl

from causeway.contract.load import load_contract
from causeway.contract.model import Column, Contract, ContractError
from causeway.engine.check.expressions import asked_columns
from causeway.engine.check.retype import can_become
from causeway.engine.check.rules import describe
from causeway.engine.check.typed import derived, typed
from causeway.engine.model import COMPUTED, FAILED


def dry_run(contract: Contract) -> None:
    """Raises ValueError for an expression, a pattern or a time zone that the engine could not use."""
    if not contract.inputs:
        raise ValueError("every column has a transformLogic; one at least must stand in the file")
    _refuse_expressions(typed(contract, [])[0], contract)
    for column in chain.from_iterable(whole.with_parts() for whole in contract.columns):
        label = "defaultTimezone"
        try:  # these speak only when there are values
            if column.timezone:
                pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(column.timezone)
            label = "pattern"
            pl.Series([""]).str.contains(column.pattern or "")
        except pl.exceptions.PolarsError as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{column.name or 'items'}: {label}: {reason}"[:500]) from error


def _refuse_expressions(rows: pl.DataFrame, contract: Contract) -> None:
    """Raise ValueError for those that can never give what is asked of them."""
    nulls = derived(rows.select(column.name for column in contract.inputs).clear(1), contract)
    asked: list[tuple[str, str, Column | None]] = [
        (c.name, f"{c.name}: transformLogic {c.transform!r}", c) for c in contract.columns if c.transform
    ]
    asked += [(f"_{i}", f"rule {rule.name!r}", None) for i, rule in enumerate(contract.rules)]
    private = {column.name for column in contract.columns if column.private}
    for one in contract.columns:
        told = private & set(asked_columns(one.transform or "NULL", rows))
        if told and not one.access:
            names = ", ".join(sorted(told))
            raise ValueError(
                f"{one.name}: computed from {names}, whose values the partner does not get; "
                "say the partnerAccess of this column too"
            )
    for name, label, column in asked:
        if (reason := nulls[FAILED + name][0]) is not None:
            raise ValueError(f"{label}: {reason}")
        given = rows[COMPUTED + name].dtype
        if column is None and given != pl.Boolean:
            raise ValueError(f"{label}: not a condition, for it gives {given}; expected true or false")
        if column is not None and not can_become(given, column):
            raise ValueError(f"{label}: gives {given}, which never is {describe(column)}")


def doubts(contract: Contract) -> Iterator[str]:
    """What works, but seldom as it was meant."""
    columns = {column.name: column for column in contract.columns}
    for name, transform in contract.partitioning:
        column = columns[name]
        bounded = column.max_length or column.values or column.pattern
        if transform == "identity" and column.type == "string" and not bounded:
            yield f"{name}: a partition for each value of a text without bounds; is that what you want?"


def load_runnable(path: Path) -> Contract:
    """The contract, if the engine can run its expressions and patterns; ContractError otherwise."""
    contract = load_contract(path)
    try:
        dry_run(contract)
    except ValueError as error:
        raise ContractError(f"{path}: schema[0]: {error}") from error
    for doubt in doubts(contract):
        print(f"causeway: {path}: {doubt}", file=sys.stderr)
    return contract
