"""What candidates see of a row, whatever is missing."""

import numpy as np
import pytest
from scipy import sparse

from ml.train.candidates import FAMILIES, estimator
from ml.train.columns import Columns
from ml.train.files import from_bytes, to_bytes


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_without_any_number_hinders_no_candidate(family: str) -> None:
    labels = np.arange(60) % 2
    numbers = np.column_stack([labels + 0.1, np.full(60, np.nan), np.arange(60)])
    table = sparse.hstack([sparse.csr_array(numbers), sparse.csr_array((60, 2**16))], format="csr")
    model = estimator(family, Columns(3, 3, words=False)).fit(table, labels)
    later = sparse.csr_array(np.pad([[1.1, 7.0, 3.0], [0.1, np.nan, 2.0]], ((0, 0), (0, 2**16))))
    sure = from_bytes(to_bytes(model)).predict_proba(later)[:, 1]
    assert sure[0] > 0.5 > sure[1]
