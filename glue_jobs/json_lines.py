"""JSON Lines to columns of text, by DuckDB's JSON functions: each line is parsed twice and copied once."""

from __future__ import annotations

import json
from functools import cache

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from causeway.contract import RESCUED, Column, Contract
from glue_jobs.csv_lines import Records
from glue_jobs.model import Misfit, Parsed, Unreadable, text

EXACT_DIGITS = 16  # from which a JSON number with a fraction may have lost digits as a double


@cache
def _duck() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": pl.thread_pool_size()})


def _query(sql: str, lines: pa.Array) -> pl.DataFrame:
    cursor = _duck().cursor()
    cursor.register("lines", pa.table({"l": lines}))
    frame = pl.from_arrow(cursor.sql(sql).to_arrow_table(), rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame


def parse_jsonl(data: bytes, records: Records, contract: Contract, *, whole: bool) -> Parsed:
    lines = _strings(data, records)
    ok = _query("SELECT json_valid(l) AND ltrim(l, E' \\t\\r\\n')[1] = '{' AS ok FROM lines", lines)["ok"].to_numpy()
    if whole and not ok.any() and not any(data[start : start + 1] == b"{" for start in records.start):
        raise Unreadable("format", "no line is a JSON object")
    misfits = [_misfit(data, records, i, "not a JSON object") for i in np.flatnonzero(~ok)]
    if misfits:
        records = records[ok]
        lines = _strings(data, records)
    frame = _extract(lines, contract)
    suspects, unknown = _unknown_fields(data, lines, frame, contract)
    frame = frame.with_columns(_line=records.line, _start=records.start, _end=records.end)
    frame = frame.with_columns(pl.Series(RESCUED, [None] * frame.height, pl.String).scatter(suspects, unknown["rest"]))
    twice = suspects.filter(unknown["twice"])
    if len(twice):
        misfits += [_misfit(data, records, i, "a key occurs twice") for i in twice]
        kept = np.ones(len(records), np.bool_)
        kept[twice.to_numpy()] = False
        frame = frame.filter(kept)
    return Parsed(_exact_numbers(frame, data, contract), data, misfits=misfits)


def _strings(data: bytes, records: Records) -> pa.Array:
    """The records as strings without copying: each runs to the next one's start, for blanks after JSON are allowed."""
    if not len(records):
        return pa.array([], pa.large_string())
    gaps = records.start[1:] != records.next[:-1]
    if gaps.any():
        data = b"".join([memoryview(data)[s:e] for s, e in zip(records.start, records.next, strict=True)])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(records.next - records.start)])
    else:
        offsets = np.append(records.start, records.next[-1])
    return pa.LargeStringArray.from_buffers(len(records), pa.py_buffer(offsets), pa.py_buffer(data))


def _misfit(data: bytes, records: Records, i: int, message: str) -> Misfit:
    start, end = int(records.start[i]), int(records.end[i])
    return Misfit(int(records.line[i]), start, text(data[start:end]), "json", message)


def _extract(lines: pa.Array, contract: Contract) -> pl.DataFrame:
    """Each field as text: a string's content, a number as written, arrays and objects as JSON."""
    names = [column.name for column in contract.inputs]
    pointers = ["/" + c.field.replace("~", "~0").replace("/", "~1") for c in contract.inputs]
    if not len(lines):
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
    listed = _query(f"SELECT json_extract_string(l, {_sql_list(pointers)}) AS v FROM lines", lines)["v"]
    flat = listed.explode()
    frame = pl.DataFrame({name: flat.gather_every(len(names), i) for i, name in enumerate(names)})
    return frame.with_columns(pl.col(n).replace(null, None) for n in names for null in contract.nulls)


def _sql_list(values: list[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"


def _unknown_fields(
    data: bytes, lines: pa.Array, frame: pl.DataFrame, contract: Contract
) -> tuple[pl.Series, pl.DataFrame]:
    """Which lines may hold more keys than the contract knows, and what they hold beyond it."""
    colons = pl.Series(pc.count_substring(lines, '":'))
    if any(spaced in data for spaced in (b'" :', b'"\t:')):
        suspects = pl.Series(np.arange(len(lines)))
    else:
        known = frame.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
        suspects = (colons > known).arg_true()
    patch = json.dumps(dict.fromkeys((c.field for c in contract.inputs)), ensure_ascii=False).replace("'", "''")
    unknown = _query(
        f"SELECT nullif(json_merge_patch(l, '{patch}')::VARCHAR, '{{}}') AS rest,"
        " len(json_keys(l)) > len(list_distinct(json_keys(l))) AS twice FROM lines",
        lines.take(pa.array(suspects.to_numpy())),
    )
    return suspects, unknown


def _exact_numbers(frame: pl.DataFrame, data: bytes, contract: Contract) -> pl.DataFrame:
    """Long decimals again, from the text itself."""
    for column in contract.inputs:
        if not _wants_exact(column):
            continue
        value = frame[column.name]
        long = ((value.str.len_bytes() >= EXACT_DIGITS) & value.str.contains("[.eE]")).arg_true()
        if len(long):
            where = frame.select("_start", "_end")[long].iter_rows()
            texts = [json.loads(data[s:e], parse_float=str).get(column.field) for s, e in where]
            frame = frame.with_columns(value.scatter(long, pl.Series([str(t) for t in texts], dtype=pl.String)))
    return frame


def _wants_exact(column: Column) -> bool:
    return column.type == "integer" or column.precision is not None
