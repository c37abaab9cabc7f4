"""The contract's rules as Polars expressions over typed columns and the text they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from causeway.contract import RESCUED, Column, Contract

RAW = "raw:"  # prefix of the column a typed column came from
FAULT = pl.Struct({"column": pl.String, "code": pl.String, "message": pl.String})


@dataclass(frozen=True)
class Check:
    column: str
    code: str
    message: str  # {} is the text found
    broken: pl.Expr  # true where the row is at fault


@dataclass(frozen=True)
class Checks:
    """A contract's checks, and what is asked of rows, built once: blocks are many, and building costs."""

    every: tuple[Check, ...]
    anything: pl.Expr  # whether a row breaks any
    each: tuple[pl.Expr, ...]  # whether it breaks each, as columns named by number


@lru_cache(maxsize=64)
def checks(contract: Contract) -> Checks:
    found = [check for column in contract.columns for check in column_checks(column)]
    for rule in contract.rules:
        found.append(Check(rule.column, "rule", f"breaks the rule {rule.name!r}", ~pl.sql_expr(rule.sql)))
    if contract.on_schema_change == "freeze":
        unknown = pl.col(RESCUED).is_not_null()
        found.append(Check(RESCUED, "schema", "fields the contract does not know: {}", unknown))
    flags = [check.broken.fill_null(False) for check in found]
    anything = pl.any_horizontal(flags) if flags else pl.repeat(False, pl.len())
    return Checks(tuple(found), anything, tuple(flag.alias(str(i)) for i, flag in enumerate(flags)))


def column_checks(column: Column) -> Iterator[Check]:
    name, value, raw = column.name, pl.col(column.name), pl.col(RAW + column.name)
    if column.transform:
        raw = value
    elif column.type != "string":
        yield Check(name, "type", f"{{}} is not {describe(column)}", raw.is_not_null() & value.is_null())
    if column.required:
        yield Check(name, "required", "is empty", raw.is_null())
    for code, says, bound, broken in (
        ("minimum", "less than", column.minimum, value.lt),
        ("maximum", "more than", column.maximum, value.gt),
        ("minimum", "not more than", column.exclusive_minimum, value.le),
        ("maximum", "not less than", column.exclusive_maximum, value.ge),
    ):
        if bound is not None:
            yield Check(name, code, f"{{}} is {says} {bound}", broken(bound))
    if column.multiple_of is not None:
        says = f"{{}} is not a multiple of {column.multiple_of}"
        yield Check(name, "multiple_of", says, value % column.multiple_of != 0)
    length = value.str.len_chars()
    if column.min_length is not None:
        yield Check(
            name, "length", f"shorter than {column.min_length} characters", length < column.min_length
        )
    if column.max_length is not None:
        yield Check(name, "length", f"longer than {column.max_length} characters", length > column.max_length)
    if column.pattern is not None:
        yield Check(
            name, "pattern", f"{{}} does not match {column.pattern}", ~value.str.contains(column.pattern)
        )
    if column.values:
        allowed = ", ".join(str(v) for v in column.values[:20])
        yield Check(name, "enum", f"{{}} is not one of {allowed}", ~value.is_in(list(column.values)))


def describe(column: Column) -> str:
    if column.precision is not None:
        return f"a decimal({column.precision},{column.scale})"
    if column.type == "integer":
        return f"a {column.bits}-bit integer"
    form = f" in the form {column.format}" if column.format else ""
    return f"{'an' if column.type[0] in 'ao' else 'a'} {column.type}{form}"


def faults(bad: pl.DataFrame, found: Checks) -> pl.Series:
    """All faults of each row."""
    flags = bad.select(found.each)
    parts = [
        _described(bad, check, flag.arg_true())
        for check, flag in zip(found.every, flags, strict=True)
        if flag.any()
    ]
    return pl.concat(parts).group_by("_at", maintain_order=True).agg("faults").sort("_at")["faults"]


def _described(bad: pl.DataFrame, check: Check, at: pl.Series) -> pl.DataFrame:
    message = pl.lit(check.message)
    if "{}" in check.message:
        before, after = check.message.split("{}")
        name = RAW + check.column if RAW + check.column in bad.columns else check.column
        shown = as_text(bad[name].gather(at))
        message = pl.concat_str(
            pl.lit(before + "'"), shown.fill_null("").str.slice(0, 200), pl.lit("'" + after)
        )
    fault = pl.struct(column=pl.lit(check.column), code=pl.lit(check.code), message=message)
    return at.alias("_at").to_frame().select("_at", fault.alias("faults"))


def as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        return pl.Series(values.name, [None if v is None else str(v) for v in values], pl.String)
    return values.cast(pl.String, strict=False)
