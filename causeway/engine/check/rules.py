"""The contract's rules as Polars expressions over typed columns and the text they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from textwrap import shorten
from typing import Any

import polars as pl

from causeway.contract.model import RESCUED, Column, Contract
from causeway.engine.check.nested import as_text
from causeway.engine.model import COMPUTED, FAILED, RAW
from causeway.flow.codes import Code

SHOWN = "\N{OBJECT REPLACEMENT CHARACTER}"  # in a message: where the text found stands
FAULT = pl.Struct({"column": pl.String, "code": pl.String, "message": pl.String})


@dataclass(frozen=True)
class Check:
    column: str
    code: str
    message: str  # SHOWN is the text of `shown` in the row
    broken: pl.Expr  # true where the row is at fault
    shown: str = ""  # a column of the rows


@dataclass(frozen=True)
class Checks:
    """A contract's checks, and what is asked of rows, built once: blocks are many, and building costs."""

    every: tuple[Check, ...]
    anything: pl.Expr  # whether a row breaks any
    each: tuple[pl.Expr, ...]  # whether it breaks each, as columns named by number


@lru_cache(maxsize=64)
def checks(contract: Contract) -> Checks:
    every = [check for column in contract.columns for check in _column_checks(column, contract.format)]
    for i, rule in enumerate(contract.rules):
        holds, failed = f"{COMPUTED}_{i}", f"{FAILED}_{i}"
        every.append(Check(rule.column, Code.RULE, f"breaks the rule {rule.name!r}", ~pl.col(holds)))
        every.append(_cannot_be_computed(rule.column, failed))
    if contract.on_schema_change == "freeze":
        unknown = pl.col(RESCUED).is_not_null()
        message = f"fields the contract does not know: '{SHOWN}'"
        every.append(Check(RESCUED, Code.SCHEMA, message, unknown, RESCUED))
    flags = [check.broken.fill_null(False) for check in every]
    anything = pl.any_horizontal(flags) if flags else pl.repeat(False, pl.len())
    return Checks(tuple(every), anything, tuple(flag.alias(str(i)) for i, flag in enumerate(flags)))


def _cannot_be_computed(column: str, failed: str) -> Check:
    return Check(column, Code.EXPRESSION, SHOWN, pl.col(failed).is_not_null(), failed)


def _column_checks(column: Column, format: str) -> Iterator[Check]:
    name, value, shown = column.name, pl.col(column.name), RAW + column.name
    missing = pl.col(shown).is_null()
    if column.transform:
        shown, failed = COMPUTED + name, FAILED + name
        missing = pl.col(shown).is_null() & pl.col(failed).is_null()
        yield _cannot_be_computed(name, failed)
    if column.type != "string" or column.encoded or format == "parquet" or column.transform:
        untyped = pl.col(shown).is_not_null() & value.is_null()
        yield Check(name, Code.TYPE, f"'{SHOWN}' is not {describe(column)}", untyped, shown)
    for path, code, message, broken in _value_checks(column, value, missing):
        if path:  # what is shown is the whole value
            rest = message.removeprefix(f"'{SHOWN}' ")
            message = f"{'.'.join(path)} in '{SHOWN}' {rest}"  # noqa: PLW2901
        yield Check(name, code, message, broken, shown)


Broken = tuple[tuple[str, ...], str, str, pl.Expr]  # path inside the value, code, message, true where broken


def _value_checks(column: Column, value: pl.Expr, missing: pl.Expr) -> Iterator[Broken]:
    length, unit = value.str.len_chars(), "characters"
    if column.type == "array":
        length, unit = value.list.len(), "items"
    rules: list[tuple[str, str, Any, Callable[[Any], pl.Expr]]] = [
        (Code.REQUIRED, "is empty", column.required or None, lambda _: missing),
        (Code.MINIMUM, f"'{SHOWN}' is less than {{}}", column.minimum, value.lt),
        (Code.MAXIMUM, f"'{SHOWN}' is more than {{}}", column.maximum, value.gt),
        (Code.MINIMUM, f"'{SHOWN}' is not more than {{}}", column.exclusive_minimum, value.le),
        (Code.MAXIMUM, f"'{SHOWN}' is not less than {{}}", column.exclusive_maximum, value.ge),
        (
            Code.MULTIPLE_OF,
            f"'{SHOWN}' is not a multiple of {{}}",
            column.multiple_of,
            lambda divisor: _is_no_multiple(value, divisor),
        ),
        (Code.LENGTH, f"is shorter than {{}} {unit}", column.min_length, length.lt),
        (Code.LENGTH, f"is longer than {{}} {unit}", column.max_length, length.gt),
        (
            Code.UNIQUE,
            "has an item twice",
            column.unique_items or None,
            lambda _: value.list.n_unique() < value.list.len(),
        ),
        (Code.PATTERN, f"'{SHOWN}' does not match {{}}", column.pattern, lambda p: ~value.str.contains(p)),
    ]
    for code, message, rule, broken in rules:
        if rule is not None:
            yield (), code, message.replace("{}", str(rule)), broken(rule)
    if column.values:
        allowed = ", ".join(str(v) for v in column.values[:20])
        yield (), Code.ENUM, f"'{SHOWN}' is not one of {allowed}", ~value.is_in(list(column.values))
    for part in column.properties:
        inner = value.struct.field(part.name)
        for path, code, message, wrong in _value_checks(part, inner, inner.is_null()):
            yield (part.name, *path), code, message, wrong & value.is_not_null()
    if column.items:
        for path, code, message, wrong in _value_checks(column.items, pl.element(), pl.element().is_null()):
            yield ("item", *path), code, message, value.list.eval(wrong.fill_null(False)).list.any()


def _is_no_multiple(value: pl.Expr, divisor: Any) -> pl.Expr:
    """Decided in decimal for floats, as they are written: 19.99 is a multiple of 0.01."""
    rest: pl.Expr = value % divisor
    if isinstance(divisor, float):
        exact = value.cast(pl.String).cast(pl.Decimal(38, 15), strict=False) % pl.lit(Decimal(repr(divisor)))
        rest = exact.cast(pl.Float64).fill_null(rest)
    return rest.ne(0)


def describe(column: Column) -> str:
    if column.precision is not None:
        return f"a decimal({column.precision},{column.scale})"
    if column.type == "integer":
        return f"a {column.bits}-bit integer"
    if column.items:
        return f"an array, each item {describe(column.items)}"
    if column.properties:
        parts = ", ".join(f"{part.name}: {describe(part)}" for part in column.properties)
        return f"an object with {shorten(parts, 200, placeholder=' …')}"
    form = f" in the form {column.format_text}" if column.format_text else ""
    form = " in UTF-8" if column.type == "string" and not form else form
    return f"{'an' if column.type[0] in 'ao' else 'a'} {column.type}{form}"


def faults(bad: pl.DataFrame, checks: Checks) -> pl.Series:
    """All faults of each row."""
    flags = bad.select(checks.each)
    parts = [
        _described(bad, check, flag.arg_true())
        for check, flag in zip(checks.every, flags, strict=True)
        if flag.any()
    ]
    return pl.concat(parts).group_by("_at", maintain_order=True).agg("faults").sort("_at")["faults"]


def _described(bad: pl.DataFrame, check: Check, at: pl.Series) -> pl.DataFrame:
    message = pl.lit(check.message)
    if SHOWN in check.message:
        before, after = check.message.split(SHOWN)
        shown = as_text(bad[check.shown].gather(at)).fill_null("")
        if check.code != Code.EXPRESSION:
            shown = shown.str.slice(0, 200)
        message = pl.concat_str(pl.lit(before), shown, pl.lit(after))
    fault = pl.struct(column=pl.lit(check.column), code=pl.lit(check.code), message=message)
    return at.alias("_at").to_frame().select("_at", fault.alias("faults"))
