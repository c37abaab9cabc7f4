"""Fields inside arrays and objects: those the contract names, and the others."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import polars as pl

from causeway.contract.model import Column
from causeway.engine.json_text import dump_written, load_written

Beyond = Callable[[Any], Any]

HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")  # a surrogate; JSON may escape one alone, text has none


def parsed(text: str | None) -> Any:
    """The JSON value, its numbers as they are written; for what is none, a text."""
    try:
        value = None if text is None else load_written(text, object_pairs_hook=_without_twins)
        if text and "\\u" in text and HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return text
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError if it has a key twice, of which one would be lost."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key occurs twice")
    return fields


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


def unknown_fields(raw: pl.Series, column: Column) -> pl.Series | None:
    """What each value holds beyond the contract, as JSON in the value's own shape; None if none does."""
    is_text = raw.dtype == pl.String
    beyond = _beyond(column, nulls=is_text)
    if beyond is None or (not is_text and beyond(_example(raw.dtype)) is None):
        return None
    if is_text:
        rests = [_written(beyond(parsed(text))) for text in raw]
    else:
        rests = [as_json(beyond(value)) for value in raw]
    return pl.Series(rests, dtype=pl.String) if any(rest is not None for rest in rests) else None


def _written(value: Any) -> str | None:
    return None if value is None else dump_written(value)


def as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=_text_of, ensure_ascii=False)


def _text_of(value: Any) -> str:
    """What JSON has no type for."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _beyond(column: Column, *, nulls: bool) -> Beyond | None:
    """What tells of a value the part that the column does not know, None where there is none.

    Without `nulls` an unknown field that is null is nothing: typed values have all fields of their type.
    """
    if column.items:
        return _beyond_array(_beyond(column.items, nulls=nulls))
    if not column.properties:
        return None
    known = {part.field: _beyond(part, nulls=nulls) for part in column.properties}

    def of_object(value: Any) -> Any:
        rest = {}
        for key, field in value.items() if isinstance(value, dict) else ():
            if key not in known:
                if nulls or field is not None:
                    rest[key] = field
            elif (inside := known[key]) and (inner := inside(field)) is not None:
                rest[key] = inner
        return rest or None

    return of_object


def _beyond_array(of_item: Beyond | None) -> Beyond | None:
    if of_item is None:
        return None

    def of_array(value: Any) -> Any:
        rests = [of_item(item) for item in value] if isinstance(value, list) else []
        return rests if any(rest is not None for rest in rests) else None  # whole, so that places stay

    return of_array


def _example(dtype: Any) -> Any:
    """A value of the type that has everything the type has."""
    if isinstance(dtype, pl.List):
        return [_example(dtype.inner)]
    if isinstance(dtype, pl.Struct):
        return {field.name: _example(field.dtype) for field in dtype.fields}
    return True


def as_text(values: pl.Series) -> pl.Series:
    """Each value as text, whole: arrays and objects as JSON, bytes as base64."""
    if values.dtype.is_nested():
        return pl.Series(values.name, [as_json(value) for value in values.to_list()], pl.String)
    if values.dtype == pl.Binary:
        return values.bin.encode("base64")
    if values.dtype == pl.Object:
        return pl.Series(values.name, [None if v is None else str(v) for v in values], pl.String)
    if isinstance(values.dtype, pl.Duration):
        return values.dt.to_string("iso")
    return values.cast(pl.String, strict=False)
