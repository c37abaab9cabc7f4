"""What a round of candidates lacks, and what the next one tries."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ml.judge.diagnose import ROUNDS, diagnose, first_round

TIERS = [1, 22, 0]  # the last: words alone
SUFFICIENT = 0.995
FITS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


def trained(family: str, same_period: float, train: float | None = None, **more: Any) -> dict[str, Any]:
    """Metrics of a candidate; without `train` it does as well in training."""
    one = {"round": 1, "tier": 0, "strength": 1.0, "family": family} | more
    name = f"{family}-{one['tier']}"
    return {**one, "name": name, "same_period": same_period, "train": train or same_period}


def after(*candidates: dict[str, Any], tiers: list[int] = TIERS) -> tuple[list[str], str]:
    found = diagnose(candidates[-1]["round"], candidates, tiers, SUFFICIENT)
    return [one["name"] for one in found["candidates"]], found["said"]


def test_what_underfits_gets_the_next_features_and_not_more_regularisation() -> None:
    names, said = after(trained("linear-l2", 0.573))
    assert names == ["linear-l2-1", "linear-l1-1", "tree-1", "boosting-1"]
    assert "underfits" in said
    assert "More regularisation cannot help" in said


def test_a_tree_that_overfits_gets_many_trees() -> None:
    names, said = after(trained("tree", 0.89, 1.0, tier=1), tiers=TIERS[:2])
    assert names == ["bagging-1", "forest-1"]
    assert said.startswith("The best, tree-1, has 1.000 in training")
    assert "tree-1 overfits" in said


def test_a_linear_model_that_overfits_is_regularised_more_each_time() -> None:
    names, _ = after(trained("linear-l2", 0.9, 1.0, tier=2))
    assert names == ["linear-l2-2-x10", "linear-l1-2-x10"]
    again, _ = after(trained("linear-l2", 0.9, 1.0, tier=2, strength=10.0))
    assert again == ["linear-l2-2-x100", "linear-l1-2-x100"]


def test_words_alone_are_for_linear_models() -> None:
    names, _ = after(trained("tree", 0.89, 1.0, tier=1), trained("linear-l2", 0.9, tier=1))
    assert names == ["linear-l2-2", "linear-l1-2"]


def test_the_last_round_weighs_models_together() -> None:
    names, _ = after(trained("linear-l2", 0.9, tier=1, round=ROUNDS - 1))
    assert names[-1] == "stacking-2"
    assert diagnose(ROUNDS, [trained("stacking", 0.9, round=ROUNDS)], TIERS, SUFFICIENT)["done"]


def test_what_suffices_needs_no_more_features() -> None:
    names, said = after(trained("bagging", 0.996, tier=1))
    assert names == ["stacking-1"]
    assert "underfits" not in said


def test_that_there_are_no_more_features_is_said() -> None:
    names, said = after(trained("linear-l2", 0.9, tier=2))
    assert names == []
    assert "There is no further tier of features." in said


@given(st.data(), st.lists(st.integers(0, 20), min_size=1, max_size=4))
def test_whatever_the_metrics_it_ends_and_trains_no_candidate_twice(
    data: st.DataObject, tiers: list[int]
) -> None:
    plan, all_trained = first_round(), list[dict[str, Any]]()
    for done in range(1, ROUNDS + 1):
        for one in plan["candidates"]:
            same_period, train = data.draw(FITS)
            all_trained.append({**one, "round": done, "train": train, "same_period": same_period})
        plan = diagnose(done, all_trained, tiers, SUFFICIENT)
        assert plan["done"] == (not plan["candidates"])
        if plan["done"]:
            break
    assert plan["done"]
    names = [one["name"] for one in all_trained]
    assert len(names) == len(set(names))
    assert all(one["tier"] < len(tiers) for one in all_trained)
