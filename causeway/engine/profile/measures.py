"""What a column measures, and so which numbers say something of it."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from causeway.contract.model import RESCUED, Contract
from causeway.contract.schema import LINEAGE

# A quantity has a mean; a flag is true or false; a category is one of some; an identifier names a row or a
# thing, and relates to nothing; of what is nested, only nulls are counted.
QUANTITY, FLAG, CATEGORY, IDENTIFIER, NESTED = "quantity", "flag", "category", "identifier", "nested"


def measures_of(contract: Contract, names: Iterable[str]) -> dict[str, str]:
    """Of these columns of its table, without the lineage: what the contract says, or follows from the type.

    A column that came with files is text, and a category; what is rescued compares with nothing.
    """
    known = {column.name: column.measured for column in contract.columns} | {RESCUED: IDENTIFIER}
    return {name: known.get(name, CATEGORY) for name in names if name not in LINEAGE.names}


def numbers(values: pl.Series) -> pl.Series:
    """As doubles: dates as days, timestamps as seconds, times as seconds of the day, flags as 0 and 1.

    What is no number, or infinite, is null: it has a count of its own, and no place in a mean.
    """
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.epoch("us").cast(pl.Float64) / 1e6
    if values.dtype == pl.Time:
        return values.cast(pl.Int64).cast(pl.Float64) / 1e9
    if values.dtype == pl.Date:
        return values.cast(pl.Int32).cast(pl.Float64)
    return finite(values).cast(pl.Float64)


def finite(values: pl.Series) -> pl.Series:
    """Without what is no number or infinite; and 0.0 is one value, whatever its sign."""
    if not values.dtype.is_float():
        return values
    return values.set(~values.is_finite(), None).set(values == 0, 0.0)


def texts(values: pl.Series) -> pl.Series:
    """Each value as people and JSON have it."""
    if values.dtype == pl.Binary:
        return values.bin.encode("hex")
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.to_string("iso:strict")
    return values.cast(pl.String)
