"""From a row to its features: the same code when a model is trained and when it is asked."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

from ml.spec import Feature, Spec

WORD = r"[a-zA-Z0-9$!]+"
WORDS_OF = 20_000  # characters of a text whose words count
BUCKETS = 2**16  # of hashed words: neither a training set nor a model's file has the words themselves
NONE = math.nan


def table(spec: Spec, rows: Sequence[Mapping[str, Any]]) -> Any:
    """A sparse row for each row: the numbers of every tier, NaN where there is none; then counts of words."""
    features, words = spec.features(), spec.words()
    made = [[number for one in features for number in numbers(one, row[one.of])] for row in rows]
    dense = np.array(made, np.float64).reshape(len(rows), len(column_names(spec)))
    texts = [_text(row, words) for row in rows]
    return sparse.hstack([sparse.csr_array(dense), counted(texts)], format="csr")


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return "\n".join(str(row[column] or "")[:WORDS_OF] for column in columns).lower()


def words_of(spec: Spec, row: Mapping[str, Any]) -> set[str]:
    """The words that count in a row."""
    return set(_compiled(WORD).findall(_text(row, spec.words())))


def counted(texts: Sequence[str]) -> Any:
    """How often each word occurs, in a bucket of its own, which it may share with others."""
    if not texts:
        return sparse.csr_array((0, BUCKETS))
    count = HashingVectorizer(
        n_features=BUCKETS, token_pattern=WORD, lowercase=False, alternate_sign=False, norm=None
    )
    return count.transform(texts)


def column_names(spec: Spec, tier: int | None = None) -> list[str]:
    """The names of the numbers of a tier and those before it, in their order; without a tier, of all."""
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
