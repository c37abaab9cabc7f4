"""A model's file holds no code, is the same for the same model, and is believed by its hash."""

import gc
from typing import Any

import numpy as np
import pytest
import skops.io
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from ml.predict import scores
from ml.train.candidates import FAMILIES, estimator
from ml.train.columns import Columns, Numbers
from ml.train.files import UntrustedModelError, digest, from_bytes, to_bytes

RNG = np.random.default_rng(0)
TABLE = sparse.csr_array(np.hstack([RNG.normal(size=(90, 3)), RNG.poisson(0.5, (90, 40))]))
LABELS = (TABLE[:, [0]].toarray().ravel() + RNG.normal(size=90) > 0).astype(int)
NUMBERS, WORDS = Columns(2, 3, False), Columns(3, 3, True)


class Own(DecisionTreeClassifier):  # type: ignore[misc]
    """A class that no candidate is made of."""


def fitted(family: str, columns: Columns = NUMBERS) -> Any:
    return estimator(family, columns).fit(TABLE, LABELS)


CANDIDATES = [(family, NUMBERS) for family in FAMILIES] + [("linear-l2", WORDS), ("stacking", WORDS)]


@pytest.mark.parametrize(("family", "columns"), CANDIDATES)
def test_a_candidates_file_is_trusted_predicts_as_it_did_and_is_the_same_again(
    family: str, columns: Columns
) -> None:
    model = fitted(family, columns)
    data = to_bytes(model)
    again = from_bytes(data, digest(data))
    assert np.array_equal(scores(again, TABLE), scores(model, TABLE))
    gc.collect()
    assert to_bytes(fitted(family, columns)) == data


def test_other_models_have_other_bytes() -> None:
    assert to_bytes(estimator("tree", NUMBERS).fit(TABLE, 1 - LABELS)) != to_bytes(fitted("tree"))


@pytest.mark.parametrize(
    ("stranger", "named"),
    [(FunctionTransformer(func=print), "builtins.print"), (Own(), f"{Own.__module__}.Own")],
)
def test_a_file_with_anything_else_is_refused_by_name(stranger: Any, named: str) -> None:
    data = skops.io.dumps(make_pipeline(Numbers(2), stranger))
    with pytest.raises(UntrustedModelError, match=f"holds {named}, which no candidate is made of"):
        from_bytes(data, digest(data))


def test_a_file_that_is_not_the_registered_one_is_refused() -> None:
    registered, other = to_bytes(fitted("tree")), to_bytes(fitted("linear-l2"))
    with pytest.raises(UntrustedModelError, match=f"{digest(registered)} was registered"):
        from_bytes(other, digest(registered))
