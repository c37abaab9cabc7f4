"""The contract's rules as Polars expressions over text columns and their typed twins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from causeway.contract import Column, Contract

RAW = "raw:"  # prefix of the text a typed column came from


@dataclass(frozen=True)
class Check:
    column: str
    code: str
    message: str  # {} is the text found
    broken: pl.Expr  # true where the row is at fault


def cast(raw: pl.Series, column: Column) -> pl.Series:
    """The text as the column's type; null where it is not one."""
    if raw.dtype != pl.String:
        return raw.cast(polars_type(column), strict=False)
    if column.type == "string":
        return raw
    value = CASTS[column.type](raw, column)
    failed = value.is_null() & raw.is_not_null()
    if column.type in SECOND_TRY and failed.any():
        mended = SECOND_TRY[column.type](raw.filter(failed), column)
        value = value.scatter(failed.arg_true(), mended)
    return value


def polars_type(column: Column) -> Any:
    return pl.from_arrow(column.arrow_type().wrap_array if False else _empty(column)).dtype  # type: ignore[union-attr]


def _empty(column: Column) -> Any:
    import pyarrow as pa

    return pa.array([], column.arrow_type())


def _number(raw: pl.Series, column: Column) -> pl.Series:
    if column.precision is not None:
        exact = rf"^[+-]?(\d+(\.\d{{0,{column.scale}}}0*)?|\.\d{{1,{max(column.scale, 1)}}}0*)$"
        value = raw.cast(pl.Decimal(column.precision, column.scale), strict=False)
        return value.to_frame("v").select(pl.when(raw.str.contains(exact)).then("v"))["v"]
    value = raw.cast(polars_type(column), strict=False)
    return value.to_frame("v").select(pl.when(pl.col("v").is_finite()).then("v"))["v"]


def _boolean(raw: pl.Series, column: Column) -> pl.Series:
    return raw.str.to_lowercase().replace_strict(
        {"true": True, "false": False, "1": True, "0": False}, default=None, return_dtype=pl.Boolean
    )


def _date(raw: pl.Series, column: Column) -> pl.Series:
    return _in_range(raw.str.to_date(column.format or "%Y-%m-%d", strict=False))


def _timestamp(raw: pl.Series, column: Column) -> pl.Series:
    if column.format:
        return _moment(raw, column.format, column)
    return _moment(raw, "%Y-%m-%dT%H:%M:%SZ" if column.timezone else "%Y-%m-%dT%H:%M:%S", column)


def _moment(raw: pl.Series, form: str, column: Column) -> pl.Series:
    value = raw.str.to_datetime(form, strict=False, time_unit="us")
    if column.timezone and value.dtype.time_zone is None:  # type: ignore[attr-defined]
        zone = "UTC" if form.endswith("Z") else column.timezone
        value = value.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
    return _in_range(value)


def _iso_timestamp(raw: pl.Series, column: Column) -> pl.Series:
    """What else ISO 8601 and SQL write: a space, fractions, no seconds, an offset, none."""
    raw = raw.str.replace(r"^(\d{4}-\d{2}-\d{2}) ", "${1}T")
    zoned = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z") if column.timezone else ()
    value = pl.Series(raw.name, [None] * len(raw), polars_type(column))
    if column.format:
        return value
    for form in (*zoned, "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"):
        missing = value.is_null().arg_true()
        if len(missing):
            value = value.scatter(missing, _moment(raw.gather(missing), form, column))
    return value


def _in_range(value: pl.Series) -> pl.Series:
    return value.to_frame("v").select(pl.when(pl.col("v").dt.year().is_between(1, 9999)).then("v"))["v"]


CASTS: dict[str, Any] = {
    "integer": lambda raw, column: raw.cast(polars_type(column), strict=False),
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "time": lambda raw, column: raw.str.to_time(column.format or "%H:%M:%S%.f", strict=False),
}
SECOND_TRY: dict[str, Any] = {
    "integer": lambda raw, column: raw.str.replace(r"\.0+$", "").cast(polars_type(column), strict=False),
    "timestamp": _iso_timestamp,
}


def checks(contract: Contract) -> list[Check]:
    return [check for column in contract.columns for check in column_checks(column)]


def column_checks(column: Column) -> Iterator[Check]:
    name, value, raw = column.name, pl.col(column.name), pl.col(RAW + column.name)
    if column.type != "string":
        yield Check(name, "type", f"{{}} is not {describe(column)}", raw.is_not_null() & value.is_null())
    if column.required:
        yield Check(name, "required", "is empty", raw.is_null())
    for code, sign, bound, broken in (
        ("minimum", "less than", column.minimum, lambda b: value < b),
        ("maximum", "more than", column.maximum, lambda b: value > b),
        ("minimum", "not more than", column.exclusive_minimum, lambda b: value <= b),
        ("maximum", "not less than", column.exclusive_maximum, lambda b: value >= b),
    ):
        if bound is not None:
            yield Check(name, code, f"{{}} is {sign} {bound}", broken(pl.lit(bound)))
    if column.multiple_of is not None:
        yield Check(name, "multiple_of", f"{{}} is not a multiple of {column.multiple_of}", value % column.multiple_of != 0)
    if column.min_length is not None:
        yield Check(name, "length", f"shorter than {column.min_length} characters", value.str.len_chars() < column.min_length)
    if column.max_length is not None:
        yield Check(name, "length", f"longer than {column.max_length} characters", value.str.len_chars() > column.max_length)
    if column.pattern is not None:
        yield Check(name, "pattern", f"{{}} does not match {column.pattern}", ~value.str.contains(column.pattern))
    if column.values:
        allowed = ", ".join(str(v) for v in column.values[:20])
        yield Check(name, "enum", f"{{}} is not one of {allowed}", ~value.is_in(list(column.values)))


def describe(column: Column) -> str:
    if column.precision is not None:
        return f"a decimal({column.precision},{column.scale})"
    article = "an" if column.type[0] in "aeiou" else "a"
    form = f" in the form {column.format}" if column.format else ""
    return f"{article} {column.bits}-bit {column.type}" if column.type == "integer" else f"{article} {column.type}{form}"


def find_faults(frame: pl.DataFrame, found: list[Check]) -> pl.DataFrame:
    """For rows already known to be bad: `_at` (row index) and the list of `faults`."""
    flags = frame.select(check.broken.fill_null(False).alias(str(i)) for i, check in enumerate(found))
    parts = []
    for i, check in enumerate(found):
        at = flags[str(i)].arg_true()
        if not len(at):
            continue
        name = RAW + check.column
        seen = frame[name].gather(at) if name in frame.columns else pl.Series(name, [None] * len(at), pl.String)
        message = pl.lit(check.message).str.replace_all("{}", pl.concat_str(pl.lit("'"), pl.col(name).cast(pl.String).fill_null("").str.slice(0, 200), pl.lit("'")), literal=True)
        parts.append(
            seen.to_frame(name).select(
                at.alias("_at"),
                pl.struct(column=pl.lit(check.column), code=pl.lit(check.code), message=message).alias("faults"),
            )
        )
    return pl.concat(parts).group_by("_at", maintain_order=True).agg("faults").sort("_at")
