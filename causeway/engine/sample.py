"""Sample files of a dataset whose contract is not known yet: their format, dialect and texts."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.contract.model import Column, Contract, ContractError
from causeway.engine.json_text import load_json
from causeway.engine.local import fetch
from causeway.engine.model import Parsed, Slice, Unreadable
from causeway.engine.read.csv_rows import header_names
from causeway.engine.read.dialect import preamble
from causeway.engine.read.formats import LAYOUT, read
from causeway.engine.read.headers import UNNAMED
from causeway.engine.read.json_layout import base_depth, find
from causeway.engine.read.records import Records, find_records
from causeway.engine.read.stored import BOM, HEAD, text_blocks

SAMPLE = 64 << 20  # bytes of each file
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Sample:
    """The files' format and columns, all their values as text, and what needs a person's look."""

    contract: Contract
    frame: pl.DataFrame
    texts: set[str]  # columns of strings in JSON
    malformed: list[str]  # where records are no rows, and why


def read_sample(files: list[Path]) -> Sample:
    """Raises ContractError for a file that cannot be read, with the reason."""
    shapes = [_shape(path) for path in files]
    columns = tuple({column.name: column for shape in shapes for column in shape.columns}.values())
    nulls = ("",) if shapes[0].format == "csv" else ()
    contract = replace(shapes[0], columns=columns, nulls=nulls)
    frames, texts, malformed = [], set(), []
    for path in files:
        size, seen = path.stat().st_size, 0
        try:
            for parsed in read(Slice(str(path), "local", 0, size, size), fetch, contract):
                known = [column.name for column in columns if column.name in parsed.frame.columns]
                frames.append(parsed.frame.select(known))
                if contract.format == "jsonl":
                    texts |= _strings_in(parsed)
                malformed += [f"{path.name}:{record.line}: {record.message}" for record in parsed.malformed]
                seen += parsed.size
                if seen >= SAMPLE:
                    break
        except Unreadable as error:
            raise ContractError(f"{path}: {error}") from error
    empty = pl.DataFrame(schema={column.name: pl.Null for column in columns})
    return Sample(contract, pl.concat([empty, *frames], how="diagonal_relaxed"), texts, malformed)


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
            if first.lstrip()[:1] in (b"{", b"["):
                facts["format"], names = "jsonl", _keys(first)
            else:
                facts, names = _header(first)
    except (Unreadable, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: {error}") from error
    columns = tuple(Column(name, name, "string") for name in dict.fromkeys(names))
    if not any(names):
        raise ContractError(f"{path}: nothing in it names a column; is each record on a line of its own?")
    return Contract("draft", "0.1.0", columns, **facts)


def _header(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """The dialect and the names of a CSV file, read as `causeway check` reads them."""
    head = data if len(data) <= HEAD else data[: data.rfind(b"\n", 0, HEAD) + 1] or data[:HEAD]
    excel = re.match(rb"sep=(.)\r?\n", head)
    delimiter = excel[1].decode() if excel else _delimiter(head)
    facts: dict[str, Any] = {"delimiter": delimiter}
    mark = delimiter.encode()
    if mark in head and head.count(mark) == head.count(mark + b" "):
        facts["skip_initial_space"] = True
    draft = replace(_with(delimiter), **facts)
    if not excel:
        facts |= _around(head, draft)
        draft = replace(draft, **facts)
    table = head[preamble(head, draft)[0] :]
    records = find_records(table, draft)
    if not len(records):
        return facts, []
    table[: records.end[0]].decode()
    return facts, [n for n in header_names(table, records, draft) if not n.startswith(UNNAMED)]


def _delimiter(head: bytes) -> str:
    """What cuts the first line into most fields; if nothing cuts it, what cuts most lines into as many."""
    first = head.split(b"\n", 1)[0].decode()
    if any(mark in first for mark in DELIMITERS) and not first.startswith("#"):
        return max(DELIMITERS, key=first.count)
    return max(DELIMITERS, key=lambda mark: _usual(find_records(head, _with(mark)))[1])


def _with(delimiter: str) -> Contract:
    return Contract("draft", "0.1.0", (), delimiter=delimiter)


def _usual(records: Records) -> tuple[int, int]:
    """How many fields most records have that have some, and how many records those are."""
    several = Counter(int(n) for n in records.fields if n > 1)
    return several.most_common(1)[0] if several else (1, 0)


def _around(head: bytes, draft: Contract) -> dict[str, Any]:
    """What stands above the table: comments, or lines of another number of fields than the others have."""
    records = find_records(head, draft)
    fields, count = _usual(records)
    if count < 2 or int(records.fields[0]) == fields:  # noqa: PLR2004 - a header and a row
        return {}
    above = records[: int(np.flatnonzero(records.fields == fields)[0])]
    if all(head[start : start + 1] == b"#" for start in above.start):
        return {"comment": "#"}
    return {"skip_lines": int(records.line[len(above)])} if (above.fields == 1).all() else {}


def _keys(data: bytes) -> list[str]:
    keys: dict[str, None] = {}
    base = base_depth(data[:LAYOUT])
    if base is None:
        records = data.splitlines()[:-1][:10_000] or [data]
    else:
        index = find(data, base, begun=False, last=False)
        records = [data[start:end] for start, end in zip(index.start, index.end, strict=True)]
    for line in records:
        with contextlib.suppress(ValueError, AttributeError):
            keys |= dict.fromkeys(load_json(line).keys())
    return list(keys)
