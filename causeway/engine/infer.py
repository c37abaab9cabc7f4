"""`causeway infer`: drafts a contract from sample files, for a person to read and mend."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain, count
from pathlib import Path
from typing import Any

import polars as pl
import yaml  # type: ignore[import-untyped]
from open_data_contract_standard.model import SchemaProperty

from causeway.contract.model import Column, ContractError
from causeway.contract.odcs_property import compile_columns
from causeway.contract.place import Place
from causeway.engine.check.casts import cast
from causeway.engine.sample import Sample, read_sample

# By which editors complete a file in contracts/.
SCHEMA_LINE = "# yaml-language-server: $schema=../docs/contract.schema.json\n"
# Texts that often mean null. Whether they do, only a person knows: NA is a country, None a surname.
NULLS = ["NA", "N/A", "NaN", "NULL", "null", "None", "\\N", "-"]
# Texts that are a value of their type and read back as themselves, so that a type takes nothing from them.
CERTAIN = {
    "integer": r"^(0|-?[1-9][0-9]*)$",
    "number": r"^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$",
    "boolean": r"^(true|false)$",
    "timestamp": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$",
    "date": r"^\d{4}-\d\d-\d\d$",
    "time": r"^\d\d:\d\d:\d\d(\.\d{1,6})?$",
}
FIXED = r"^-?(?:0|[1-9][0-9]*)\.([0-9]+)$"  # a number whose decimals are written out: 1.50
COMMA = r"^[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]+)?$"
DIGITS = 15  # that a double keeps
# Names, in whole words, of columns that often hold what is of a person; and texts that are.
PERSONAL = re.compile(
    r"(^|_)(e?_?mail|phone|tel|mobile|fax|ssn|passport|iban|birth|birthday|birthdate|dob|name|first_?name"
    r"|last_?name|surname|full_?name|address|street|ip)(_|$)"
)
MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
FEW = 12  # distinct values that look like an enumeration


def draft(files: list[Path], name: str | None = None) -> str:
    """A contract that the samples satisfy, as YAML with the doubts as comments."""
    dataset = _identifier(name or files[0].name.split(".")[0])[:40]
    sample = read_sample(files)
    contract, frame, texts = sample.contract, sample.frame, sample.texts
    properties = _named((c, _property(frame[c], c, text=c in texts)) for c in frame.columns)
    facts: dict[str, Any] = {"format": contract.format, "onSchemaChange": "rescue"}
    if contract.format == "csv":
        facts |= {"delimiter": contract.delimiter, "nullValues": [""]}
        facts |= {"comment": contract.comment} if contract.comment else {}
        facts |= {"skipInitialSpace": True} if contract.skip_initial_space else {}
        facts |= {"skipLines": contract.skip_lines} if contract.skip_lines else {}
    schema = {
        "name": dataset,
        "customProperties": [{"property": key, "value": value} for key, value in facts.items()],
        "properties": properties,
    }
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, dataset)),
        "version": "0.1.0",
        "status": "draft",
        "schema": [schema],
    }
    samples = ", ".join(path.name for path in files)
    doubts = [
        f"{described['name']}: looks personal; classification: confidential withholds it from the partner"
        for column, described in zip(frame.columns, properties, strict=True)
        if _looks_personal(column, frame[column])
    ]
    doubts += [
        doubt
        for column, described in zip(frame.columns, properties, strict=True)
        for doubt in _doubts(described["name"], described["logicalType"], frame[column])
    ]
    head = [
        f"Drafted from {frame.height:,} rows of {samples}; ranges and enumerations are what these hold.",
        "Before you trust it: name the primary key (primaryKey: true), widen what may grow,",
        f"and save it as contracts/{dataset}.odcs.yaml",
        *_doubts_of_files(sample),
        *doubts,
    ]
    body = str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))
    return SCHEMA_LINE + "".join(f"# {line}\n" for line in head) + body


def _doubts_of_files(sample: Sample) -> Iterator[str]:
    """What a person may know better of the files, a line each."""
    contract = sample.contract
    if contract.skip_lines:
        yield f"skipLines: {contract.skip_lines:,} lines stand above the table; does every file have as many?"
    if contract.skip_initial_space:
        yield "skipInitialSpace: a blank follows each delimiter; it is taken for no part of the value"
    if sample.malformed:
        yield f"{len(sample.malformed):,} records of the sample are no rows; the first: {sample.malformed[0]}"


def _doubts(name: str, kind: str, values: pl.Series) -> Iterator[str]:
    """What a person may know better of a column of text, a line each."""
    if kind != "string" or values.dtype != pl.String:
        return
    present = values.drop_nulls()
    candidates = [null for null in NULLS if (present == null).any()]
    if candidates:
        rest = present.filter(~present.is_in(candidates))
        otherwise = _guess(rest)[0] if len(rest) else kind
        named = ", ".join(f"{null!r} ({(present == null).sum():,} times)" for null in candidates)
        change = "" if otherwise == kind else f", and make it logicalType: {otherwise}"
        yield f"{name}: {named} may mean null; if so, add it to nullValues{change}"
    elif len(present) and present.str.contains(COMMA).all() and present.str.contains(",").any():
        yield f"{name}: numbers with a decimal comma? If so, say decimalSeparator: ',' (groupSeparator: '.')"
    elif len(present) and present.str.contains(r"^[0-9]+$").all():
        yield f"{name}: kept as text: digits with leading zeros, too many for a number, or strings in JSON"


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


def _property(values: pl.Series, field: str, *, text: bool) -> dict[str, Any]:
    """What the contract says of a column; `text`: it holds strings, whatever they look like."""
    present = values.drop_nulls()
    if values.dtype == pl.Binary and cast(present, Column("c", "c", "string")).null_count():
        return {"logicalType": "string", "logicalTypeOptions": {"format": "base64"}}
    kind, typed = ("string", present) if text and present.dtype == pl.String else _guess(present)
    facts: dict[str, Any] = {"logicalType": kind}
    if kind == "string" and len(present):
        facts |= _of_json(present)
    elif values.dtype.is_nested():
        facts |= _of_dtype(values.dtype)
    if len(typed.drop_nulls()) == len(values) and len(values):
        facts["required"] = True
    if isinstance(typed.dtype, pl.Decimal):
        facts["physicalType"] = f"decimal({typed.dtype.precision},{typed.dtype.scale})"
    if _looks_personal(field, values):  # no value of it, nor a bound, stands in the draft
        return facts
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


def _looks_personal(field: str, values: pl.Series) -> bool:
    """By its name or its texts."""
    present = values.drop_nulls() if values.dtype == pl.String else pl.Series([], dtype=pl.String)
    mails = len(present) > 0 and bool(present.str.contains(MAIL).any())
    return mails or bool(PERSONAL.search(_identifier(field)))


def _guess(present: pl.Series) -> tuple[str, pl.Series]:
    """The logical type, and the values of it: one that takes nothing from any value, else text."""
    if present.dtype != pl.String:
        kind = str(_of_dtype(present.dtype)["logicalType"])
        return kind, cast(present, Column("c", "c", "string")) if kind == "string" else present
    for kind, form in CERTAIN.items() if len(present) else ():
        if present.str.contains(form).all():
            column = Column("c", "c", kind, timezone="UTC" if kind == "timestamp" else None)
            typed = cast(present, column)
            digits = present.str.replace_all("[^0-9]", "").str.len_chars().max()
            keeps = kind != "number" or int(digits or 0) <= DIGITS  # type: ignore[arg-type]
            if keeps and not typed.null_count():
                return kind, typed
    scales = present.str.extract(FIXED).str.len_chars().unique()
    if len(present) and len(scales) == 1 and scales[0] is not None:  # money: as many decimals in each
        whole = present.str.replace_all("[^0-9]", "").str.len_chars().max()
        column = Column("c", "c", "number", precision=min(int(whole or 0), 38), scale=int(scales[0]))  # type: ignore[arg-type]
        typed = cast(present, column)
        if not typed.null_count():
            return "number", typed
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
