"""From a row to its features: the same code when a model is trained and when it is asked."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.spec import Feature, Spec

WORDS_OF = 20_000  # characters of a text whose words count
NONE = math.nan


def table(spec: Spec, tier: int, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.object_]:
    """A row for each row: first its words, as one text; then its numbers, NaN where there is none."""
    features, words = spec.features(tier), spec.words(tier)
    made = np.empty((len(rows), 1 + len(column_names(spec, tier))), object)
    for place, row in enumerate(rows):
        made[place, 0] = "\n".join(str(row[column] or "")[:WORDS_OF] for column in words).lower()
        made[place, 1:] = [number for feature in features for number in numbers(feature, row[feature.of])]
    return made


def column_names(spec: Spec, tier: int) -> list[str]:
    """The names of the numbers, in their order."""
    return [name for feature in spec.features(tier) for name in feature.columns]


def numbers(feature: Feature, value: Any) -> list[float]:
    """The feature's numbers of one value. Unbounded ones are logarithms, or clipped."""
    if feature.take == "one_of":
        return [float(value == one) for one in feature.values]
    if feature.take in ("number", "weekday"):
        return [NONE if value is None else _clipped(feature, _number(feature, value))]
    return [_clipped(feature, _of_text(feature, str(value or "")))]


def _number(feature: Feature, value: Any) -> float:
    if feature.take == "weekday":
        return float((value if isinstance(value, datetime) else datetime.fromisoformat(value)).weekday())
    return float(value)


def _of_text(feature: Feature, text: str) -> float:
    if feature.take == "length":
        return math.log1p(len(text))
    if feature.take == "lines":
        return math.log1p(text.count("\n"))
    pattern = _compiled(feature.pattern)
    if feature.take == "has":
        return float(pattern.search(text) is not None)
    found = sum(1 for _ in pattern.finditer(text))
    return math.log1p(found) if feature.take == "count" else found / max(len(text), 1)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _clipped(feature: Feature, number: float) -> float:
    if feature.least is not None:
        number = max(number, feature.least)
    return number if feature.most is None else min(number, feature.most)
