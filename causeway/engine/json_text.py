"""JSON texts, read to a depth that does not depend on the recursion limit that other libraries set."""

import json
import re
from typing import Any

DEPTH = 200  # arrays and objects inside each other; what is deeper is no value here, but text
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
BRACKETS = {"[": 1, "{": 1, "]": -1, "}": -1}


def load_json(text: str | bytes, **options: Any) -> Any:
    """The value, as json.loads has it. Raises ValueError for what is no JSON, or nested deeper than DEPTH."""
    text = text.decode() if isinstance(text, bytes) else text
    if text.count("[") + text.count("{") > DEPTH and _depth(text) > DEPTH:
        raise ValueError(f"nested deeper than {DEPTH} levels")
    return json.loads(text, **options)


class Number(str):
    """A JSON number as it is written: 1.10, 1e3."""

    __slots__ = ()


NUMBERS: dict[str, Any] = {"parse_float": Number, "parse_int": Number, "parse_constant": Number}


def load_written(text: str | bytes, **options: Any) -> Any:
    """The value, as load_json has it, its numbers as they are written."""
    return load_json(text, **NUMBERS, **options)


def dump_written(value: Any) -> str:
    """The JSON text of what load_written gave, without blanks."""
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{_dump(key)}:{dump_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump_written, value)) + "]"
    return _dump(value)


def as_field(value: Any) -> str | None:
    """A JSON value as the text of a field: a string's content, any other as JSON, a null as none."""
    return value if isinstance(value, str) or value is None else dump_written(value)


_dump = json.JSONEncoder(ensure_ascii=False).encode


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in STRING.sub("", text):
        depth += BRACKETS.get(character, 0)
        deepest = max(deepest, depth)
    return deepest
