"""Numbers of JSON as they stand in the file, where a column asks for more than a double."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from causeway.contract.model import Column, Contract
from causeway.engine.json_text import as_field, load_written
from causeway.engine.read.json_sql import pointer, query

EXACT_DIGITS = 16  # from which a JSON number with a fraction may have lost digits as a double
LONG_NUMBER = rf"[0-9.eE+-]{{{EXACT_DIGITS}}}"
REWRITTEN_OR_NESTED = r"^(?:-?[0-9]+[.eE]|0$|[{\[])"
REWRITTEN = r"[0-9][.eE]|(?:^|[:,\[])0(?:$|[,}\]])"  # DuckDB writes 1.50 as 1.5, 1e3 as 1000.0, -0 as 0
NONE = pl.Series([], dtype=pl.UInt32)
IS_FIRST = np.isin(np.arange(256), list(b"-0123456789[{"))  # by the byte that a text begins with


def as_written(frame: pl.DataFrame, lines: pa.Array, contract: Contract) -> pl.DataFrame:
    """Read from the line itself the numbers that DuckDB has rounded to doubles, or written in its own way."""
    for column in contract.inputs:
        value = frame[column.name]
        at = _rewritten(value, lines, column)
        if len(at):
            rows = zip(lines.take(at.to_arrow()).to_pylist(), value.gather(at), strict=True)
            texts = [_written(line, column.field, text) for line, text in rows]
            frame = frame.with_columns(value.scatter(at, pl.Series(texts, dtype=pl.String)))
    return frame


def _rewritten(value: pl.Series, lines: pa.Array, column: Column) -> pl.Series:
    """Where the text may not be what stands in the line, if the column asks for more than a double."""
    parts = list(column.with_parts())
    if column.type == "string":
        at = begin_like_numbers(value)
        at = at.filter(value.gather(at).str.contains(REWRITTEN_OR_NESTED)) if len(at) else at
        if not len(at):
            return NONE
        types = f"SELECT json_type(l, {pointer(column)}) AS t FROM lines"  # noqa: S608
        # A JSON string is what it is.
        at = at.filter(query(types, lines.take(at.to_arrow()))["t"] != "VARCHAR")
        return at.filter(value.gather(at).str.contains(REWRITTEN))
    if any(part.type == "string" for part in parts):
        suspected = value.str.contains(REWRITTEN)
    elif any(part.type == "integer" or part.precision is not None for part in parts):
        if (value.str.len_bytes().max() or 0) < EXACT_DIGITS:  # type: ignore[operator]
            return NONE
        suspected = value.str.contains(LONG_NUMBER) & value.str.contains("[.eE]")
    else:
        return NONE
    return suspected.arg_true()


def begin_like_numbers(value: pl.Series) -> pl.Series:
    """Which texts begin like a number or something nested (or are null, perhaps).

    Arrow's view of a text is its length, in four bytes, and the first bytes of the text: to look at the fifth
    costs a fifth of what comparing texts does. ["7", "a", "[1]"]: 0 and 2.
    """
    views = value.to_arrow(compat_level=pl.CompatLevel.newest())
    bytes_of = np.frombuffer(views.buffers()[1], np.uint8).reshape(-1, 16)
    at = np.flatnonzero(IS_FIRST[bytes_of[views.offset : views.offset + len(views), 4]])
    return pl.Series(at.astype(np.uint32))


def _written(line: str, field: str, rounded: str) -> str | None:
    """The field as it stands there; no number when only a laxer parser than Python's reads the line."""
    try:
        return as_field(load_written(line).get(field))
    except ValueError:
        return rounded + "…"
