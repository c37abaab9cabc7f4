"""Whether the engine could run a contract, asked before any file landed."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import chain
from pathlib import Path

import polars as pl

from causeway.contract.load import load_contract
from causeway.contract.model import Contract, ContractError
from causeway.engine.check.rules import checks
from causeway.engine.check.typed import typed
from causeway.engine.model import RAW


def dry_run(contract: Contract) -> None:
    """Raises ValueError for an expression, a pattern or a time zone that the engine could not use."""
    label = "transformLogic"
    try:
        frame = typed(contract, [])[0]
        label = "quality"
        for check in checks(contract).every:
            label = f"{check.column or 'row'}: {check.code}"
            if frame.select(check.broken).dtypes != [pl.Boolean]:
                raise ValueError(f"{label}: not a condition, for it is neither true nor false")
        # These speak only when there are values.
        for column in chain.from_iterable(whole.with_parts() for whole in contract.columns):
            label = f"{column.name or 'items'}: defaultTimezone"
            if column.timezone:
                pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(column.timezone)
            label = f"{column.name or 'items'}: pattern"
            if column.pattern is not None:
                pl.Series([""]).str.contains(column.pattern)
    except pl.exceptions.PolarsError as error:
        reason = re.sub(rf'"{RAW}[^"]*",? ?', "", " ".join(str(error).split()))
        raise ValueError(f"{label}: {reason}"[:500]) from error


def load_runnable(path: Path) -> Contract:
    """The contract, if the engine can run its expressions and patterns; ContractError otherwise."""
    contract = load_contract(path)
    try:
        dry_run(contract)
    except ValueError as error:
        raise ContractError(f"{path}: schema[0]: {error}") from error
    return contract
