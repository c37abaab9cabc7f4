"""`causeway infer`: drafts a contract from sample files, for a person to read and mend."""

from __future__ import annotations

import contextlib
import csv
import re
import uuid
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, count
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml  # type: ignore[import-untyped]
from open_data_contract_standard.model import SchemaProperty

from causeway.contract.model import Column, Contract, ContractError
from causeway.contract.odcs_property import compile_columns
from causeway.contract.place import Place
from causeway.engine.check.casts import cast
from causeway.engine.json_text import load_json
from causeway.engine.local import fetch
from causeway.engine.model import Slice, Unreadable
from causeway.engine.read.formats import read
from causeway.engine.read.json_rows import JSON_ARRAY
from causeway.engine.read.stored import BOM, text_blocks

SAMPLE = 64 << 20  # bytes of each file
NULLS = ["", "NA", "N/A", "NaN", "NULL", "null", "None", "\\N", "-"]
GUESSES = ["integer", "number", "boolean", "timestamp", "date", "time"]
FEW = 12  # distinct values that look like an enumeration


def draft(files: list[Path], name: str | None = None) -> str:
    """A contract that the samples satisfy, as YAML with the doubts as comments."""
    dataset = _identifier(name or files[0].name.split(".")[0])[:40]
    contract, frame = _sample(files)
    texts = [column for column in frame.columns if frame[column].dtype == pl.String]
    nulls = [null for null in NULLS if any((frame[column] == null).any() for column in texts)]
    frame = frame.with_columns(pl.col(texts).replace(nulls, [None] * len(nulls))) if nulls else frame
    facts: dict[str, Any] = {"format": contract.format, "onSchemaChange": "rescue"}
    if contract.format == "csv":
        facts |= {"delimiter": contract.delimiter, "nullValues": ["", *(null for null in nulls if null)]}
    elif nulls and contract.format == "jsonl":
        facts["nullValues"] = nulls
    schema = {
        "name": dataset,
        "customProperties": [{"property": key, "value": value} for key, value in facts.items()],
        "properties": _named((column, _property(frame[column])) for column in frame.columns),
    }
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, dataset)),
        "name": dataset,
        "version": "0.1.0",
        "status": "draft",
        "schema": [schema],
    }
    samples = ", ".join(path.name for path in files)
    return (
        f"# Drafted from {frame.height:,} rows of {samples}; ranges and enumerations are what these hold.\n"
        f"# Before you trust it: name the primary key (primaryKey: true), widen what may grow,\n"
        f"# and save it as contracts/{dataset}.odcs.yaml\n"
    ) + str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))


def _identifier(name: str) -> str:
    cleaned = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return cleaned if cleaned[:1].isalpha() else f"c_{cleaned}"


def _named(fields: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Properties for these fields, no two of one name."""
    properties: dict[str, dict[str, Any]] = {}
    for field, facts in fields:
        first = _identifier(field)
        numbered = (f"{first}_{n}" for n in count(2))
        name = next(name for name in chain([first], numbered) if name not in properties)
        properties[name] = {"name": name} | ({"physicalName": field} if name != field else {}) | facts
    return list(properties.values())


def _sample(files: list[Path]) -> tuple[Contract, pl.DataFrame]:
    frames = []
    contract = _shape(files[0])
    for path in files:
        size = path.stat().st_size
        seen = 0
        try:
            for parsed in read(Slice(str(path), "local", 0, size, size), fetch, contract):
                frames.append(parsed.frame.select([column.name for column in contract.columns]))
                seen += parsed.size
                if seen >= SAMPLE:
                    break
        except Unreadable as error:
            raise ContractError(f"{path}: {error}") from error
    return contract, pl.concat(frames, how="diagonal_relaxed")


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
                head = first.split(b"\n", 1)[0].decode().rstrip("\r")
                facts["delimiter"] = max(",;\t|", key=head.count)
                names = [name.strip() for name in next(csv.reader([head], delimiter=facts["delimiter"]), [])]
    except (Unreadable, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: {error}") from error
    columns = tuple(Column(name, name, "string") for name in dict.fromkeys(names))
    if not any(names):
        raise ContractError(f"{path}: nothing in it names a column")
    return Contract("draft", "0.1.0", columns, **facts)


def _keys(data: bytes) -> list[str]:
    keys: dict[str, None] = {}
    for line in data.splitlines()[:-1][:10_000] or [data]:
        with contextlib.suppress(ValueError, AttributeError):
            keys |= dict.fromkeys(load_json(line).keys())
    return list(keys)


def _property(values: pl.Series) -> dict[str, Any]:
    present = values.drop_nulls()
    kind, typed = _guess(present)
    facts: dict[str, Any] = {"logicalType": kind}
    if kind == "string" and len(present):
        facts |= _of_json(present)
    elif values.dtype.is_nested():
        facts |= _of_dtype(values.dtype)
    if len(typed.drop_nulls()) == len(values) and len(values):
        facts["required"] = True
    if isinstance(typed.dtype, pl.Decimal):
        facts["physicalType"] = f"decimal({typed.dtype.precision},{typed.dtype.scale})"
    kind = facts["logicalType"]
    distinct = typed.unique().to_list() if kind == "string" else []
    if 0 < len(distinct) <= FEW and len(present) >= 10 * len(distinct):
        facts["enum"] = [{"value": value} for value in sorted(distinct)]
    elif kind == "string" and len(present):
        facts["logicalTypeOptions"] = {"maxLength": int(typed.str.len_chars().max() or 0)}  # type: ignore[arg-type]
    elif kind in ("integer", "number"):
        numbers = typed.filter(typed.is_finite()) if typed.dtype.is_float() else typed
        bounds = {"minimum": numbers.min(), "maximum": numbers.max()}
        if None not in bounds.values():
            facts["logicalTypeOptions"] = {
                name: str(bound) if isinstance(bound, Decimal) else bound for name, bound in bounds.items()
            }
    return facts


def _guess(present: pl.Series) -> tuple[str, pl.Series]:
    """The logical type, and the values of it."""
    if present.dtype != pl.String:
        kind = str(_of_dtype(present.dtype)["logicalType"])
        return kind, cast(present, Column("c", "c", "string")) if kind == "string" else present
    padded = present.str.contains(r"^[+-]?0\d").any()  # a code, not a number
    for kind in GUESSES if len(present) else []:
        column = Column("c", "c", kind, timezone="UTC" if kind == "timestamp" else None)
        typed = cast(present, column)
        if not typed.null_count() and not (padded and kind in ("integer", "number")):
            return kind, typed
    return "string", present


def _of_json(texts: pl.Series) -> dict[str, Any]:
    """The parts of texts that are all JSON arrays, or all objects."""
    if texts.dtype != pl.String or texts.str.slice(0, 1).unique().to_list() not in (["["], ["{"]):
        return {}
    try:
        parts = _of_dtype(texts.str.json_decode(infer_schema_length=None).dtype)
        (column,) = compile_columns([SchemaProperty.model_validate({"name": "c", **parts})], Place(Path()))
    except (pl.exceptions.PolarsError, ContractError):
        return {}
    return parts if not cast(texts, column).null_count() else {}  # some may differ from the others


def _of_dtype(dtype: Any) -> dict[str, Any]:
    """What a typed column is, and its parts."""
    if isinstance(dtype, pl.Struct):
        parts = _named((part.name, _of_dtype(part.dtype)) for part in dtype.fields)
        return {"logicalType": "object", "properties": parts}
    if isinstance(dtype, pl.List | pl.Array):
        return {"logicalType": "array", "items": _of_dtype(dtype.inner)}
    kinds = {
        "integer": dtype.is_integer(),
        "number": dtype.is_numeric(),
        "boolean": dtype == pl.Boolean,
        "date": dtype == pl.Date,
        "time": dtype == pl.Time,
        "timestamp": dtype.is_temporal() and not isinstance(dtype, pl.Duration),
    }
    return {"logicalType": next((kind for kind, fits in kinds.items() if fits), "string")}
