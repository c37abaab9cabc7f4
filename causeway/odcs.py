"""Compiles an Open Data Contract Standard v3 file into a Contract, refusing what the engine would not enforce."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)
from pydantic import BaseModel, ValidationError

from causeway.contract import SUFFIX, Column, Contract, ContractError, Rule

TYPES = ("string", "integer", "number", "boolean", "date", "timestamp", "time", "array", "object")
TRANSFORMS = ("identity", "year", "month", "day")
NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
DECIMAL = re.compile(r"^(?:decimal|numeric)\((\d+)(?:,\s*(\d+))?\)$", re.IGNORECASE)
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
OPTIONS = {
    "string": {"minLength", "maxLength", "pattern"},
    "integer": {*BOUNDS, "multipleOf", "format"},
    "number": {*BOUNDS, "multipleOf", "format", "precision", "scale"},
    "date": {*BOUNDS, "format"},
    "timestamp": {*BOUNDS, "format", "timezone", "defaultTimezone"},
    "time": {*BOUNDS, "format"},
}
# The physical facts: custom property of the schema → (field of Contract, allowed values)
FACTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "format": ("format", ("csv", "jsonl", "parquet")),
    "delimiter": ("delimiter", ()),
    "quote": ("quote", ()),
    "header": ("header", (True, False)),
    "encoding": ("encoding", ()),
    "nullValues": ("nulls", ()),
    "sortOrder": ("sort_order", ()),
    "onSchemaChange": ("on_schema_change", ("evolve", "rescue", "freeze")),
    "duplicates": ("duplicates", ("last", "reject")),
    "onDelete": ("on_delete", ("keep", "remove")),
}
# JDK DateTimeFormatter, as the standard asks → strftime
JDK = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p", "EEEE": "%A", "EEE": "%a",
    "XXX": "%:z", "XX": "%z", "X": "%#z", "Z": "%z",
}  # fmt: skip
JDK_TOKEN = re.compile(r"'((?:[^']|'')*)'|\.(S{1,9})|([A-Za-z])\3*|(.)")


class Place:
    """A path inside a contract file, to complain with."""

    def __init__(self, file: Path, path: str = "") -> None:
        self.file, self.path = file, path

    def __truediv__(self, step: str) -> Place:
        dot = "." if self.path and not step.startswith("[") else ""
        return Place(self.file, f"{self.path}{dot}{step}")

    def wrong(self, reason: str) -> ContractError:
        return ContractError(f"{self.file}: {self.path or 'file'}: {reason}".replace("\n", " "))


def compile_file(path: Path) -> Contract:
    place = Place(path)
    dataset = path.name.removesuffix(SUFFIX)
    if not path.name.endswith(SUFFIX) or not NAME.match(dataset):
        raise place.wrong(f"name it <dataset>{SUFFIX}, the dataset matching {NAME.pattern}")
    standard = _read(path, place)
    if standard.kind != "DataContract" or not (standard.apiVersion or "").startswith("v3."):
        raise place.wrong("expected kind: DataContract and apiVersion: v3.x")
    if not re.fullmatch(r"\d+\.\d+\.\d+", standard.version or ""):
        raise (place / "version").wrong(f"{standard.version!r} is not a semantic version such as 1.0.0")
    schemas = standard.schema_ or []
    if len(schemas) != 1 or not schemas[0].properties:
        raise (place / "schema").wrong("expected exactly one object, with properties")
    place /= "schema[0]"
    columns = _columns(schemas[0].properties, place)
    contract = Contract(
        dataset=dataset,
        version=str(standard.version),
        columns=columns,
        description=schemas[0].description or "",
        partitioning=_partitioning(schemas[0].properties, columns, place),
        rules=tuple(_rules(schemas[0], columns, place)),
        **_facts(schemas[0].customProperties or [], columns, place),
    )
    if len(contract.delimiter) != 1 or len(contract.quote) > 1:
        raise (place / "customProperties").wrong("delimiter is one character; quote is one or none ('')")
    return contract


def _read(path: Path, place: Place) -> OpenDataContractStandard:
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
        if not isinstance(raw, dict):
            raise place.wrong("expected a mapping")
        standard = OpenDataContractStandard.model_validate(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise place.wrong(" ".join(str(error).split())) from error
    except ValidationError as error:
        first = error.errors()[0]
        at = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise (place / at.lstrip(".")).wrong(first["msg"]) from error
    _refuse_unknown(raw, standard, place)
    return standard


def _refuse_unknown(raw: Any, model: Any, place: Place) -> None:
    """The library ignores a misspelt key inside a property, and with it the rule that it was to be."""
    if isinstance(raw, list) and isinstance(model, list):
        for i, (inner, part) in enumerate(zip(raw, model, strict=True)):
            _refuse_unknown(inner, part, place / f"[{i}]")
    elif isinstance(raw, dict) and isinstance(model, BaseModel):
        names = {field.alias or name: name for name, field in type(model).model_fields.items()}
        for key, inner in raw.items():
            if key not in names:
                raise (place / str(key)).wrong(f"unknown field{_nearest(str(key), names)}")
            _refuse_unknown(inner, getattr(model, names[key]), place / key)


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"


def _columns(properties: list[SchemaProperty], place: Place) -> tuple[Column, ...]:
    columns = tuple(_column(p, place / f"properties[{i}]") for i, p in enumerate(properties))
    for attribute in ("name", "field"):
        names = [getattr(column, attribute) for column in columns]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise (place / f"properties[{i}]").wrong(f"{attribute} {name!r} is used twice")
    return columns


def _column(p: SchemaProperty, place: Place, *, named: bool = True) -> Column:
    name = p.name or ""
    if named and (not name or name.startswith("_") or len(name) > 255):
        raise (place / "name").wrong(f"{name!r}: expected a name that does not begin with '_'")
    place = Place(place.file, f"{place.path} ({name})")
    if p.logicalType not in TYPES:
        raise (place / "logicalType").wrong(f"{p.logicalType!r} is not one of {', '.join(TYPES)}")
    options = _options(p, place)
    precision, scale = _precision(p, options, place)
    bits = int(str(options.get("format", "x64"))[1:]) if p.logicalType in ("integer", "number") else 64
    if bits not in (32, 64) or str(options.get("format", "i64"))[0] == "u":
        raise (place / "logicalTypeOptions.format").wrong("expected i32, i64, f32 or f64")
    column = Column(
        name=name,
        field=p.physicalName or name,
        type=p.logicalType,
        required=bool(p.required or p.primaryKey),
        unique=bool(p.unique),
        key=bool(p.primaryKey),
        bits=bits,
        precision=precision,
        scale=scale,
        timezone=_timezone(p, options),
        format=_strftime(options, place) if p.logicalType in ("date", "timestamp", "time") else None,
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        pattern=_pattern(options.get("pattern"), place / "logicalTypeOptions.pattern"),
        transform=p.transformLogic,
        items=_items(p, place),
        properties=_columns(p.properties or [], place),
    )
    bounds = {
        _snake(o): _value(column, options[o], place / f"logicalTypeOptions.{o}")
        for o in (*BOUNDS, "multipleOf")
        if o in options
    }
    values = tuple(_value(column, v.value, place / "enum") for v in p.enum or [])
    return Column(**{**{k: getattr(column, k) for k in column.__dataclass_fields__}, **bounds, "values": values})


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name)


def _options(p: SchemaProperty, place: Place) -> dict[str, Any]:
    options = p.logicalTypeOptions or {}
    known = OPTIONS.get(str(p.logicalType), set())
    for key in options:
        if key not in known:
            raise (place / f"logicalTypeOptions.{key}").wrong(
                f"not an option of {p.logicalType} here{_nearest(key, known)}"
            )
    return options


def _precision(p: SchemaProperty, options: dict[str, Any], place: Place) -> tuple[int | None, int]:
    physical = DECIMAL.match(p.physicalType or "")
    precision = options.get("precision", physical and int(physical[1]))
    scale = int(options.get("scale", (physical and physical[2]) or 0))
    if p.logicalType != "number" or precision is None:
        return None, 0
    if not 1 <= precision <= 38 or not 0 <= scale <= precision:
        raise place.wrong(f"decimal({precision},{scale}): precision is 1 to 38, scale 0 to precision")
    return int(precision), scale


def _timezone(p: SchemaProperty, options: dict[str, Any]) -> str | None:
    if p.logicalType != "timestamp" or options.get("timezone", True) is False:
        return None
    return str(options.get("defaultTimezone", "UTC"))


def _strftime(options: dict[str, Any], place: Place) -> str | None:
    if "format" not in options:
        return None
    parts = []
    for match in JDK_TOKEN.finditer(str(options["format"])):
        literal, fraction, letter, other = match.groups()
        if letter and match[0] not in JDK:
            raise (place / "logicalTypeOptions.format").wrong(
                f"{match[0]!r} is not supported; known: {' '.join(JDK)}, .SSS and 'text'"
            )
        quoted = (literal or "'").replace("''", "'") if literal is not None else other
        parts.append("%.f" if fraction else JDK[match[0]] if letter else quoted.replace("%", "%%"))
    return "".join(parts)


def _pattern(pattern: str | None, place: Place) -> str | None:
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            raise place.wrong(f"not a regular expression: {error}") from error
    return pattern


def _items(p: SchemaProperty, place: Place) -> Column | None:
    if p.logicalType != "array":
        return None
    if p.items is None:
        raise (place / "items").wrong("an array says what its items are")
    return _column(p.items, place / "items", named=False)


def _value(column: Column, value: Any, place: Place) -> Any:
    """A bound or an allowed value, as the Python value of the column's type."""
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (lambda v: Decimal(str(v))) if column.precision else float,
        "boolean": bool,
        "date": lambda v: v if isinstance(v, date) else date.fromisoformat(v),
        "timestamp": lambda v: v if isinstance(v, datetime) else datetime.fromisoformat(v),
        "time": lambda v: v if isinstance(v, time) else time.fromisoformat(v),
    }
    try:
        return kinds[column.type](value)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise place.wrong(f"{value!r} is not a {column.type}") from error


def _partitioning(
    properties: list[SchemaProperty], columns: tuple[Column, ...], place: Place
) -> tuple[tuple[str, str], ...]:
    found = []
    for i, (p, column) in enumerate(zip(properties, columns, strict=True)):
        if not p.partitioned:
            continue
        custom = {c.property: c.value for c in p.customProperties or []}
        transform = custom.get("partitionTransform", "identity")
        allowed = TRANSFORMS if column.type in ("date", "timestamp") else TRANSFORMS[:1]
        if transform not in allowed:
            raise (place / f"properties[{i}].customProperties.partitionTransform").wrong(
                f"{transform!r} is not one of {', '.join(allowed)}"
            )
        found.append((p.partitionKeyPosition or i, column.name, transform))
    return tuple((name, transform) for _, name, transform in sorted(found))


def _facts(custom: list[CustomProperty], columns: tuple[Column, ...], place: Place) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for i, item in enumerate(custom):
        at = place / f"customProperties[{i}] ({item.property})"
        if item.property not in FACTS:
            if difflib.get_close_matches(str(item.property), FACTS, cutoff=0.8):
                raise at.wrong(f"unknown{_nearest(str(item.property), FACTS)}")
            continue  # another tool's
        name, allowed = FACTS[item.property]
        value = item.value
        if allowed and value not in allowed:
            raise at.wrong(f"{value!r} is not one of {', '.join(map(str, allowed))}")
        if item.property in ("nullValues", "sortOrder"):
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise at.wrong("expected a list of strings")
            value = tuple(value)
        elif not allowed and not isinstance(value, str):
            raise at.wrong(f"{value!r} is not a string")
        facts[name] = value
    if facts.setdefault("format", "csv") == "csv":
        facts.setdefault("nulls", ("",))  # an empty field; JSON and Parquet have a null of their own
    for column in facts.get("sort_order", ()):
        if column not in {c.name for c in columns}:
            raise (place / "customProperties (sortOrder)").wrong(f"no column {column!r}")
    return facts


def _rules(schema: SchemaObject, columns: tuple[Column, ...], place: Place) -> Iterable[Rule]:
    owners: list[tuple[str, list[DataQuality], Place]] = [("", schema.quality or [], place)]
    for i, p in enumerate(schema.properties or []):
        owners.append((p.name or "", p.quality or [], place / f"properties[{i}] ({p.name})"))
    for column, qualities, owner in owners:
        for i, quality in enumerate(qualities):
            if quality.type == "text":
                continue
            at = owner / f"quality[{i}]"
            if quality.type != "custom" or quality.engine != "causeway" or not isinstance(quality.implementation, str):
                raise at.wrong("expected type: custom, engine: causeway, implementation: <SQL over a row>")
            yield Rule(quality.name or quality.id or quality.implementation, quality.implementation, column)


