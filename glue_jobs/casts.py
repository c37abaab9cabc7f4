"""From text (or another type) to the contract's type: null where the value is not one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa

from causeway.contract import Column

FIRST_DAY, LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))

Cast = Callable[[pl.Series, Column], pl.Series]


@cache
def polars_type(column: Column) -> Any:
    return pl.Series(pa.array([], column.arrow_type())).dtype


def cast(raw: pl.Series, column: Column) -> pl.Series:
    if raw.dtype != pl.String:
        return _retype(raw, column)
    if column.type == "string":
        return raw
    value = CASTS[column.type](raw, column)
    if column.type in SECOND_TRY and not column.format and value.null_count() > raw.null_count():
        failed = (value.is_null() & raw.is_not_null()).arg_true()
        value = value.scatter(failed, SECOND_TRY[column.type](raw.gather(failed), column))
    return value


def _retype(raw: pl.Series, column: Column) -> pl.Series:
    """Typed values (of Parquet): only a change that loses nothing."""
    target = polars_type(column)
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
        return raw
    try:
        value = raw.cast(target, strict=False)
        same = value.cast(raw.dtype, strict=False) == raw
    except pl.exceptions.PolarsError:  # no way between the two types
        return pl.Series(raw.name, [None] * len(raw), target)
    if column.type == "number" and raw.dtype.is_float() and column.precision is None:
        return value  # a narrower float is what the contract asks for
    return _only(value, same)


def _only(value: pl.Series, allowed: pl.Series) -> pl.Series:
    if allowed.all():
        return value
    return value.to_frame("v").select(pl.when(allowed).then("v"))["v"]


def _integer(raw: pl.Series, column: Column) -> pl.Series:
    return raw.cast(polars_type(column), strict=False)


def _whole_number(raw: pl.Series, column: Column) -> pl.Series:
    """Writers without a null for integers make them floats: 270.0."""
    return _integer(raw.str.replace(r"^([+-]?\d+)\.0+$", "${1}"), column)


def _number(raw: pl.Series, column: Column) -> pl.Series:
    value = raw.cast(polars_type(column), strict=False)
    if column.precision is None:
        return _only(value, value.is_finite())
    # More digits than the scale would have been rounded.
    digits = rf"^[+-]?(\d+(\.\d{{0,{column.scale}}}0*)?|\.\d{{1,{max(column.scale, 1)}}}0*)$"
    return _only(value, raw.str.contains(digits))


def _boolean(raw: pl.Series, column: Column) -> pl.Series:
    text = pl.col("t")
    value = pl.when(text == "true").then(True).when(text == "false").then(False)
    return raw.alias("t").to_frame().select(value.alias("v"))["v"]


def _other_boolean(raw: pl.Series, column: Column) -> pl.Series:
    return _boolean(raw.str.to_lowercase().replace({"1": "true", "0": "false"}), column)


def _date(raw: pl.Series, column: Column) -> pl.Series:
    return _in_range(raw.str.to_date(column.format or "%Y-%m-%d", strict=False, cache=False))


def _timestamp(raw: pl.Series, column: Column) -> pl.Series:
    return _moment(
        raw, column.format or ("%Y-%m-%dT%H:%M:%SZ" if column.timezone else "%Y-%m-%dT%H:%M:%S"), column
    )


def _iso_timestamp(raw: pl.Series, column: Column) -> pl.Series:
    """What else ISO 8601 and SQL write: a space, fractions, no seconds, an offset or none."""
    value = pl.Series(raw.name, [None], polars_type(column)).new_from_index(0, len(raw))
    if not raw.str.contains(r"^\s*[+-]?\d+-\d+-\d+").any():
        return value  # each form costs more than the look at all of them
    raw = raw.str.replace(r"^(\d{4}-\d{2}-\d{2}) ", "${1}T").str.replace("Z$", "+00:00")
    zoned = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z") if column.timezone else ()
    for form in (*zoned, "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"):
        missing = value.is_null().arg_true()
        if len(missing):
            value = value.scatter(missing, _moment(raw.gather(missing), form, column))
    return value


def _moment(raw: pl.Series, form: str, column: Column) -> pl.Series:
    value = raw.str.to_datetime(form, strict=False, time_unit="us", cache=False)
    if column.timezone and not value.dtype.time_zone:  # type: ignore[attr-defined]
        zone = "UTC" if form.endswith("Z") else column.timezone
        value = value.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone(
            "UTC"
        )
    return _in_range(value)


def _in_range(value: pl.Series) -> pl.Series:
    """Years that every reader knows: 1 to 9999. Compared as the integers they are, which costs a third."""
    day = 1 if value.dtype == pl.Date else 86_400_000_000  # microseconds
    first, after = FIRST_DAY * day, (LAST_DAY + 1) * day
    return _only(value, value.to_physical().is_between(first, after, closed="left"))


def _time(raw: pl.Series, column: Column) -> pl.Series:
    return raw.str.to_time(column.format or "%H:%M:%S%.f", strict=False)


def _nested(raw: pl.Series, column: Column) -> pl.Series:
    target = polars_type(column)
    shape = list if column.type == "array" else dict
    values = [_fitting(text, shape, target) for text in raw]
    return pl.Series(raw.name, values, target)


def _fitting(text: str | None, shape: type, target: Any) -> Any:
    """The JSON value if it fits the type, its unknown fields left out."""
    try:
        value = None if text is None else json.loads(text)
        fits = isinstance(value, shape) and not _deeper_than(DEEPEST, value)
        return pl.Series([value], dtype=target, strict=True)[0] if fits else None
    except (ValueError, TypeError, RecursionError, pl.exceptions.PolarsError):
        return None


def _deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most):
        nested = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)]
        level = [child for children in nested for child in children]
    return bool(level)


# Levels of arrays and objects. No contract declares as many, and Polars takes exponentially long.
DEEPEST = 32
CASTS: dict[str, Cast] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "time": _time,
    "array": _nested,
    "object": _nested,
}
SECOND_TRY: dict[str, Cast] = {
    "integer": _whole_number,
    "boolean": _other_boolean,
    "timestamp": _iso_timestamp,
    "time": lambda raw, column: raw.str.to_time("%H:%M", strict=False),
}
