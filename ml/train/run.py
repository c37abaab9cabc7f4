"""The workflow's training job: one candidate, its file and its metrics."""

import json
import time
from collections.abc import Mapping
from typing import Any

from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from ml.data import Sets, read_sets
from ml.features import column_names
from ml.jobs import Job, told
from ml.predict import scores
from ml.spec import Spec
from ml.train.candidates import SEED, estimator, weights
from ml.train.columns import Columns
from ml.train.files import digest, to_bytes

FOLDS = 3
FILE = "model.skops"


def candidate(job: Job) -> None:
    """Train the candidate that the job's hyperparameters name."""
    asked = json.loads((job.folder / "input" / "config" / "hyperparameters.json").read_text())
    chosen = {
        "name": asked["name"],
        "family": asked["family"],
        "tier": int(asked["tier"]),
        "strength": float(asked["strength"]),
        "round": int(asked["round"]),
    }
    model, metrics = train(job.spec, chosen, read_sets(job.folder / "input" / "data" / "prepared"))
    data = to_bytes(model)
    (job.folder / "model" / FILE).write_bytes(data)
    job.store.put(
        job.run.metrics(chosen["name"]), {**chosen, **metrics, "bytes": len(data), "sha256": digest(data)}
    )
    job.progress(told(metrics))


def train(spec: Spec, chosen: Mapping[str, Any], sets: Sets) -> tuple[Any, dict[str, Any]]:
    """The model, and its average precision in training, over the same period and later."""
    started = time.perf_counter()
    seen, later = sets["train"], sets["validate"]
    model = untrained(spec, chosen).fit(seen.table, seen.labels)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    others = cross_val_predict(
        untrained(spec, chosen), seen.table, seen.labels, cv=folds, method="predict_proba"
    )
    return model, {
        "train": float(average_precision_score(seen.labels, scores(model, seen.table))),
        "same_period": float(average_precision_score(seen.labels, others[:, 1])),
        "later": float(average_precision_score(later.labels, scores(model, later.table))),
        **weights(model),
        "seconds": round(time.perf_counter() - started, 1),
    }


def untrained(spec: Spec, chosen: Mapping[str, Any]) -> Any:
    """The candidate's estimator, for the features of its tier."""
    tier = chosen["tier"]
    numbers, every = len(column_names(spec, tier)), len(column_names(spec))
    columns = Columns(numbers, every, bool(spec.words(tier)))
    return estimator(chosen["family"], columns, chosen["strength"])
