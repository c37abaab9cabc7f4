"""The workflow's training job: one candidate, its file and its metrics."""

import json
import time
from collections.abc import Mapping
from typing import Any

from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from ml.data import Windows
from ml.features import table
from ml.jobs import Job, labels, read, scores, told
from ml.spec import Spec
from ml.train.candidates import SEED, estimator, weights
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
    model, metrics = train(job.spec, chosen, read(job.folder / "input" / "data" / "prepared"))
    data = to_bytes(model)
    (job.folder / "model" / FILE).write_bytes(data)
    job.store.put(
        job.run.metrics(chosen["name"]), {**chosen, **metrics, "bytes": len(data), "sha256": digest(data)}
    )
    job.progress(told(metrics))


def train(spec: Spec, chosen: Mapping[str, Any], parts: Windows) -> tuple[Any, dict[str, Any]]:
    """The model, and its average precision in training, over the same period and later."""
    started, tier = time.perf_counter(), chosen["tier"]
    seen, later = (table(spec, tier, rows.to_dicts()) for rows in (parts.train, parts.validate))
    truth = labels(parts.train)
    fresh = untrained(spec, chosen)
    model = fresh.fit(seen, truth)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    same = cross_val_predict(untrained(spec, chosen), seen, truth, cv=folds, method="predict_proba")[:, 1]
    return model, {
        "train": float(average_precision_score(truth, scores(model, seen))),
        "same_period": float(average_precision_score(truth, same)),
        "later": float(average_precision_score(labels(parts.validate), scores(model, later))),
        **weights(model),
        "seconds": round(time.perf_counter() - started, 1),
    }


def untrained(spec: Spec, chosen: Mapping[str, Any]) -> Any:
    """The candidate's estimator, for the features of its tier."""
    tier = chosen["tier"]
    numbers = sum(len(feature.columns) for feature in spec.features(tier))
    return estimator(chosen["family"], numbers, bool(spec.words(tier)), chosen["strength"])
