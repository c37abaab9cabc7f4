"""From another type, of Parquet or of an expression, to the contract's: null where that loses something."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa

from causeway.contract.model import EPOCHS, Column
from causeway.engine.check.nested import as_text, known_fields
from causeway.engine.check.spelling import ENCODED, from_bytes, only, since_1970


@cache
def polars_type(column: Column) -> Any:
    return pl.Series(pa.array([], column.arrow_type())).dtype


def retype(raw: pl.Series, column: Column) -> pl.Series:
    """Cast typed values (of Parquet) where that loses nothing; the others become null."""
    target = polars_type(column)
    if raw.dtype.is_integer() and column.format in EPOCHS:
        return since_1970(raw.cast(pl.String), column)
    if column.type == "string":
        return from_bytes(raw, column) if raw.dtype == pl.Binary else _as_string(raw, column)
    if raw.dtype.is_nested():
        raw = raw.to_frame("v").select(v=known_fields(pl.col("v"), raw.dtype, column))["v"]
    if (
        isinstance(raw.dtype, pl.Datetime)
        and column.type == "timestamp"
        and not raw.dtype.time_zone
        and column.timezone
    ):
        raw = raw.dt.replace_time_zone(
            column.timezone, ambiguous="null", non_existent="null"
        ).dt.convert_time_zone("UTC")
    if raw.dtype == target:
        return writable(raw)
    try:
        value = raw.cast(target, strict=False)
        same = value.cast(raw.dtype, strict=False) == raw
        # A struct's fields may have been cast instead.
        fits = value.dtype == target and not _reread(raw.dtype, target)
    except pl.exceptions.PolarsError:
        fits = False
    if not fits:  # no way between the two types
        return pl.Series(raw.name, [None], target).new_from_index(0, len(raw))
    if column.type == "number" and raw.dtype.is_float() and column.precision is None:
        return writable(value)  # a narrower float is what the contract asks for
    return only(value, same)


def _as_string(raw: pl.Series, column: Column) -> pl.Series:
    """Another type's values as texts, where each reads back as itself."""
    if raw.dtype.is_nested() or isinstance(raw.dtype, pl.Duration):
        return as_text(raw)
    text = raw.cast(pl.String, strict=False)
    text = only(text, text.cast(raw.dtype, strict=False) == raw) if raw.dtype.is_numeric() else text
    return only(text, text.str.contains(ENCODED[column.encoded])) if column.encoded else text


def can_become(dtype: Any, column: Column) -> bool:
    """Whether there are values of this type that are the column's too; a text may be any."""
    target = polars_type(column)
    if dtype == pl.String or (target == pl.String and not dtype.is_nested()):
        return True
    days = (pl.Date, pl.Datetime)
    kinds = [(t.is_numeric(), t == pl.Boolean, isinstance(t, days), t == pl.Time) for t in (dtype, target)]
    same_kind = any(kinds[0]) and kinds[0] == kinds[1]
    return same_kind or (dtype.is_nested() and type(dtype) is type(target))


def _reread(raw: Any, target: Any) -> bool:
    """Whether numbers would be taken for times, or times for numbers, in whatever depth."""
    if isinstance(raw, pl.Struct) and isinstance(target, pl.Struct):
        fields = {field.name: field.dtype for field in raw.fields}
        return any(_reread(fields.get(field.name, field.dtype), field.dtype) for field in target.fields)
    if hasattr(raw, "inner") or hasattr(target, "inner"):
        return _reread(getattr(raw, "inner", raw), getattr(target, "inner", target))
    return bool((raw.is_numeric() and target.is_temporal()) or (raw.is_temporal() and target.is_numeric()))


def writable(value: pl.Series) -> pl.Series:
    """Keep what a table can hold: finite numbers, and times in microseconds, where Polars has nanoseconds."""
    if value.dtype == pl.Time:
        return only(value, value.to_physical() % 1000 == 0)
    return only(value, value.is_finite()) if value.dtype.is_float() else value
