"""Parquet to columns of typed values: a row group is read at a time, and checked a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.contract.model import Contract
from causeway.engine.model import Fetch, Parsed, Slice, Unreadable
from causeway.engine.read.headers import check_names, named
from causeway.engine.read.stored import BLOCK, RangedFile
from causeway.flow.codes import Code

POLARS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)  # which is no Exception


def read_parquet(piece: Slice, fetch: Fetch, contract: Contract) -> Iterator[Parsed]:
    """The row groups that begin inside the slice."""
    if not piece.size:
        raise Unreadable(Code.EMPTY, "the object has no bytes")
    try:
        # INT96 in nanoseconds would wrap around for what migration tools write: 0001-01-01, 9999-12-31.
        source = pa.PythonFile(RangedFile(piece, fetch), mode="r")
        file = pq.ParquetFile(source, coerce_int96_timestamp_unit="us")
        check_names(file.schema_arrow.names, contract)
        groups, row = [], 0
        for i in range(file.num_row_groups):
            meta = file.metadata.row_group(i)
            if piece.start <= meta.column(0).data_page_offset < piece.stop:
                groups.append((i, row))
            row += meta.num_rows
        for i, row in groups:
            yield from _blocks(file.read_row_group(i), row, contract)
    except (pa.ArrowException, OSError, ValueError, *POLARS) as error:
        raise Unreadable(Code.FORMAT, f"not a Parquet file that can be read: {error}"[:1000]) from error


def _converted(dtype: pa.DataType) -> Callable[[pa.Array], pa.Array] | None:
    """How a type is read that no contract names: a UUID as its text, a map as an array of keys and values."""
    if dtype == pa.uuid():
        return lambda chunk: pa.array([None if v is None else str(v) for v in chunk.to_pylist()], pa.string())
    if pa.types.is_map(dtype):
        pair = pa.struct([("key", dtype.key_type), ("value", dtype.item_type)])
        return lambda chunk: pa.array(
            [v and [{"key": key, "value": value} for key, value in v] for v in chunk.to_pylist()],
            pa.list_(pair),
        )
    return None


def _readable(field: pa.Field) -> pa.Field:
    """The field as Polars can hold it, or Unreadable."""
    if pa.types.is_decimal256(field.type):
        return pa.field(field.name, pa.string())  # Polars panics over more than 38 digits
    dtype = _in_microseconds(field.type)
    if "decimal256" in str(dtype):
        raise Unreadable(Code.FORMAT, f"column {field.name!r}: {dtype} is not supported")
    return pa.field(field.name, dtype)


def _in_microseconds(dtype: pa.DataType) -> pa.DataType:
    """With times inside arrays and objects as a table holds them; a cast to it fails if they are finer."""
    if pa.types.is_struct(dtype):
        return pa.struct([pa.field(part.name, _fine(part.type)) for part in dtype])
    if pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
        return pa.large_list(_fine(dtype.value_type))
    return dtype


def _fine(dtype: pa.DataType) -> pa.DataType:
    return pa.time64("us") if pa.types.is_time64(dtype) else _in_microseconds(dtype)


def _blocks(table: pa.Table, row: int, contract: Contract) -> Iterator[Parsed]:
    """Blocks of the row group whose first row has the number `row`, from 0."""
    table.validate(full=True)  # Polars trusts that text is UTF-8, and panics over metadata that is not
    for i, field in enumerate(table.schema):
        if convert := _converted(field.type):
            table = table.set_column(i, field.name, [convert(chunk) for chunk in table.column(i).chunks])
    table = table.cast(pa.schema(map(_readable, table.schema)))
    height = max(1, len(table) * BLOCK // max(table.nbytes, 1))
    for first in range(0, max(len(table), 1), height):
        block = table.slice(first, height)
        rows = np.arange(row + first + 1, row + first + len(block) + 1)
        frame = pl.DataFrame(block)
        frame.columns = block.column_names  # Polars gives one without a name another
        yield Parsed(named(frame, contract), rows, rows, rows, size=block.nbytes)
