"""Associations are those of pandas and scipy, missing values included, however the table is cut."""

from __future__ import annotations

import warnings
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from local.demo.story import flights_with_flags
from tests.causeway.engine.profile.helpers import pairs, profiled

CLOSE: dict[str, Any] = {"rel": 1e-9, "abs": 1e-9}


@pytest.fixture(scope="module")
def flights() -> pl.DataFrame:
    return flights_with_flags()


@pytest.fixture(scope="module")
def of_flights(flights: pl.DataFrame) -> dict[frozenset[str], dict[str, Any]]:
    return pairs(profiled(flights, parts=3))


@pytest.mark.parametrize(
    ("x", "y", "numbers"),
    [
        ("dep_delay", "arr_delay", {"pearson": 0.9148027589, "spearman": 0.6263611666}),
        ("distance", "air_time", {"pearson": 0.9906496472, "spearman": 0.9844446624}),
        ("hour", "dep_delay", {"pearson": 0.1982259149, "spearman": 0.2298053113}),
        ("carrier", "origin", {"chi2": 234920.584155, "degrees": 30, "v": 0.59057488}),
        ("origin", "dest", {"chi2": 128841.078262, "degrees": 208, "v": 0.43736257}),
        ("late", "weekend", {"phi": -0.05377308660}),
    ],
)
def test_flights_relate_as_others_measured_them(
    of_flights: dict[frozenset[str], dict[str, Any]], x: str, y: str, numbers: dict[str, float]
) -> None:
    pair = of_flights[frozenset((x, y))]
    assert {name: pair[name] for name in numbers} == pytest.approx(numbers, rel=1e-8)


def test_every_correlation_of_flights_is_that_of_pandas(
    flights: pl.DataFrame, of_flights: dict[frozenset[str], dict[str, Any]]
) -> None:
    quantities = [name for name, dtype in flights.schema.items() if dtype.is_numeric() and name != "year"]
    frame = flights.select(quantities).to_pandas()
    for method in ("pearson", "spearman"):
        expected = frame.corr(method=method)
        for x, y in combinations(quantities, 2):
            assert of_flights[frozenset((x, y))][method] == pytest.approx(expected.loc[x, y], **CLOSE)


def test_what_outliers_make_and_what_is_curved_are_told_apart(
    of_flights: dict[frozenset[str], dict[str, Any]],
) -> None:
    assert of_flights[frozenset(("dep_delay", "arr_delay"))]["caveats"][0].startswith("leverage")
    assert of_flights[frozenset(("dep_time", "arr_time"))]["caveats"][0].startswith("curved")


NUMBERS = st.none() | st.integers(-3, 3).map(float) | st.floats(-1e3, 1e3).map(lambda x: round(x, 2))
WORDS = st.none() | st.sampled_from("abc")
FLAGS = st.none() | st.booleans()


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(3, 25))
    kinds = {"p": NUMBERS, "q": NUMBERS, "r": NUMBERS, "s": WORDS, "t": WORDS, "f": FLAGS, "g": FLAGS}
    types = (
        dict.fromkeys("pqr", pl.Float64) | dict.fromkeys("st", pl.String) | dict.fromkeys("fg", pl.Boolean)
    )
    columns = {name: draw(st.lists(kind, min_size=rows, max_size=rows)) for name, kind in kinds.items()}
    if draw(st.booleans()):  # missing in the same rows as another
        twins = zip(columns["p"], columns["q"], strict=True)
        columns["q"] = [None if p is None else (q or 0.0) for p, q in twins]
    return pl.DataFrame(columns, schema=types)


@settings(max_examples=100)
@given(frames(), st.integers(1, 4))
def test_associations_are_those_of_scipy_over_the_rows_where_both_are_there(
    frame: pl.DataFrame, parts: int
) -> None:
    of = pairs(profiled(frame, parts))
    for x, y in combinations(frame.columns, 2):
        both = frame.select(x, y).drop_nulls()
        pair = of.get(frozenset((x, y)))
        expected = _expected(both[x], both[y])
        if expected is None:
            continue  # one of them does not vary there; whether it is left out is another test
        assert pair is not None, (x, y)
        assert pair["n"] == both.height
        p = expected.pop("p", None)
        assert {name: pair[name] for name in expected} == pytest.approx(expected, **CLOSE)
        # Where groups do not differ, p moves by the root of what an effect is rounded by.
        assert p is None or pair["p"] == pytest.approx(p, abs=1e-5)


def _expected(x: pl.Series, y: pl.Series) -> dict[str, Any] | None:
    if len(x) < 3 or x.n_unique() < 2 or y.n_unique() < 2:
        return None
    flags = [series.dtype == pl.Boolean for series in (x, y)]
    numeric = [series.dtype != pl.String for series in (x, y)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if all(numeric) and not all(flags):
            a, b = x.cast(pl.Float64).to_numpy(), y.cast(pl.Float64).to_numpy()
            pearson = stats.pearsonr(a, b)
            found = {"pearson": pearson.statistic, "spearman": stats.spearmanr(a, b).statistic}
            return found | ({"p": pearson.pvalue} if abs(pearson.statistic) < 1 - 1e-9 else {})
        if numeric != [False, False] and not all(flags) and not any(flags):
            value, group = (x, y) if numeric[0] else (y, x)
            return _ratio(value, group)
        table = pd.crosstab(x.to_pandas(), y.to_pandas())
        chi2 = stats.chi2_contingency(table, correction=False)
        v = stats.contingency.association(table, method="cramer", correction=False)
        return {"chi2": chi2.statistic, "p": chi2.pvalue, "degrees": chi2.dof, "v": v}


def _ratio(value: pl.Series, group: pl.Series) -> dict[str, Any] | None:
    groups = [frame["v"].to_numpy() for frame in pl.DataFrame({"v": value, "g": group}).partition_by("g")]
    within = sum(((g - g.mean()) ** 2).sum() for g in groups)
    total = ((value.to_numpy() - value.mean()) ** 2).sum()
    if len(value) <= len(groups):
        return None
    found = {"eta2": 1 - within / total}
    return found if within < 1e-9 * total else found | {"p": stats.f_oneway(*groups).pvalue}


@given(frames(), st.integers(2, 5))
def test_a_profile_is_the_same_however_the_table_is_cut(frame: pl.DataFrame, parts: int) -> None:
    whole, cut = profiled(frame), profiled(frame, parts)
    assert cut["columns"] == pytest_approx(whole["columns"])
    assert pairs(cut).keys() == pairs(whole).keys()


def pytest_approx(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: pytest_approx(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [pytest_approx(inner) for inner in value]
    return pytest.approx(value, **CLOSE) if isinstance(value, float) else value


def test_cramers_v_is_corrected_for_what_chance_gives() -> None:
    rng = np.random.default_rng(7)
    frame = pl.DataFrame({name: rng.integers(0, 30, 500).astype(str) for name in "ab"})
    (pair,) = profiled(frame)["associations"]
    assert pair["v"] > 0.2
    assert pair["v_corrected"] < 0.1
    assert pair["few_expected"] == 1
    assert pair["caveats"] == ["below 5 expected in 100% of the cells: p says little"]


def test_p_values_are_adjusted_as_holm_does() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({name: rng.normal(size=60) for name in "abcde"})
    found = sorted(profiled(frame)["associations"], key=lambda pair: pair["p"])
    highest = 0.0
    for i, pair in enumerate(found):
        highest = max(highest, min(1.0, pair["p"] * (len(found) - i)))
        assert pair["p_adjusted"] == pytest.approx(highest)


def test_the_strongest_comes_first() -> None:
    cubes, mixed = [n**3 for n in range(50)], [n * 7919 % 50 for n in range(50)]
    frame = pl.DataFrame({"a": range(50), "b": cubes, "c": mixed})
    effects = [pair["effect"] for pair in profiled(frame)["associations"]]
    assert effects == sorted(effects, reverse=True)
    assert profiled(frame)["associations"][0]["caveats"][-1] == "they say the same"
