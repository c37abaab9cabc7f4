"""From text (or another type) to the contract's type: null where the value is not one."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from causeway.contract.model import EPOCHS, Column
from causeway.engine.check.nested import parsed
from causeway.engine.check.retype import polars_type, retype, writable
from causeway.engine.check.spelling import (
    ENCODED,
    FIRST_DAY,
    LAST_DAY,
    digits,
    only,
    since_1970,
)

YEAR_1000 = (date(1000, 1, 1) - date(1970, 1, 1)).days
MICROSECONDS = len("2024-01-01T00:00:00.123456")
FINER = r"\.\d{6}\d*[1-9]"  # a fraction that microseconds cannot hold

Cast = Callable[[pl.Series, Column], pl.Series]


def cast(raw: pl.Series, column: Column) -> pl.Series:
    if raw.dtype != pl.String:
        return retype(raw, column)
    if column.type == "string":
        return only(raw, raw.str.contains(ENCODED[column.encoded])) if column.encoded else raw
    value = CASTS[column.type](raw, column)
    if column.type in SECOND_TRY and not column.format and value.null_count() > raw.null_count():
        failed = (value.is_null() & raw.is_not_null()).arg_true()
        value = value.scatter(failed, SECOND_TRY[column.type](raw.gather(failed), column))
    return value


def _integer(raw: pl.Series, column: Column) -> pl.Series:
    return digits(raw, column.spelling).cast(polars_type(column), strict=False)


def _whole_number(raw: pl.Series, column: Column) -> pl.Series:
    """Read 270.0 as 270: writers that have no null for integers make them floats."""
    plain = digits(raw, column.spelling).str.replace(r"^([+-]?\d+)\.0+$", "${1}")
    return plain.cast(polars_type(column), strict=False)


def _number(raw: pl.Series, column: Column) -> pl.Series:
    raw = digits(raw, column.spelling)
    value = raw.cast(polars_type(column), strict=False)
    if column.precision is None:
        return writable(value)
    # More digits than the scale would have been rounded.
    fits = rf"^[+-]?(\d+(\.\d{{0,{column.scale}}}0*)?|\.\d{{1,{max(column.scale, 1)}}}0*)$"
    return only(value, raw.str.contains(fits))


def _is_one_of(text: pl.Expr, spellings: tuple[str, ...]) -> pl.Expr:
    """Of so few that comparing each is faster than looking it up."""
    return functools.reduce(operator.or_, (text == spelling for spelling in spellings))


def _boolean(raw: pl.Series, column: Column) -> pl.Series:
    text, spelling = pl.col("t"), column.spelling
    true, false = spelling.true or ("true",), spelling.false or ("false",)
    value = pl.when(_is_one_of(text, true)).then(True).when(_is_one_of(text, false)).then(False)
    return raw.alias("t").to_frame().select(value.alias("v"))["v"]


def _other_boolean(raw: pl.Series, column: Column) -> pl.Series:
    if column.spelling.true:  # the contract says which there are
        return pl.Series([None], dtype=pl.Boolean).new_from_index(0, len(raw))
    return _boolean(raw.str.to_lowercase().replace({"1": "true", "0": "false"}), column)


def _date(raw: pl.Series, column: Column) -> pl.Series:
    form = column.format or "%Y-%m-%d"
    return _in_range(raw.str.to_date(form, strict=False, cache=False), raw, form)


def _timestamp(raw: pl.Series, column: Column) -> pl.Series:
    if column.format in EPOCHS:
        return since_1970(raw, column)
    return _moment(
        raw, column.format or ("%Y-%m-%dT%H:%M:%SZ" if column.timezone else "%Y-%m-%dT%H:%M:%S"), column
    )


def _iso_timestamp(raw: pl.Series, column: Column) -> pl.Series:
    """Read what else ISO 8601 and SQL write: a space, fractions, no seconds, an offset or none."""
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
    if form.endswith("z"):
        raw = raw.str.replace("Z$", "+00:00")
    value = raw.str.to_datetime(form, strict=False, time_unit="us", cache=False)
    if column.timezone and not value.dtype.time_zone:  # type: ignore[attr-defined]
        zone = "UTC" if form.endswith("Z") else column.timezone
        value = value.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone(
            "UTC"
        )
    if (raw.str.len_bytes().max() or 0) > MICROSECONDS:  # type: ignore[operator]
        value = only(value, ~raw.str.contains(FINER))
    return _in_range(value, raw, form)


def _in_range(value: pl.Series, raw: pl.Series, form: str) -> pl.Series:
    """Keep the years 1 to 9999, which every reader knows. Integers compare in a third of the time."""
    day = 1 if value.dtype == pl.Date else 86_400_000_000  # microseconds
    first, after = FIRST_DAY * day, (LAST_DAY + 1) * day
    value = only(value, value.to_physical().is_between(first, after, closed="left"))
    if "%Y" in form and (value.to_physical().min() or 0) < YEAR_1000 * day:  # type: ignore[operator]
        # Polars takes 24 for a year under %Y: the text must have its four digits.
        early = (value.to_physical() < YEAR_1000 * day).arg_true()
        wrong = [i for i in early if f"{value[i].year:04}" not in raw[i]]
        value = value.scatter(wrong, None) if wrong else value
    return value


def _time(raw: pl.Series, column: Column) -> pl.Series:
    return writable(raw.str.to_time(column.format or "%H:%M:%S%.f", strict=False))


def _nested(raw: pl.Series, column: Column) -> pl.Series:
    return pl.Series(raw.name, _fitted([parsed(text) for text in raw], column)[0])


def _fitted(values: Sequence[Any], column: Column) -> tuple[pa.Array, NDArray[np.bool_]]:
    """The values as the column's type, without unknown fields; and which do not fit it, and are null.

    [[1, 2], None, "x"] of an array of integers → [[1, 2], null, null], [False, False, True]. Items of all
    arrays are cast together, as one column, and cut again by the arrays' lengths.
    """
    if column.type not in SHAPES:
        wrong = _each(lambda v: isinstance(v, list | dict), values)
        texts = [str(v).lower() if isinstance(v, bool) else v if isinstance(v, str) else None for v in values]
        raw = pl.Series(texts, dtype=pl.String)
        typed = cast(raw, column)
        wrong |= (typed.is_null() & raw.is_not_null()).to_numpy()
        return typed.to_arrow().cast(column.arrow_type()), wrong
    shape = SHAPES[column.type]
    there: list[Any] = [v if isinstance(v, shape) else shape() for v in values]
    wrong = _each(lambda v: not isinstance(v, shape | None), values)
    missing = _each(lambda v: v is None, values)
    if column.items:
        inner, bad = _fitted([item for items in there for item in items], column.items)
        lengths = [len(items) for items in there]
        wrong[np.repeat(np.arange(len(there)), lengths)[bad]] = True
        offsets = pa.array(np.append(0, np.cumsum(lengths, dtype=np.int64)), pa.int32())
        return pa.ListArray.from_arrays(offsets, inner, mask=pa.array(wrong | missing)), wrong
    parts = []
    for part in column.properties:
        inner, bad = _fitted([fields.get(part.field) for fields in there], part)
        wrong |= bad
        parts.append(inner)
    fields = list(column.arrow_type())
    return pa.StructArray.from_arrays(parts, fields=fields, mask=pa.array(wrong | missing)), wrong


def _each(test: Callable[[Any], bool], values: Sequence[Any]) -> NDArray[np.bool_]:
    return np.fromiter(map(test, values), np.bool_, len(values))


SHAPES: dict[str, type] = {"array": list, "object": dict}
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
