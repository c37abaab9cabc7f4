"""Which columns of features.table a model sees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


@dataclass(frozen=True)
class Columns:
    """Those of a tier: its first numbers, of so many, and whether it has words, which come after."""

    numbers: int
    all_numbers: int
    words: bool


class Words(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The counts of words, sparse. A ColumnTransformer would write each column's number into the file."""

    def __init__(self, start: int) -> None:
        self.start = start

    def fit(self, _table: Any, _labels: Any = None) -> "Words":
        return self

    def transform(self, table: Any) -> Any:
        return table[:, self.start :]

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Numbers(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The first numbers, dense; 0 in a column that had none when it was fitted, which boosting cannot bin."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def fit(self, table: Any, _labels: Any = None) -> "Numbers":
        self.empty_ = np.flatnonzero(np.isnan(self._dense(table)).all(axis=0))
        return self

    def transform(self, table: Any) -> Any:
        numbers = self._dense(table)
        numbers[:, self.empty_] = 0
        return numbers

    def _dense(self, table: Any) -> Any:
        return table[:, : self.stop].toarray()
