"""From blocks of text, or a Parquet file, to records in columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.contract import Contract
from glue_jobs.csv_lines import Records, find_records
from glue_jobs.json_lines import parse_jsonl
from glue_jobs.model import NOTHING, Fetch, Misfit, Parsed, Slice, Unreadable
from glue_jobs.model import text as as_text
from glue_jobs.stored import BOM, RangedFile, head, text_blocks

EXTRA = "extra:"  # prefix of columns that the contract does not know
MOSTLY = 0.1  # share of undecodable lines from which the object, not the line, is in the wrong encoding


def read(piece: Slice, fetch: Fetch, contract: Contract) -> Iterator[Parsed]:
    """The slice's records, a block at a time, so that memory does not grow with the object."""
    if contract.format == "parquet":
        yield from _read_parquet(piece, fetch, contract)
        return
    quote, delimiter = (contract.quote, contract.delimiter) if contract.format == "csv" else ("", None)
    names, carry, line = _names_elsewhere(piece, fetch, contract), b"", 0
    blocks = text_blocks(piece, fetch, contract.encoding)
    offset, block = next(blocks, (0, b""))
    if offset == 0 and block.startswith(BOM):
        offset, block = len(BOM), block[len(BOM) :]
    empty, last = piece.start == 0, False
    while not last:
        following = next(blocks, None)
        last = following is None
        data = carry + block if carry else block
        cut = len(data) if last else data.rfind(b"\n") + 1
        text = data[:cut]
        records = find_records(text, delimiter, quote)
        if not last and records.unclosed is not None:
            cut = records.unclosed
            text = data[:cut]
            records = find_records(text, delimiter, quote)
        carry = data[cut:]
        if len(records):
            empty = False
            if contract.format == "csv" and names is None:
                names, records = _csv_header(text, records, contract)
            parsed = _parse(text, records, names or [], contract, whole=piece.whole and line == 0 and last)
            yield _placed(parsed, piece, offset, line, records)
        elif records.lines:
            yield replace(NOTHING, lines=records.lines)
        offset, line = offset + cut, line + records.lines
        block = following[1] if following else b""
    if empty:
        raise Unreadable("empty", "the object has no records")


def _placed(parsed: Parsed, piece: Slice, offset: int, line: int, records: Records) -> Parsed:
    parsed.offset, parsed.lines = offset, records.lines
    parsed.line = parsed.line + line + 1
    parsed.misfits = [
        Misfit(m.line + line + 1, m.offset + parsed.offset, m.raw, m.code, m.message) for m in parsed.misfits
    ]
    parsed.torn = not piece.whole and bool(records.stray.any())
    return parsed


def _parse(data: bytes, records: Records, names: list[str], contract: Contract, *, whole: bool) -> Parsed:
    misfits: list[Misfit] = []
    if not _is_utf8(data):
        bad = np.array(
            [not _is_utf8(data[s:e]) for s, e in zip(records.start, records.end, strict=True)], np.bool_
        )
        if whole and bad.mean() > MOSTLY:
            raise Unreadable("encoding", "not UTF-8; say in the contract which encoding it is")
        misfits, records = _misfits(data, records, bad, "encoding", lambda i: "not UTF-8"), records[~bad]
    if contract.format == "jsonl":
        parsed = parse_jsonl(data, records, contract, whole=whole)
    else:
        parsed = _parse_csv(data, records, names, contract)
    parsed.misfits += misfits
    return parsed


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _misfits(data: bytes, records: Records, bad: Any, code: str, message: Any) -> list[Misfit]:
    found = []
    for i in np.flatnonzero(bad):
        start, end = int(records.start[i]), int(records.end[i])
        found.append(Misfit(int(records.line[i]), start, as_text(data[start:end]), code, message(i)))
    return found


# CSV


def _names_elsewhere(piece: Slice, fetch: Fetch, contract: Contract) -> list[str] | None:
    """Column names that do not stand at the slice's own start."""
    if contract.format != "csv":
        return None
    if not contract.header:
        return [column.field for column in contract.inputs]
    if piece.start == 0:
        return None
    first = head(piece, fetch).removeprefix(BOM)
    return _csv_header(first, find_records(first, contract.delimiter, contract.quote), contract)[0]


def _csv_header(data: bytes, records: Records, contract: Contract) -> tuple[list[str], Records]:
    line = io.StringIO(as_text(data[records.start[0] : records.end[0]]), newline="")
    how: dict[str, Any] = {"quotechar": contract.quote} if contract.quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(line, delimiter=contract.delimiter, **how)
    names = [name.strip() for name in next(reader)]
    check_names(names, contract)
    return names, records[1:]


def check_names(names: list[str], contract: Contract) -> None:
    """Whether these columns can satisfy the contract at all."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise Unreadable("header", f"column names occur twice: {', '.join(repeated)}")
    fields = [column.field for column in contract.inputs]
    missing = [column.field for column in contract.inputs if column.required and column.field not in names]
    if missing or not set(fields) & set(names):
        lack = ", ".join(missing or fields)
        raise Unreadable("header", f"columns are missing: {lack}; found: {', '.join(names)}"[:2000])
    unknown = [name for name in names if name not in fields]
    if unknown and contract.on_schema_change == "freeze":
        raise Unreadable("schema", f"columns the contract does not know: {', '.join(unknown)}")


def _parse_csv(data: bytes, records: Records, names: list[str], contract: Contract) -> Parsed:
    ragged = (records.fields != len(names)) & ~records.stray
    misfits = [
        *_misfits(
            data, records, records.stray, "quote", lambda i: "a quote inside a field, or one never closed"
        ),
        *_misfits(
            data, records, ragged, "fields", lambda i: f"{records.fields[i]} fields instead of {len(names)}"
        ),
    ]
    good = records[~(ragged | records.stray)] if misfits else records
    frame = _read_csv(data, good, names, contract)
    return Parsed(_named(frame, contract), good.start, good.end, good.line, data, misfits=misfits)


def _named(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The file's field names become the contract's column names."""
    known = {column.field: column.name for column in contract.inputs}
    return frame.rename({name: known.get(name, EXTRA + name) for name in frame.columns})


def _read_csv(data: bytes, records: Records, names: list[str], contract: Contract) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String())
    if not len(records):
        return pl.DataFrame(schema=schema)
    skipped = int(records.line[0])
    cuts = records.start[1:] != records.next[:-1]  # what stands between is left out
    if records.mended or cuts.any() or records.next[-1] < len(data):
        data, skipped = b"".join(_runs(data, records, cuts)), 0
    frame = pl.read_csv(
        data,
        has_header=False,
        skip_lines=skipped,
        schema=schema,
        separator=contract.delimiter,
        quote_char=contract.quote or None,
        null_values=[null for null in contract.nulls if null] or None,
        empty_string_is_null="" in contract.nulls,
    )
    if frame.height != len(records):
        raise Unreadable("structure", f"{len(records)} records, of which the parser saw {frame.height}")
    if "" in contract.nulls and records.doubled:
        return frame.with_columns(pl.all().replace("", None))  # an empty text is the same in quotes
    return frame


def _runs(data: bytes, records: Records, cuts: Any) -> Iterator[bytes | memoryview]:
    """The records alone, in as few stretches as they stand in, mended ones in their place."""
    mended = np.isin(records.start, list(records.mended))
    edges = np.flatnonzero(np.append(True, cuts | mended[1:] | mended[:-1]))
    view = memoryview(data)
    for first, after in pairwise([*edges, len(records)]):
        start = int(records.start[first])
        run = records.mended.get(start) or view[start : records.next[after - 1]]
        yield run
        if run[-1:] != b"\n" and after < len(records):
            yield b"\n"


# Parquet


def _read_parquet(piece: Slice, fetch: Fetch, contract: Contract) -> Iterator[Parsed]:
    """The row groups that begin inside the slice; a damaged one is found before any is given out."""
    if not piece.size:
        raise Unreadable("empty", "the object has no bytes")
    try:
        file = pq.ParquetFile(pa.PythonFile(RangedFile(piece, fetch), mode="r"))
        check_names(file.schema_arrow.names, contract)
        groups, row = [], 0
        for i in range(file.num_row_groups):
            meta = file.metadata.row_group(i)
            if piece.start <= meta.column(0).data_page_offset < piece.stop:
                groups.append((i, row))
            row += meta.num_rows
        if len(groups) > 1:
            for i, _ in groups:
                file.read_row_group(i)
        for i, row in groups:
            yield _from_arrow(file.read_row_group(i), row, contract)
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise Unreadable("format", f"not a Parquet file that can be read: {error}"[:1000]) from error


def _from_arrow(table: pa.Table, row: int, contract: Contract) -> Parsed:
    frame = pl.DataFrame(table)
    rows = np.arange(row + 1, row + frame.height + 1)
    return Parsed(_named(frame, contract), rows, rows, rows)
