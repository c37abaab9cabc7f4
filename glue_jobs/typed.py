"""A group's records as typed columns, beside the text they came from."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import polars as pl

from causeway.contract import RESCUED, Column, Contract
from glue_jobs.casts import cast, polars_type
from glue_jobs.checks import RAW, as_text
from glue_jobs.model import Group, Parsed
from glue_jobs.names import EXTRA

WHERE = {"_piece": pl.UInt32, "_line": pl.Int64, "_start": pl.Int64, "_end": pl.Int64}


def typed(contract: Contract, group: Group) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The group's rows: typed columns and, under RAW, what they came from; and where each row stands.

    Where: the place in the group, the line in the object, start and end in the block (as WHERE).
    """
    parsed = [(i, p) for i, (_, p) in enumerate(group) if isinstance(p, Parsed) and p.frame.width]
    frames = [_unknown_fields(p.frame, contract) for _, p in parsed]
    frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    series = []
    for column in contract.inputs:
        raw = frame[column.name] if column.name in frame.columns else nothing
        series += [cast(raw, column).alias(column.name), raw.alias(RAW + column.name)]
    series += [frame[name] for name in frame.columns if name.startswith(("_", EXTRA))]
    if RESCUED not in frame.columns:
        series.append(nothing.alias(RESCUED))
    rows = pl.DataFrame(series)
    for column in contract.columns:
        if column.transform:
            rows = rows.with_columns(_derived(column))
    where = [pl.DataFrame([np.full(len(p.line), i), p.line, p.start, p.end], schema=WHERE) for i, p in parsed]
    return rows, pl.concat([pl.DataFrame(schema=WHERE), *where])


def _derived(column: Column) -> pl.Expr:
    return pl.sql_expr(str(column.transform)).cast(polars_type(column), strict=False).alias(column.name)


def _unknown_fields(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Fields beyond the contract, as its policy wants them: new columns of text, or one of JSON."""
    extra = [name for name in frame.columns if name.startswith(EXTRA)]
    if contract.on_schema_change == "evolve":
        if RESCUED in frame.columns:
            frame = _spread(frame)
        return frame.with_columns(as_text(frame[name]).alias(name) for name in extra)
    if not extra:
        return frame
    fields = [as_text(frame[name]).alias(name.removeprefix(EXTRA)) for name in extra]
    some = frame.select(pl.any_horizontal(pl.col(extra).is_not_null())).to_series()
    rescued = pl.DataFrame(fields).select(
        pl.when(some).then(pl.struct(pl.all()).struct.json_encode()).alias(RESCUED)
    )
    return frame.drop(extra).hstack(rescued)


def _spread(frame: pl.DataFrame) -> pl.DataFrame:
    """Rescued JSON fields as columns of text."""
    at = frame[RESCUED].is_not_null().arg_true()
    columns: dict[str, list[str | None]] = {}
    for i, rest in zip(at, frame[RESCUED].gather(at), strict=True):
        for key, value in _fields(rest):
            columns.setdefault(EXTRA + key, [None] * frame.height)[i] = value
    return frame.drop(RESCUED).with_columns(
        pl.Series(name, column, pl.String) for name, column in columns.items()
    )


def _fields(rest: str) -> list[tuple[str, str | None]]:
    """The fields of a JSON object: strings as they are, other values as JSON."""
    try:
        fields = json.loads(rest).items()
    except RecursionError:  # nested deeper than Python's parser goes
        return duckdb.execute("SELECT key, value ->> '$' FROM json_each(?)", [rest]).fetchall()
    return [
        (key, value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False))
        for key, value in fields
    ]
