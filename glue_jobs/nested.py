"""Fields inside arrays and objects: those the contract names, and the others."""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl

from causeway.contract import Column

AS_WRITTEN: Any = {"parse_float": str, "parse_int": str, "parse_constant": str}
HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")  # a surrogate; JSON may escape one alone, text has none


def parsed(text: str | None) -> Any:
    """The JSON value, its numbers as they are written; for what is none, a text."""
    try:
        value = None if text is None else json.loads(text, **AS_WRITTEN)
        if text and HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text
    return value


def known_fields(values: pl.Expr, dtype: Any, column: Column) -> pl.Expr:
    """Typed values with the contract's fields alone, under the names they have there."""
    if isinstance(dtype, pl.List) and column.items:
        return values.list.eval(known_fields(pl.element(), dtype.inner, column.items))
    if not isinstance(dtype, pl.Struct) or not column.properties:
        return values
    there = {field.name: field.dtype for field in dtype.fields}
    parts = [
        known_fields(values.struct.field(part.field), there[part.field], part).alias(part.name)
        for part in column.properties
        if part.field in there
    ]
    return pl.when(values.is_not_null()).then(pl.struct(parts)) if parts else values


def unknown_fields(raw: pl.Series, column: Column) -> pl.Series:
    """What each value holds beyond the contract, as JSON in the value's own shape; null where nothing."""
    if raw.dtype == pl.String:
        rests = [_rest_of_text(text, column) for text in raw]
    elif _may_hold_more(raw.dtype, column):
        rests = [_as_json(_beyond(value, column, typed=True)) for value in raw]
    else:
        rests = [None] * len(raw)
    return pl.Series(rests, dtype=pl.String)


def _rest_of_text(text: str | None, column: Column) -> str | None:
    if text is None or _beyond(parsed(text), column) is None:
        return None
    try:
        return _as_json(_beyond(json.loads(text), column))
    except RecursionError:
        return text


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)


def _beyond(value: Any, column: Column, *, typed: bool = False) -> Any:
    """None where nothing is; of typed values, all of which have all fields, a null is nothing."""
    if column.items and isinstance(value, list):
        rests = [_beyond(item, column.items, typed=typed) for item in value]
        return rests if any(rest is not None for rest in rests) else None  # whole, so that places stay
    if not column.properties or not isinstance(value, dict):
        return None
    known, rest = {part.field: part for part in column.properties}, {}
    for key, field in value.items():
        if key not in known:
            if field is not None or not typed:
                rest[key] = field
        elif (inner := _beyond(field, known[key], typed=typed)) is not None:
            rest[key] = inner
    return rest or None


def _may_hold_more(dtype: Any, column: Column) -> bool:
    if isinstance(dtype, pl.List) and column.items:
        return _may_hold_more(dtype.inner, column.items)
    if not isinstance(dtype, pl.Struct) or not column.properties:
        return False
    known = {part.field: part for part in column.properties}
    return any(
        field.name not in known or _may_hold_more(field.dtype, known[field.name]) for field in dtype.fields
    )
