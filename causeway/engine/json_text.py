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


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in STRING.sub("", text):
        depth += BRACKETS.get(character, 0)
        deepest = max(deepest, depth)
    return deepest
