"""A group's records as typed columns, beside the text they came from."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import polars as pl

from causeway.contract.model import RESCUED, Contract, is_name
from causeway.engine.check.casts import cast
from causeway.engine.check.expressions import compute
from causeway.engine.check.nested import as_text, unknown_fields
from causeway.engine.json_text import as_field, load_written
from causeway.engine.model import COMPUTED, EXTRA, FAILED, RAW, Group, Parsed

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
    rows = _keep_unknown_parts(pl.DataFrame(series), contract)
    rows = derived(rows, contract)
    places = [
        pl.DataFrame([np.full(len(p.line), i), p.line, p.start, p.end], schema=WHERE) for i, p in parsed
    ]
    return rows, pl.concat([pl.DataFrame(schema=WHERE), *places])


def derived(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Add the columns that are computed, one from those before it, and what the rules say of each row."""
    known = [column.name for column in contract.inputs]
    for column in contract.columns:
        if not column.transform:
            continue
        ((value, failed),) = compute(rows.select(known), [column.transform])
        # What it gave is taken as if it stood in a file.
        columns = [cast(value, column).alias(column.name), value.alias(COMPUTED + column.name)]
        rows = rows.with_columns(*columns, failed.alias(FAILED + column.name))
        known.append(column.name)
    for i, (value, failed) in enumerate(compute(rows.select(known), [rule.sql for rule in contract.rules])):
        rows = rows.with_columns(value.alias(f"{COMPUTED}_{i}"), failed.alias(f"{FAILED}_{i}"))
    return rows


def _unknown_fields(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Keep fields beyond the contract as its policy says: as new columns of text, or as one of JSON."""
    evolves = contract.on_schema_change == "evolve"
    if evolves and RESCUED in frame.columns:
        frame = _spread(frame)
    extra = [name for name in frame.columns if name.startswith(EXTRA)]
    frame = frame.with_columns(as_text(frame[name]).alias(name) for name in extra)
    if evolves:
        extra = _cannot_join(extra, contract)
    if not extra:
        return frame
    any_extra = pl.any_horizontal(pl.col(extra).is_not_null())
    fields = pl.struct(pl.col(name).alias(name.removeprefix(EXTRA)) for name in extra)
    rescued = pl.when(any_extra).then(fields.struct.json_encode()).alias(_rescued_as(contract))
    return frame.drop(extra).hstack(frame.select(rescued))


def _cannot_join(extra: list[str], contract: Contract) -> list[str]:
    """The new columns whose name is taken in the table, or is none that a contract could give a column."""
    taken = {column.name.lower() for column in contract.columns}  # Glue's catalog knows no case
    cannot = []
    for column in extra:
        name = column.removeprefix(EXTRA).lower()
        if name in taken or not is_name(name):
            cannot.append(column)
        taken.add(name)
    return cannot


def _rescued_as(contract: Contract) -> str:
    """Where the rescued fields stand: for a table that evolves, another new column."""
    return EXTRA + RESCUED if contract.on_schema_change == "evolve" else RESCUED


def _keep_unknown_parts(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Add fields inside arrays and objects that the contract does not name to the row's rescued ones."""
    name = _rescued_as(contract)
    for column in contract.inputs:
        parts = unknown_fields(rows[RAW + column.name], column)
        if parts is None:
            continue
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.String).alias(name))
        begun = pl.coalesce(pl.col(name).str.head(-1) + ",", pl.lit("{"))
        key = json.dumps(column.field, ensure_ascii=False) + ":"
        more = pl.concat_str(begun, pl.lit(key), pl.lit(parts), pl.lit("}"))
        rows = rows.with_columns(pl.when(pl.lit(parts).is_not_null()).then(more).otherwise(name).alias(name))
    return rows


def _spread(frame: pl.DataFrame) -> pl.DataFrame:
    """Make columns of text of the rescued JSON fields."""
    at = frame[RESCUED].is_not_null().arg_true()
    columns: dict[str, list[str | None]] = {}
    for i, rest in zip(at, frame[RESCUED].gather(at), strict=True):
        for key, value in _fields(rest):
            columns.setdefault(EXTRA + key, [None] * frame.height)[i] = value
    return frame.drop(RESCUED).with_columns(
        pl.Series(name, column, pl.String) for name, column in columns.items()
    )


def _fields(rest: str) -> list[tuple[str, str | None]]:
    """The fields of a JSON object, each as text."""
    try:
        return [(key, as_field(value)) for key, value in load_written(rest).items()]
    except ValueError:  # nested too deep
        return duckdb.execute("SELECT key, value ->> '$' FROM json_each(?)", [rest]).fetchall()
