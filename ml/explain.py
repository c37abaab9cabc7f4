"""What a model leans on, and how much more rows would help."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline

from ml.data import BOTH, LABEL, Set, Sets
from ml.features import column_names, counted, words_of
from ml.predict import scores
from ml.spec import Spec
from ml.train.candidates import SEED
from ml.train.run import untrained

OFTEN = 20  # rows that a word must be in to be named: a rarer one may tell of a person
NAMED = 12
SHARES = (0.25, 0.5)


def importances(spec: Spec, model: Any, tier: int, its: Set) -> list[dict[str, Any]]:
    """How much average precision is lost when one feature's values are shuffled among the rows."""
    whole = float(average_precision_score(its.labels, scores(model, its.table)))
    every, order = len(column_names(spec)), np.random.default_rng(SEED).permutation(its.rows.height)
    numbers, words = its.table[:, :every].toarray(), its.table[:, every:]
    shuffled = {}
    for place, name in enumerate(column_names(spec, tier)):
        changed = numbers.copy()
        changed[:, place] = numbers[order, place]
        shuffled[name] = sparse.hstack([sparse.csr_array(changed), words], format="csr")
    if spec.words(tier):
        shuffled["words"] = sparse.hstack([sparse.csr_array(numbers), words[order]], format="csr")
    lost = {
        name: whole - float(average_precision_score(its.labels, scores(model, changed)))
        for name, changed in shuffled.items()
    }
    ordered = sorted(lost.items(), key=lambda one: -one[1])
    return [{"feature": name, "lost": round(value, 4)} for name, value in ordered]


def heaviest_words(spec: Spec, model: Any, its: Set) -> dict[str, list[str]]:
    """The words that speak most for the label and against it, named from the rows; nothing without words."""
    weights = next((one for one in _weights(model) if one.size > len(column_names(spec))), None)
    if weights is None:
        return {}
    rows_with: dict[str, int] = {}
    for row in its.rows.to_dicts():
        for word in words_of(spec, row):
            rows_with[word] = rows_with.get(word, 0) + 1
    often = sorted(word for word, rows in rows_with.items() if rows >= OFTEN)
    if not often:
        return {}
    order = np.argsort(weights[counted(often).indices], kind="stable")
    named = [often[place] for place in order]
    return {"for": named[::-1][:NAMED], "against": named[:NAMED]}


def _weights(model: Any) -> Iterator[Any]:
    """Of each linear model in it."""
    if isinstance(model, StackingClassifier):
        for one in model.estimators_:
            yield from _weights(one)
    elif isinstance(model, Pipeline) and isinstance(model[-1], LogisticRegression):
        yield model[-1].coef_[0]


def learning_curve(spec: Spec, best: Mapping[str, Any], sets: Sets) -> list[dict[str, Any]]:
    """The winner trained on a part of the rows, drawn evenly over their time; what it is worth later."""
    everything, later, found = sets["train"], sets["validate"], []
    for share in SHARES:
        chosen = np.arange(everything.rows.height) * share % 1 < share
        part = everything.where(chosen)
        if part.rows[LABEL].n_unique() == BOTH:
            model = untrained(spec, best).fit(part.table, part.labels)
            reached = average_precision_score(later.labels, scores(model, later.table))
            found.append({"rows": part.rows.height, "later": float(reached)})
    return [*found, {"rows": everything.rows.height, "later": best["later"]}]
