"""From an object's bytes to records of text: decompression, encodings, CSV, JSON Lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa

from causeway.contract import Contract
from glue_jobs.csv_lines import Records, find_records
from glue_jobs.model import Misfit, Parsed, Unreadable, text

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"
MAX_OBJECT = 4 << 30  # bytes after decompression
MAX_RATIO = 200  # of decompression, beyond the first 64 MB
HUGE = 64 << 20
WHERE = {"_line": pl.Int64, "_start": pl.Int64, "_end": pl.Int64}


def parse(data: bytes, contract: Contract) -> Parsed:
    if not data:
        raise Unreadable("empty", "the object has no bytes")
    if contract.format == "parquet":
        return parse_parquet(data, contract)
    plain = decode(decompress(data), contract.encoding)
    if not plain.strip():
        raise Unreadable("empty", "the object has no records")
    return READERS[contract.format](plain, contract)


def decompress(data: bytes) -> bytes:
    """By content, not by name; a bomb is stopped while it unfolds."""
    codec = "gzip" if data.startswith(GZIP) else "zstd" if data.startswith(ZSTD) else None
    if codec is None:
        return data
    limit = min(MAX_OBJECT, max(HUGE, len(data) * MAX_RATIO))
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), codec) as stream:
            plain: bytes = stream.read(limit + 1)
    except (OSError, zlib.error) as error:
        raise Unreadable("compression", f"the {codec} stream is damaged: {error}") from error
    if len(plain) > limit:
        raise Unreadable("too_large", f"more than {limit:,} bytes come out of {len(data):,}")
    if codec == "gzip" and not _complete(data, len(plain)):
        raise Unreadable("compression", "the gzip stream ends early")
    return plain


def _complete(data: bytes, plain: int) -> bool:
    """A gzip member ends with the length of what it held, which a truncated one does not."""
    return int.from_bytes(data[-4:], "little") == plain % (1 << 32) or data.count(GZIP) > 1


def decode(data: bytes, encoding: str) -> bytes:
    """As UTF-8 without a byte order mark."""
    if encoding.lower().replace("-", "") not in ("utf8", "ascii"):
        try:
            return data.decode(encoding).encode().removeprefix(BOM)
        except (UnicodeDecodeError, LookupError) as error:
            raise Unreadable("encoding", f"not {encoding}: {error}") from error
    data = data.removeprefix(BOM)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4096]:
        raise Unreadable("encoding", "not UTF-8 text (binary, or UTF-16?)")
    if not _is_utf8(data):
        raise Unreadable("encoding", "not UTF-8; set the contract's encoding if it is another one")
    return data


def _is_utf8(data: bytes) -> bool:
    offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def parse_csv(data: bytes, contract: Contract) -> Parsed:
    records = find_records(data, contract.delimiter, contract.quote)
    names, records = _csv_names(data, records, contract)
    ragged = records.fields != len(names)
    wrong = ragged | records.stray
    misfits = [_csv_misfit(data, records, i, len(names)) for i in np.flatnonzero(wrong)]
    good = records[~wrong] if misfits else records
    body, first = data, int(good.start[0]) if len(good.start) else len(data)
    contiguous = len(good.start) and good.end[-1] - first + 2 * len(good.start)
    if len(good.start) != records.lines - int(records.line[0] if len(records.line) else 1) + 1 or not contiguous:
        body, first = b"\n".join(data[s:e] for s, e in zip(good.start, good.end, strict=True)), 0
    frame = _read_csv(body[first:] if first else body, names, contract)
    if frame.height != len(good.start):
        raise Unreadable("structure", f"{len(good.start)} records, of which the parser saw {frame.height}")
    frame = frame.with_columns(_line=good.line, _start=good.start, _end=good.end)
    known = {column.field: column.name for column in contract.columns if not column.transform}
    extra = tuple(name for name in names if name not in known)
    return Parsed(frame.rename({n: known[n] for n in names if n in known}), data, misfits, extra)


def _csv_names(data: bytes, records: Records, contract: Contract) -> tuple[list[str], Records]:
    inputs = [column for column in contract.columns if not column.transform]
    if not contract.header:
        return [column.field for column in inputs], records
    header = text(data[records.start[0] : records.end[0]])
    dialect = {"quotechar": contract.quote} if contract.quote else {"quoting": csv.QUOTE_NONE}
    names = [name.strip() for name in next(csv.reader([header], delimiter=contract.delimiter, **dialect))]  # type: ignore[arg-type]
    check_names(names, contract)
    return names, records[np.arange(len(records.start)) > 0]


def check_names(names: list[str], contract: Contract) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise Unreadable("header", f"column names occur twice: {', '.join(repeated)}")
    inputs = [column for column in contract.columns if not column.transform]
    missing = [column.field for column in inputs if column.required and column.field not in names]
    if missing:
        raise Unreadable("header", f"required columns are missing: {', '.join(missing)}; found: {', '.join(names)}")
    if not any(column.field in names for column in inputs):
        raise Unreadable("header", f"no column of the contract; found: {', '.join(names)[:500]}")
    unknown = [name for name in names if name not in {column.field for column in inputs}]
    if unknown and contract.on_schema_change == "freeze":
        raise Unreadable("schema", f"columns the contract does not know: {', '.join(unknown)}")


def _csv_misfit(data: bytes, records: Records, i: int, expected: int) -> Misfit:
    raw = text(data[records.start[i] : records.end[i]])
    if records.stray[i]:
        return Misfit(int(records.line[i]), raw, "quote", "a quote inside a field, or one that is not closed")
    return Misfit(int(records.line[i]), raw, "fields", f"{records.fields[i]} fields instead of {expected}")


def _read_csv(body: bytes, names: list[str], contract: Contract) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String())
    if not body:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(
        body,
        has_header=False,
        schema=schema,
        separator=contract.delimiter,
        quote_char=contract.quote or None,
        null_values=[null for null in contract.nulls if null] or None,
        empty_string_is_null="" in contract.nulls,
    )


def parse_jsonl(data: bytes, contract: Contract) -> Parsed:
    records = find_records(data, "\n", "")
    known = {column.field: column.name for column in contract.columns if not column.transform}
    rows: dict[str, list[str | None]] = {name: [] for name in known.values()}
    misfits, kept, rescued = [], [], []
    for i, (start, end) in enumerate(zip(records.start, records.end, strict=True)):
        try:
            value = json.loads(data[start:end])
            if not isinstance(value, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            misfits.append(Misfit(int(records.line[i]), text(data[start:end]), "json", str(error)))
            continue
        kept.append(i)
        for field, name in known.items():
            rows[name].append(_json_text(value.pop(field, None)))
        rescued.append(json.dumps(value, ensure_ascii=False) if value else None)
    frame = pl.DataFrame({n: pl.Series(n, v, pl.String) for n, v in rows.items()})
    frame = frame.with_columns(_line=records.line[kept], _start=records.start[kept], _end=records.end[kept])
    return Parsed(frame.with_columns(_rescued=pl.Series(rescued, dtype=pl.String)), data, misfits)


def _json_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def parse_parquet(data: bytes, contract: Contract) -> Parsed:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Unreadable("format", f"not a Parquet file: {error}") from error
    check_names(frame.columns, contract)
    known = {column.field: column.name for column in contract.columns if not column.transform}
    extra = tuple(name for name in frame.columns if name not in known)
    frame = frame.rename({f: n for f, n in known.items() if f in frame.columns})
    zeros = np.zeros(frame.height, np.int64)
    frame = frame.with_columns(_line=np.arange(1, frame.height + 1), _start=zeros, _end=zeros)
    return Parsed(frame, b"", [], extra)


READERS: dict[str, Callable[[bytes, Contract], Parsed]] = {"csv": parse_csv, "jsonl": parse_jsonl}
