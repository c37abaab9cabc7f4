"""JSON Lines to columns of text, by DuckDB: each line is parsed once, or twice where lines differ."""

from __future__ import annotations

import contextlib
import json

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from causeway.contract.model import RESCUED, Contract
from causeway.engine.json_text import dump_written, load_written
from causeway.engine.model import NOWHERE, Malformed, Parsed, Unreadable
from causeway.engine.read.json_numbers import REWRITTEN, as_written
from causeway.engine.read.json_sql import pointer, query, quoted
from causeway.engine.read.positions import CHUNK, Positions, count_before
from causeway.engine.read.records import Records, malformed
from causeway.flow.codes import Code

Chosen = NDArray[np.bool_]
SHAPES = "SELECT hash(json_keys(l)) AS shape FROM lines"


def parse_jsonl(data: bytes, records: Records, contract: Contract, *, whole: bool) -> Parsed:
    wrong: list[Malformed] = []
    lines = _strings(data, records)
    frame = _uniform(lines, data, records, contract)
    if frame is not None:
        unknown = _may_hold_more(data, records, contract)
        if len(unknown):
            suspects = lines.take(pa.array(unknown))
            unknown = unknown[_odd_shapes(suspects, query(SHAPES, suspects)["shape"], contract)[0]]
    else:
        shapes = _shapes(lines, data, records)
        ok = shapes.is_not_null().to_numpy()
        if whole and not ok.any() and not any(data[start : start + 1] == b"{" for start in records.start):
            raise Unreadable(Code.FORMAT, "no line is a JSON object")
        wrong = malformed(
            data, records, ~ok, Code.JSON, lambda i: _no_object(data[records.start[i] : records.end[i]])
        )
        if wrong:
            records, shapes = records[ok], shapes.drop_nulls()
            lines = _strings(data, records)
        odd, twice = _odd_shapes(lines, shapes, contract)
        if twice.any():
            wrong += malformed(data, records, twice, Code.JSON, "a key occurs twice")
            records, odd = records[~twice], odd[~twice]
            lines = _strings(data, records)
        unknown, frame = np.flatnonzero(odd), _extract(lines, contract)
    frame = as_written(frame, lines, contract)
    if contract.nulls:
        frame = frame.with_columns(pl.all().replace(contract.nulls, [None] * len(contract.nulls)))
    frame = frame.with_columns(_rescued(lines, unknown, contract))
    return Parsed(frame, records.start, records.end, records.line, data, malformed=wrong)


def _no_object(line: bytes) -> str:
    """Why a line is no record."""
    try:
        value, end = json.JSONDecoder().raw_decode(line.decode().strip())
    except (ValueError, RecursionError):
        return "not a JSON object"
    more = isinstance(value, dict) and end < len(line.decode().strip())
    return "more than one JSON object; write one a line" if more else "not a JSON object"


def _uniform(lines: pa.Array, data: bytes, records: Records, contract: Contract) -> pl.DataFrame | None:
    """Each field as text, if every line is an object that has every field once; None if one is not.

    Most files are such, and to try it takes half as long as to look at the lines' keys first.
    """
    if not len(records) or (np.frombuffer(data, np.uint8)[records.start] != ord("{")).any():
        return None
    shape = json.dumps({column.field: "VARCHAR" for column in contract.inputs}, ensure_ascii=False)
    sql = f"SELECT unnest(json_transform_strict(l, {quoted(shape)})) FROM lines"  # noqa: S608
    try:
        frame = query(sql, lines)
    except duckdb.Error:
        return None
    frame.columns = [column.name for column in contract.inputs]
    return frame


def _may_hold_more(data: bytes, records: Records, contract: Contract) -> Positions:
    """Lines that may hold fields beyond the contract's, of lines that all have the contract's fields.

    These have more colons after a quote or a blank than there are fields: {"a": 1, "b": 2} has two. A text
    may hold such a colon too, so what is returned is only suspected.
    """
    buffer = np.frombuffer(data, np.uint8)

    def chosen(start: int, stop: int) -> Chosen:
        marked: Chosen = buffer[start:stop] == ord(":")
        first = int(start == 0)  # before the first byte, which is none, stands nothing
        last = buffer[start + first - 1 : stop - 1]
        marked[first:] &= (last == ord('"')) | (last <= ord(" "))
        return marked

    fields, size = len(contract.inputs), len(buffer)
    colons = sum(np.count_nonzero(chosen(at, min(at + CHUNK, size))) for at in range(0, size, CHUNK))
    if colons == fields * len(records):
        return NOWHERE
    start, after = np.split(count_before(np.concatenate([records.start, records.next]), size, chosen), 2)
    return np.flatnonzero(after - start > fields)


def _shapes(lines: pa.Array, data: bytes, records: Records) -> pl.Series:
    """A hash of each line's keys: one for each shape. Null for what is not a JSON object."""
    try:
        shapes = query(SHAPES, lines)["shape"]
    except duckdb.InvalidInputException:  # some line is malformed; to ask each of them costs a third more
        shapes = query(
            "SELECT CASE WHEN json_valid(l) THEN hash(json_keys(l)) END AS shape FROM lines", lines
        )["shape"]
    first = np.frombuffer(data, np.uint8)[records.start] != ord("{")
    others = [
        i
        for i in map(int, np.flatnonzero(first))
        if not data[records.start[i] : records.end[i]].lstrip().startswith(b"{")
    ]
    return shapes.scatter(others, None) if others else shapes


def _odd_shapes(lines: pa.Array, shapes: pl.Series, contract: Contract) -> tuple[Chosen, Chosen]:
    """Which lines have unknown fields, and which a key twice. Lines of one shape have the same keys."""
    known = {column.field for column in contract.inputs}
    unknown, twice = [], []
    examples = pl.DataFrame({"shape": shapes}).with_row_index("at").group_by("shape").first()
    keys = query("SELECT json_keys(l) AS keys FROM lines", lines.take(examples["at"].to_arrow()))["keys"]
    for shape, names in zip(examples["shape"], keys, strict=True):
        if len(set(names)) < len(names):
            twice.append(shape)
        if set(names) - known:
            unknown.append(shape)
    return shapes.is_in(unknown).to_numpy(), shapes.is_in(twice).to_numpy()


def _rescued(lines: pa.Array, unknown: Positions, contract: Contract) -> pl.Series:
    """What these lines hold beyond the contract, as JSON: a merge patch of nulls takes known fields away."""
    nothing = pl.Series(RESCUED, [None], pl.String).new_from_index(0, len(lines))
    if not len(unknown):
        return nothing
    patch = json.dumps(dict.fromkeys(column.field for column in contract.inputs), ensure_ascii=False)
    sql = f"SELECT json_merge_patch(l, {quoted(patch)})::VARCHAR AS rest FROM lines"  # noqa: S608
    rests = query(sql, lines.take(pa.array(unknown)))["rest"]
    known = {column.field for column in contract.inputs}
    for i in rests.str.contains(REWRITTEN).arg_true():
        with contextlib.suppress(ValueError):  # nested too deep
            fields = load_written(lines[int(unknown[i])].as_py())
            rests[i] = dump_written({key: value for key, value in fields.items() if key not in known})
    return nothing.scatter(unknown, rests)


def _strings(data: bytes, records: Records) -> pa.Array:
    """The records as strings, not copied: each runs to the next one, for JSON may end in blanks."""
    if not len(records):
        return pa.array([], pa.large_string())
    gaps = records.start[1:] != records.next[:-1]
    if gaps.any():
        data = b"".join([memoryview(data)[s:e] for s, e in zip(records.start, records.next, strict=True)])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(records.next - records.start)])
    else:
        offsets = np.append(records.start, records.next[-1])
    return pa.LargeStringArray.from_buffers(len(records), pa.py_buffer(offsets), pa.py_buffer(data))


def _extract(lines: pa.Array, contract: Contract) -> pl.DataFrame:
    """Each field as text: a string's content, a number as written, arrays and objects as JSON."""
    names = [column.name for column in contract.inputs]
    if not len(lines):
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
    pointers = map(pointer, contract.inputs)
    fields = ", ".join(f"v[{i + 1}] AS c{i}" for i in range(len(names)))
    sql = f"SELECT {fields} FROM (SELECT json_extract_string(l, [{', '.join(pointers)}]) AS v FROM lines)"  # noqa: S608
    return query(sql, lines).rename({f"c{i}": name for i, name in enumerate(names)})
