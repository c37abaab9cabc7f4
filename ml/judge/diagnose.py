"""What is wrong with a round of candidates, and what to try next. A policy, in words and numbers.

Training is compared with cross-validation over the same time: later rows would mix overfitting with drift.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ROUNDS = 3
GAP = 0.03  # of average precision, between training and the same period; from here on it is overfitting
Candidate = Mapping[str, Any]
REMEDIES: dict[str, list[Candidate]] = {
    "tree": [{"family": "bagging"}, {"family": "forest"}],
    "boosting": [{"family": "boosting", "strength": 10.0}],
    "linear-l2": [{"family": "linear-l2", "strength": 10.0}, {"family": "linear-l1", "strength": 10.0}],
    "linear-l1": [{"family": "linear-l1", "strength": 10.0}],
}
SIMPLE: list[Candidate] = [{"family": "linear-l2"}, {"family": "tree"}]
RICHER: list[Candidate] = [
    {"family": "linear-l2"},
    {"family": "linear-l1"},
    {"family": "tree"},
    {"family": "boosting"},
]


def first_round() -> dict[str, Any]:
    return {"round": 1, "done": False, "candidates": _named(0, SIMPLE)}


def fit_of(metrics: Mapping[str, Any], sufficient: float) -> str:
    """A candidate's diagnosis: underfitting, overfitting or sufficient; "fits" is none of them."""
    if metrics["train"] - metrics["same_period"] >= GAP:
        return "overfitting"
    if metrics["same_period"] >= sufficient:
        return "sufficient"
    return "underfitting"


def diagnose(
    done: int, trained: Sequence[Mapping[str, Any]], tiers: Sequence[int], sufficient: float
) -> dict[str, Any]:
    """After round `done`: sentences on what was seen, and the next round's candidates or none.

    `trained` has the metrics of every candidate so far; `tiers` how many numbers each tier of features adds.
    """
    latest = [one for one in trained if one["round"] == done]
    best = max(latest, key=lambda one: one["same_period"])
    tier, fits = best["tier"], {one["name"]: fit_of(one, sufficient) for one in latest}
    wanting = best["same_period"] < sufficient
    said = [_sentence(best, fits[best["name"]], sufficient)]
    following: list[Candidate] = []
    for one in latest:
        if fits[one["name"]] == "overfitting":
            said.append(_overfitting(one))
            following += [_stronger(one, remedy) for remedy in REMEDIES.get(one["family"], [])]
    if wanting and tier + 1 < len(tiers):
        tier += 1
        following = [*RICHER, *following]
        if not tiers[tier]:  # words alone, which only linear models read
            following = [one for one in following if one["family"].startswith("linear")]
    elif wanting:
        said.append("There is no further tier of features.")
    if done + 1 == ROUNDS or not wanting:
        following = [*following, {"family": "stacking"}]
    known = {one["name"] for one in trained}
    candidates = [one for one in _named(tier, following) if one["name"] not in known]
    ended = done >= ROUNDS or not candidates
    return {
        "round": done + 1,
        "done": ended,
        "said": " ".join(said),
        "candidates": [] if ended else candidates,
    }


def _named(tier: int, candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each candidate once, with its tier and a name that says what it is."""
    named = {}
    for one in candidates:
        strength = float(one.get("strength", 1.0))
        name = f"{one['family']}-{tier}" + (f"-x{strength:g}" if strength != 1 else "")
        named[name] = {"name": name, "family": one["family"], "tier": tier, "strength": strength}
    return list(named.values())


def _stronger(candidate: Candidate, remedy: Candidate) -> Candidate:
    return (
        {**remedy, "strength": remedy["strength"] * candidate["strength"]}
        if "strength" in remedy
        else {**remedy}
    )


def _sentence(best: Mapping[str, Any], fit: str, sufficient: float) -> str:
    numbers = f"{best['train']:.3f} in training, {best['same_period']:.3f} over the same period"
    if fit == "underfitting":
        return (
            f"The best, {best['name']}, has {numbers}: it underfits (wanted: {sufficient:g}). "
            "More regularisation cannot help; other features may."
        )
    return f"The best, {best['name']}, has {numbers}."


def _overfitting(one: Mapping[str, Any]) -> str:
    numbers = f"{one['train']:.3f} in training, {one['same_period']:.3f} over the same period"
    return f"{one['name']} overfits: {numbers}."
