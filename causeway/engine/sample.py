"""Sample files of a dataset whose contract is not known yet: their format, dialect and texts."""

from __future__ import annotations

import contextlib
import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.contract.model import Column, Contract, ContractError
from causeway.engine.json_text import load_json
from causeway.engine.local import fetch
from causeway.engine.model import Parsed, Slice, Unreadable
from causeway.engine.read.csv_rows import header_names
from causeway.engine.read.formats import read
from causeway.engine.read.headers import UNNAMED
from causeway.engine.read.json_rows import JSON_ARRAY
from causeway.engine.read.records import find_records
from causeway.engine.read.stored import BOM, HEAD, text_blocks

SAMPLE = 64 << 20  # bytes of each file


def read_sample(files: list[Path]) -> tuple[Contract, pl.DataFrame, set[str]]:
    """The files' format and columns, all their values as text, and the columns of strings in JSON."""
    shapes = [_shape(path) for path in files]
    columns = tuple({column.name: column for shape in shapes for column in shape.columns}.values())
    nulls = ("",) if shapes[0].format == "csv" else ()
    contract = replace(shapes[0], columns=columns, nulls=nulls)
    frames, texts = [], set()
    for path in files:
        size, seen = path.stat().st_size, 0
        try:
            for parsed in read(Slice(str(path), "local", 0, size, size), fetch, contract):
                known = [column.name for column in columns if column.name in parsed.frame.columns]
                frames.append(parsed.frame.select(known))
                if contract.format == "jsonl":
                    texts |= _strings_in(parsed)
                seen += parsed.size
                if seen >= SAMPLE:
                    break
        except Unreadable as error:
            raise ContractError(f"{path}: {error}") from error
    empty = pl.DataFrame(schema={column.name: pl.Null for column in columns})
    return contract, pl.concat([empty, *frames], how="diagonal_relaxed"), texts


def _strings_in(parsed: Parsed) -> set[str]:
    """The fields that are a JSON string in some of these lines."""
    names: set[str] = set()
    for start, end in zip(parsed.start, parsed.end, strict=True):
        with contextlib.suppress(ValueError, AttributeError):
            fields = load_json(parsed.data[start:end]).items()
            names |= {key for key, value in fields if isinstance(value, str)}
    return names


def _shape(path: Path) -> Contract:
    """Format, dialect and field names, every field being text so far."""
    piece = Slice(str(path), "local", 0, path.stat().st_size, path.stat().st_size)
    facts: dict[str, Any] = {}
    try:
        if fetch(piece.source, "", 0, 4) == b"PAR1":
            facts["format"], names = "parquet", pq.read_schema(piece.source).names
        else:
            first = next(text_blocks(piece, fetch, "utf-8"), (0, b""))[1].removeprefix(BOM)
            if first.lstrip().startswith(b"["):
                raise ContractError(f"{path}: {JSON_ARRAY}")
            if first.lstrip().startswith(b"{"):
                facts["format"], names = "jsonl", _keys(first)
            else:
                facts["delimiter"], names = _header(first)
    except (Unreadable, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: {error}") from error
    columns = tuple(Column(name, name, "string") for name in dict.fromkeys(names))
    if not any(names):
        raise ContractError(f"{path}: nothing in it names a column; is each record on a line of its own?")
    return Contract("draft", "0.1.0", columns, **facts)


def _header(data: bytes) -> tuple[str, list[str]]:
    """The delimiter and the names of a CSV file, read as `causeway check` reads them."""
    delimiter = max(",;\t|", key=data.split(b"\n", 1)[0].decode().count)
    draft = Contract("draft", "0.1.0", (), delimiter=delimiter)
    records = find_records(data[:HEAD], delimiter, draft.quote)
    if not len(records):
        return delimiter, []
    data[: records.end[0]].decode()
    return delimiter, [name for name in header_names(data, records, draft) if not name.startswith(UNNAMED)]


def _keys(data: bytes) -> list[str]:
    keys: dict[str, None] = {}
    for line in data.splitlines()[:-1][:10_000] or [data]:
        with contextlib.suppress(ValueError, AttributeError):
            keys |= dict.fromkeys(load_json(line).keys())
    return list(keys)
