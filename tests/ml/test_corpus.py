"""Of real mail: what each tier and family gives, and that a random split promises what time does not keep."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from local.demo.mail import LATER, mails
from ml.data import Set, Sets, labelled, windows
from ml.evaluate import report_of
from ml.features import table
from ml.judge.gate import judge
from ml.spec import load_spec
from ml.train.files import to_bytes
from ml.train.run import train, untrained

SPAM = load_spec("spam")


@pytest.fixture(scope="module")
def rounds() -> tuple[Set, Set]:
    """What had come when the first model was trained, and what came later."""
    received = pl.col("received").str.to_datetime(time_zone="UTC")
    rows = labelled(SPAM, pl.DataFrame(mails()).with_columns(received))
    its = Set(rows, table(SPAM, rows.to_dicts()))
    earlier = (rows["received"].dt.to_string("iso") < LATER).to_numpy()
    return its.where(earlier), its.where(~earlier)


@pytest.fixture(scope="module")
def first(rounds: tuple[Set, Set]) -> Sets:
    return windows(SPAM, rounds[0].rows, None)


def chosen(name: str) -> dict[str, Any]:
    family, _, tier = name.rpartition("-")
    return {"name": name, "family": family, "tier": int(tier), "strength": 1.0}


@pytest.mark.parametrize(
    ("name", "in_training", "same_period", "later"),
    [
        ("linear-l2-0", 0.575, 0.573, 0.230),
        ("tree-1", 1.0, 0.89, 0.62),
        ("bagging-1", 1.0, 0.99, 0.91),
        ("stacking-2", 1.0, 0.999, 0.98),
    ],
)
def test_features_cure_what_underfits_and_many_models_what_overfits(
    first: Sets, name: str, in_training: float, same_period: float, later: float
) -> None:
    _, metrics = train(SPAM, chosen(name), first)
    found = [metrics[which] for which in ("train", "same_period", "later")]
    assert found == pytest.approx([in_training, same_period, later], abs=0.02)


@pytest.mark.parametrize("name", ["linear-l1-2", "tree-1", "boosting-1"])
def test_the_same_rows_give_the_same_file(first: Sets, name: str) -> None:
    seen = first["train"]
    files = [to_bytes(untrained(SPAM, chosen(name)).fit(seen.table, seen.labels)) for _ in range(2)]
    assert files[0] == files[1]


def shuffled(its: Set) -> Sets:
    order = np.random.default_rng(0).permutation(its.rows.height)
    places = np.split(order, [its.rows.height * 3 // 5, its.rows.height * 4 // 5])
    parts = [Set(its.rows[place.tolist()], its.table[place]) for place in places]
    return dict(zip(("train", "validate", "holdout"), parts, strict=True))


@pytest.mark.parametrize("name", ["boosting-1", "linear-l2-2"])
def test_what_a_random_split_certifies_later_mail_refutes_and_the_gate_refuses(
    rounds: tuple[Set, Set], name: str
) -> None:
    earlier, later = rounds
    sets = shuffled(earlier)
    model = untrained(SPAM, chosen(name)).fit(sets["train"].table, sets["train"].labels)
    certified, limits = SPAM.precision.certified, SPAM.slices
    by_chance = report_of(SPAM, model, chosen(name), sets)
    by_time = report_of(SPAM, model, chosen(name), {**sets, "holdout": later})
    assert by_time["threshold"] == by_chance["threshold"]
    assert judge(by_chance, certified=certified, limits=limits)["verdict"] == "passed"
    refused = judge(by_time, certified=certified, limits=limits)
    assert refused["verdict"] == "failed"
    assert "and 0.9 is wanted" in refused["reasons"][0]
    assert by_time["average_precision"] < by_chance["average_precision"] - 0.01
