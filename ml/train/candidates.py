"""The candidates' estimators, over rows of features.table."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier

from ml.train.columns import Columns, Numbers, Words

SEED = 0


def estimator(family: str, columns: Columns, strength: float = 1.0) -> Any:
    """An untrained estimator for these columns of a table. `strength` multiplies its regularisation."""
    return FAMILIES[family](columns, strength)


def _linear(l1_ratio: float) -> Callable[[Columns, float], Any]:
    def make(columns: Columns, strength: float) -> Any:
        model = LogisticRegression(
            C=10.0 / strength, l1_ratio=l1_ratio, solver="liblinear", random_state=SEED, max_iter=1000
        )
        return make_pipeline(*_inputs(columns), model)

    return make


def _inputs(columns: Columns) -> list[Any]:
    """Words by their weight, if there are some; else numbers from 0 to 1, the median where none is."""
    if columns.words:
        return [Words(columns.all_numbers), TfidfTransformer(sublinear_tf=True)]
    return [Numbers(columns.numbers), SimpleImputer(strategy="median", add_indicator=True), MinMaxScaler()]


def _of_numbers(model: Callable[[float], BaseEstimator]) -> Callable[[Columns, float], Any]:
    return lambda columns, strength: make_pipeline(Numbers(columns.numbers), model(strength))


def _stacking(columns: Columns, strength: float) -> Any:
    """Models that err differently, weighed by how each does on rows that it has not seen."""
    models = [
        ("linear", estimator("linear-l2", columns, strength / 10)),
        ("boosting", estimator("boosting", columns, strength)),
    ]
    return StackingClassifier(models, LogisticRegression(), cv=3, stack_method="predict_proba")


FAMILIES: dict[str, Callable[[Columns, float], Any]] = {
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
