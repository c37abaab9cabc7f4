"""The candidates' estimators. Each takes features.table's rows: a text, then numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier

WORD = r"[a-zA-Z0-9$!]+"
BUCKETS = 2**16  # of hashed words: the model's file then has none of them
SEED = 0


def estimator(family: str, numbers: int, words: bool, strength: float = 1.0) -> Any:
    """An untrained estimator for tables of so many numbers. `strength` multiplies its regularisation."""
    return FAMILIES[family](numbers, words, strength)


def _linear(l1_ratio: float) -> Callable[[int, bool, float], Any]:
    def make(numbers: int, words: bool, strength: float) -> Any:
        model = LogisticRegression(
            C=10.0 / strength, l1_ratio=l1_ratio, solver="liblinear", random_state=SEED, max_iter=1000
        )
        return make_pipeline(_inputs(numbers, words), model)

    return make


def _inputs(numbers: int, words: bool) -> ColumnTransformer:
    """Words, hashed and weighted, if there are some; else numbers from 0 to 1, the median where none is."""
    if words:
        count = HashingVectorizer(
            n_features=BUCKETS, token_pattern=WORD, lowercase=False, alternate_sign=False, norm=None
        )
        return ColumnTransformer([("words", make_pipeline(count, TfidfTransformer(sublinear_tf=True)), 0)])
    scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), MinMaxScaler())
    return ColumnTransformer([("numbers", scaled, list(range(1, numbers + 1)))])


def _of_numbers(model: Callable[[float], BaseEstimator]) -> Callable[[int, bool, float], Any]:
    def make(numbers: int, _words: bool, strength: float) -> Any:
        chosen = ColumnTransformer([("numbers", "passthrough", list(range(1, numbers + 1)))])
        return make_pipeline(chosen, model(strength))

    return make


def _stacking(numbers: int, words: bool, strength: float) -> Any:
    """Models that err differently, weighed by how each does on rows that it has not seen."""
    models = [
        ("linear", estimator("linear-l2", numbers, words, strength / 10)),
        ("boosting", estimator("boosting", numbers, words, strength)),
    ]
    return StackingClassifier(models, LogisticRegression(), cv=3, stack_method="predict_proba")


FAMILIES: dict[str, Callable[[int, bool, float], Any]] = {
    "linear-l1": _linear(1.0),
    "linear-l2": _linear(0.0),
    "tree": _of_numbers(lambda _: DecisionTreeClassifier(random_state=SEED)),
    "bagging": _of_numbers(
        lambda _: BaggingClassifier(DecisionTreeClassifier(random_state=SEED), 50, random_state=SEED)
    ),
    "forest": _of_numbers(lambda _: RandomForestClassifier(200, random_state=SEED)),
    "boosting": _of_numbers(
        lambda strength: HistGradientBoostingClassifier(
            max_iter=100, l2_regularization=strength, early_stopping=False, random_state=SEED
        )
    ),
    "stacking": _stacking,
}


def weights(model: Any) -> dict[str, int]:
    """How many weights a linear model has, and how many of them became zero; of others nothing."""
    last = model[-1] if isinstance(model, Pipeline) else None
    if not isinstance(last, LogisticRegression):
        return {}
    return {"weights": int(last.coef_.size), "zero_weights": int(np.sum(last.coef_ == 0))}
