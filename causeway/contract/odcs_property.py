"""Compiles one property of an Open Data Contract Standard file into a Column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from open_data_contract_standard.model import DataQuality, SchemaProperty

from causeway.contract.model import Column, ContractError, is_name

TYPES = ("string", "integer", "number", "boolean", "date", "timestamp", "time", "array", "object")
DECIMAL = re.compile(r"^(?:decimal|numeric)\((\d+)(?:,\s*(\d+))?\)$", re.IGNORECASE)
MAX_PRECISION = 38
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
OPTIONS = {
    "string": {"minLength", "maxLength", "pattern"},
    "integer": {*BOUNDS, "multipleOf", "format"},
    "number": {*BOUNDS, "multipleOf", "format", "precision", "scale"},
    "date": {*BOUNDS, "format"},
    "timestamp": {*BOUNDS, "format", "timezone", "defaultTimezone"},
    "time": {*BOUNDS, "format", "timezone"},
    "array": {"minItems", "maxItems", "uniqueItems"},
    "object": {"required"},
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


def nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"


def compile_columns(
    properties: list[SchemaProperty], place: Place, *, nested: bool = False
) -> tuple[Column, ...]:
    columns = tuple(_column(p, place / f"properties[{i}]", nested=nested) for i, p in enumerate(properties))
    for attribute in ("name", "field"):
        names = [getattr(column, attribute) for column in columns]
        same = str.lower if attribute == "name" else str  # the catalog knows no upper and lower case
        for i, name in enumerate(names):
            if same(name) in map(same, names[:i]):
                raise (place / f"properties[{i}]").wrong(f"{attribute} {name!r} is used twice")
    return columns


def _column(p: SchemaProperty, place: Place, *, nested: bool = False, item: bool = False) -> Column:
    name = p.name or ""
    if not item and not is_name(name):
        raise (place / "name").wrong(f"{name!r}: expected a printable name that does not begin with '_'")
    if name:
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
        field=name if p.physicalName is None else p.physicalName,
        type=p.logicalType,
        required=bool(p.required or p.primaryKey),
        unique=bool(p.unique),
        key=bool(p.primaryKey),
        bits=bits,
        precision=precision,
        scale=scale,
        timezone=_timezone(p, options, place),
        format=_strftime(options, place) if p.logicalType in ("date", "timestamp", "time") else None,
        min_length=options.get("minLength", options.get("minItems")),
        max_length=options.get("maxLength", options.get("maxItems")),
        unique_items=bool(options.get("uniqueItems")),
        pattern=_pattern(options.get("pattern"), place / "logicalTypeOptions.pattern"),
        transform=p.transformLogic,
        items=_items(p, place),
        properties=_parts(p, options, place),
    )
    limits = {
        _snake(o): _value(column, options[o], place / f"logicalTypeOptions.{o}")
        for o in (*BOUNDS, "multipleOf")
        if o in options
    }
    values = tuple(_value(column, v.value, place / "enum") for v in p.enum or [])
    column = replace(column, **limits, values=values)
    for i, quality in enumerate(p.quality or []):
        if quality.metric or quality.rule:
            column = _library_rule(column, quality, place / f"quality[{i}]")
        elif nested and quality.type != "text":
            raise (place / f"quality[{i}]").wrong("SQL goes with the schema or a column, not a part of one")
    if nested and (column.unique or column.key or column.transform):
        raise place.wrong("primaryKey, unique and transformLogic are of whole columns")
    return column


def _library_rule(column: Column, quality: DataQuality, place: Place) -> Column:
    """The standard's own metrics, where they speak of single rows: none may break them."""
    arguments = quality.arguments or {}
    metric = quality.metric or quality.rule
    if quality.mustBe != 0:
        raise place.wrong(f"{metric}: only mustBe: 0 can be kept row by row")
    if metric in ("nullValues", "missingValues"):
        return replace(column, required=True)
    if metric == "duplicateValues":
        return replace(column, unique=True)
    if metric == "invalidValues" and arguments.keys() <= {"validValues", "pattern"} and arguments:
        values = tuple(
            _value(column, v, place / "arguments.validValues")
            for v in arguments.get("validValues", [])
            if v is not None  # nulls are no matter of values, but of `required`
        )
        pattern = _pattern(arguments.get("pattern"), place / "arguments.pattern")
        return replace(column, values=values or column.values, pattern=pattern or column.pattern)
    raise place.wrong(f"{metric!r} is not one of nullValues, missingValues, duplicateValues, invalidValues")


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name)


def _options(p: SchemaProperty, place: Place) -> dict[str, Any]:
    options = p.logicalTypeOptions or {}
    known = OPTIONS.get(str(p.logicalType), set())
    for key in options:
        if key not in known:
            raise (place / f"logicalTypeOptions.{key}").wrong(
                f"not an option of {p.logicalType} here{nearest(key, known)}"
            )
    return options


def _precision(p: SchemaProperty, options: dict[str, Any], place: Place) -> tuple[int | None, int]:
    physical = DECIMAL.match(p.physicalType or "")
    precision: Any = options.get("precision", physical[1] if physical else None)
    scale = int(options.get("scale", physical[2] if physical else None) or 0)
    if p.logicalType != "number" or precision is None:
        return None, 0
    precision = int(precision)
    if not 1 <= precision <= MAX_PRECISION or not 0 <= scale <= precision:
        raise place.wrong(f"decimal({precision},{scale}): precision is 1 to 38, scale 0 to precision")
    return precision, scale


def _timezone(p: SchemaProperty, options: dict[str, Any], place: Place) -> str | None:
    if p.logicalType == "time" and options.get("timezone"):
        raise (place / "logicalTypeOptions.timezone").wrong("a time of day has none here; expected false")
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
    if options.get("timezone", True) is False and any(part.endswith("z") for part in parts):
        raise (place / "logicalTypeOptions.format").wrong("has an offset, where timezone is false")
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
        raise (place / "items").wrong("an array says what its items are; a string keeps it as JSON")
    return _column(p.items, place / "items", nested=True, item=True)


def _parts(p: SchemaProperty, options: dict[str, Any], place: Place) -> tuple[Column, ...]:
    if p.logicalType != "object":
        return ()
    if not p.properties:
        raise (place / "properties").wrong(
            "an object says what its properties are; a string keeps it as JSON"
        )
    parts = compile_columns(p.properties, place, nested=True)
    required = set(options.get("required", ()))
    if unknown := required - {part.name for part in parts}:
        raise (place / "logicalTypeOptions.required").wrong(f"no property {', '.join(sorted(unknown))}")
    return tuple(replace(part, required=part.required or part.name in required) for part in parts)


def _value(column: Column, value: Any, place: Place) -> Any:
    """A bound or an allowed value, as the Python value of the column's type."""
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (lambda v: Decimal(str(v))) if column.precision else float,
        "boolean": bool,
        "date": lambda v: v if isinstance(v, date) else date.fromisoformat(v),
        "timestamp": lambda v: _instant(v if isinstance(v, datetime) else datetime.fromisoformat(v), column),
        "time": lambda v: v if isinstance(v, time) else time.fromisoformat(v),
    }
    try:
        return kinds[column.type](value)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise place.wrong(f"{value!r} is not a {column.type}") from error


def _instant(value: datetime, column: Column) -> datetime:
    """Without an offset it is in the column's time zone, as the values are."""
    if value.tzinfo and not column.timezone:
        raise ValueError("an offset, where the column has none")
    if value.tzinfo or not column.timezone:
        return value
    return value.replace(tzinfo=UTC if column.timezone == "UTC" else ZoneInfo(column.timezone)).astimezone(
        UTC
    )
