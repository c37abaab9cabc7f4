"""What changed between two tables: shares of nulls, distributions, values that came and went."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.engine.profile import counts
from causeway.engine.profile.counts import count
from causeway.engine.profile.drift import LEAST, drift, stability

MEASURES = {"n": "quantity", "s": "category"}


def drifted(before: pl.DataFrame, after: pl.DataFrame, **measures: str) -> dict[str, Any]:
    of = measures or {name: measure for name, measure in MEASURES.items() if name in before.columns}
    return drift(count([before], of, 0), count([after], of, 0), of)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=60))
def test_a_table_that_did_not_change_has_no_drift(values: list[int]) -> None:
    frame = pl.DataFrame({"n": values, "s": [str(value) for value in values]})
    for column in drifted(frame, frame).values():
        assert column["psi"] == 0
        assert column["notes"] == []


@given(st.integers(0, 3), st.integers(1, 50))
def test_the_order_of_rows_is_no_drift(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({"n": rng.normal(size=rows)})
    assert drifted(frame, frame.sample(fraction=1, shuffle=True, seed=seed))["n"]["psi"] == 0


def test_the_index_is_the_sum_that_its_definition_has() -> None:
    index = stability(np.array([0.5, 0.5]), np.array([0.8, 0.2]))
    assert index == pytest.approx(0.3 * math.log(1.6) - 0.3 * math.log(0.4))
    emptied = stability(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    assert emptied == pytest.approx(0.5 * math.log(2) + (LEAST - 0.5) * math.log(LEAST / 0.5))


def test_a_quantity_that_moved_is_told_from_one_that_did_not() -> None:
    rng = np.random.default_rng(1)
    before = pl.DataFrame({"n": rng.normal(size=5000)})
    same, moved = (pl.DataFrame({"n": rng.normal(by, size=5000)}) for by in (0, 1))
    assert drifted(before, same)["n"]["psi"] < 0.02
    # Of two normal distributions one deviation apart, the index is 1 for ever finer bins.
    assert 0.7 < drifted(before, moved)["n"]["psi"] < 1.1
    assert drifted(before, moved)["n"]["notes"] == ["much differently distributed"]


def test_sketches_say_the_same_as_exact_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    before, after = (pl.DataFrame({"n": rng.normal(by, size=5000)}) for by in (0, 0.5))
    exact = drifted(before, after)["n"]["psi"]
    monkeypatch.setattr(counts, "EXACT", 100)
    assert drifted(before, after)["n"]["psi"] == pytest.approx(exact, abs=0.05)


def test_values_that_came_and_went_are_named() -> None:
    before = pl.DataFrame({"s": ["a"] * 5 + ["b"] * 5})
    after = pl.DataFrame({"s": ["a"] * 5 + ["c"] * 4 + [None]})
    column = drifted(before, after)["s"]
    assert column["new"] == {"count": 1, "values": ["c"]}
    assert column["vanished"] == {"count": 1, "values": ["b"]}
    assert column["null_share"] == {"before": 0, "after": 0.1}


@pytest.mark.parametrize("measure", ["quantity", "category"])
def test_a_column_without_values_is_not_compared_and_says_so(measure: str) -> None:
    dtype = pl.Float64 if measure == "quantity" else pl.String
    empty = pl.DataFrame({"x": [None]}, schema={"x": dtype})
    full = pl.DataFrame({"x": [1.5 if measure == "quantity" else "a"]})
    for before, after in ((empty, full), (full, empty)):
        column = drifted(before, after, x=measure)["x"]
        assert column["notes"] == ["one of both has no values, or too many to compare"]
        assert "psi" not in column
