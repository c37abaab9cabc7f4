"""What a property's options say: bounds, formats, time zones, precision, as values of its type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from open_data_contract_standard.model import SchemaProperty

from causeway.contract.model import EPOCHS, Column
from causeway.contract.place import Place, nearest

TYPES = ("string", "integer", "number", "boolean", "date", "timestamp", "time", "array", "object")


DECIMAL = re.compile(r"^(?:decimal|numeric)\((\d+)(?:,\s*(\d+))?\)$", re.IGNORECASE)


MAX_PRECISION = 38


BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


OPTIONS = {
    "string": {"minLength", "maxLength", "pattern", "format"},
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


def snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name)


ENCODED = ("base64", "hex", "uuid")
COUNTS = {"minLength", "maxLength", "minItems", "maxItems", "precision", "scale"}


def options_of(p: SchemaProperty, place: Place) -> dict[str, Any]:
    options = p.logicalTypeOptions or {}
    known = OPTIONS.get(str(p.logicalType), set())
    for key in options:
        if key not in known:
            raise (place / f"logicalTypeOptions.{key}").wrong(
                f"not an option of {p.logicalType} here{nearest(key, known)}"
            )
    for key in sorted(COUNTS & options.keys()):
        count = options[key]
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise (place / f"logicalTypeOptions.{key}").wrong(f"{count!r} is not a whole number, 0 or more")
    step = options.get("multipleOf", 1)
    if isinstance(step, int | float) and step <= 0:
        raise (place / "logicalTypeOptions.multipleOf").wrong(f"{step!r} is not above 0")
    return options


def precision_of(p: SchemaProperty, options: dict[str, Any], place: Place) -> tuple[int | None, int]:
    physical = DECIMAL.match(p.physicalType or "")
    precision: Any = options.get("precision", physical[1] if physical else None)
    scale = int(options.get("scale", physical[2] if physical else None) or 0)
    if p.logicalType != "number" or precision is None:
        return None, 0
    precision = int(precision)
    if not 1 <= precision <= MAX_PRECISION or not 0 <= scale <= precision:
        raise place.wrong(f"decimal({precision},{scale}): precision is 1 to 38, scale 0 to precision")
    return precision, scale


def timezone_of(p: SchemaProperty, options: dict[str, Any], place: Place) -> str | None:
    if p.logicalType == "time" and options.get("timezone"):
        raise (place / "logicalTypeOptions.timezone").wrong("a time of day has none here; expected false")
    if p.logicalType != "timestamp" or options.get("timezone", True) is False:
        return None
    return str(options.get("defaultTimezone", "UTC"))


def strftime_of(options: dict[str, Any], place: Place) -> str | None:
    if "format" not in options:
        return None
    if options["format"] in EPOCHS:
        return str(options["format"])
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


def encoded_of(p: SchemaProperty, options: dict[str, Any], place: Place) -> str | None:
    """As what a string's bytes are written, if it is no plain text."""
    if p.logicalType != "string" or "format" not in options:
        return None
    if options["format"] not in ENCODED:
        raise (place / "logicalTypeOptions.format").wrong(
            f"{options['format']!r} is not one of {', '.join(ENCODED)}"
        )
    return str(options["format"])


def pattern_of(pattern: str | None, place: Place) -> str | None:
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            raise place.wrong(f"not a regular expression: {error}") from error
    return pattern


def value_of(column: Column, value: Any, place: Place) -> Any:
    """A bound or an allowed value, as the Python value of the column's type."""
    kinds: dict[str, Any] = {
        "string": _string,
        "integer": _integer,
        "number": lambda v: _number(v, Decimal if column.precision else float),
        "boolean": bool,
        "date": lambda v: v if isinstance(v, date) else date.fromisoformat(v),
        "timestamp": lambda v: _instant(v if isinstance(v, datetime) else datetime.fromisoformat(v), column),
        "time": lambda v: v if isinstance(v, time) else time.fromisoformat(v),
    }
    try:
        return kinds[column.type](value)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        quote = "; put it in quotes" if column.type == "string" else ""
        raise place.wrong(f"{value!r} is not a {column.type}{quote}") from error


def _string(value: Any) -> str:
    """YAML takes a bare yes, no, on, off, true or false for a boolean, and ~ for none."""
    if value is None or isinstance(value, bool):
        raise TypeError
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _number(value: Any, kind: Callable[[str], Any]) -> Any:
    number = kind(str(value))
    if isinstance(value, bool) or not math.isfinite(number):
        raise TypeError
    return number


def _instant(value: datetime, column: Column) -> datetime:
    """Without an offset it is in the column's time zone, as the values are."""
    if value.tzinfo and not column.timezone:
        raise ValueError("an offset, where the column has none")
    if value.tzinfo or not column.timezone:
        return value
    return value.replace(tzinfo=UTC if column.timezone == "UTC" else ZoneInfo(column.timezone)).astimezone(
        UTC
    )
