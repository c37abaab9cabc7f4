"""The workflow's last job: the best candidate on later rows that nothing was chosen by."""

import tarfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from fairlearn.metrics import MetricFrame, count
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score

from ml.data import BOTH, LABEL, Set, Sets, read_sets
from ml.explain import heaviest_words, importances, learning_curve
from ml.jobs import Job, told
from ml.judge.metrics import Flagged, lowest_threshold
from ml.predict import InUse, load, scores
from ml.spec import Spec
from ml.train.files import digest, from_bytes
from ml.train.run import FILE, untrained


def evaluate(job: Job) -> None:
    """Write the winner's file and the report that the gate reads."""
    inputs = job.folder / "processing"
    sets = read_sets(inputs / "prepared")
    trained = sorted(
        job.store.list(f"{job.run.folder}/metrics/"), key=lambda one: (-one["later"], one["name"])
    )
    best = trained[0]
    with tarfile.open(inputs / "candidates" / job.run.job(best["name"]) / "output" / "model.tar.gz") as tar:
        member = next(one for one in tar.getmembers() if one.name.endswith(FILE))
        data = tar.extractfile(member).read()  # type: ignore[union-attr]  # it is a file
    model = from_bytes(data, best["sha256"])
    job.store.s3.put_object(Bucket=job.store.bucket, Key=job.run.file, Body=data)
    report = report_of(job.spec, model, best, sets)
    in_use, before = job.champion()
    if in_use and before:
        report["champion"] = champion_of(job.spec, load(in_use, job.store), sets)
        report["ablations"] = ablations(job.spec, model, best, sets, before)
    report |= explained(job.spec, model, best, sets)
    rounds = sorted(job.store.list(job.run.rounds), key=lambda one: int(one["round"]))
    report |= {
        "model": job.run.model,
        "run": job.run.run,
        "candidates": trained,
        "rounds": rounds,
        "sha256": digest(data),
    }
    job.store.put(job.run.report, report)
    job.progress(f"{best['name']}: " + told(report["holdout"] or {"threshold": "none"}))


def explained(spec: Spec, model: Any, best: Mapping[str, Any], sets: Sets) -> dict[str, Any]:
    """What it leans on, and what its page says of it."""
    return {
        "importances": importances(spec, model, best["tier"], sets["validate"]),
        "words": heaviest_words(spec, model, sets["train"]),
        "learning_curve": learning_curve(spec, best, sets),
        "card": spec.card.model_dump(),
        "certified": spec.precision.certified,
        "limits": dict(spec.slices),
    }


def report_of(spec: Spec, model: Any, best: Mapping[str, Any], sets: Sets) -> dict[str, Any]:
    """Threshold by the validation rows, everything else by the holdout."""
    share, wanted = spec.precision.expected_share, spec.precision.chosen
    of = {name: _scored(model, sets[name]) for name in ("validate", "holdout")}
    threshold = lowest_threshold(*of["validate"], wanted)
    truth, sure = of["holdout"]
    flagged = None if threshold is None else Flagged.of(truth, sure, threshold)
    true, predicted = calibration_curve(truth, sure, n_bins=10, strategy="quantile")
    return {
        "best": best["name"],
        "tier": best["tier"],
        "chosen": wanted,
        "threshold": threshold,
        "average_precision": float(average_precision_score(truth, sure)),
        "validate": None if threshold is None else Flagged.of(*of["validate"], threshold).document(share),
        "holdout": flagged and flagged.document(share),
        "expected_share": share,
        "slices": [] if threshold is None else slices(spec, sets["holdout"], np.asarray(sure) >= threshold),
        "calibration": [
            {"predicted": float(p), "true": float(t)} for p, t in zip(predicted, true, strict=True)
        ],
    }


def _scored(model: Any, its: Set) -> tuple[list[int], list[float]]:
    """The rows' labels, and how sure the model is of each."""
    return its.labels.tolist(), scores(model, its.table).tolist()


def slices(spec: Spec, its: Set, flags: Any) -> list[dict[str, Any]]:
    """Of each value of the slices' columns: its rows, and what is flagged there, rightly and wrongly."""
    measures = {
        "rows": count,
        "positives": lambda truth, _flags: int(truth.sum()),
        "right": lambda truth, flags: int((truth & flags).sum()),
        "wrong": lambda truth, flags: int((~truth & flags).sum()),
    }
    truth, found = its.labels.astype(bool), []
    for column in spec.slices:
        groups = its.rows[column].cast(pl.String).fill_null("(none)").to_numpy()
        frame = MetricFrame(metrics=measures, y_true=truth, y_pred=flags, sensitive_features=groups).by_group
        for value, numbers in frame.astype(int).to_dict("index").items():
            negatives = numbers["rows"] - numbers["positives"]
            found.append({"column": column, "value": value, **numbers, "negatives": negatives})
    return found


def champion_of(spec: Spec, in_use: InUse, sets: Sets) -> dict[str, Any] | None:
    """The model in use, by its own features and threshold, on the new rows and on those that certified it.

    None if a column that it needs has vanished.
    """
    rows, share, threshold = sets["holdout"].rows, spec.precision.expected_share, in_use.threshold
    if not set(in_use.spec.inputs()) <= set(rows.columns):
        return None
    new, old = (
        (its.labels.tolist(), in_use.scores(its.rows.to_dicts()))
        for its in (sets["holdout"], sets["validate"])
    )
    return {
        "run": in_use.champion["run"],
        "average_precision": float(average_precision_score(*new)),
        "average_precision_before": float(average_precision_score(*old)),
        "holdout": Flagged.of(*new, threshold).document(share),
        "before": Flagged.of(*old, threshold).document(share),
    }


def ablations(
    spec: Spec, winner: Any, best: Mapping[str, Any], sets: Sets, before: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The winner trained on the original rows alone, on the new ones alone and on both, on both holdouts."""
    everything, last = sets["train"], datetime.fromisoformat(before["windows"]["train"]["last"])
    original = (everything.rows[spec.time] <= last).to_numpy()
    parts = {"original": everything.where(original), "new": everything.where(~original), "both": everything}
    found = []
    for name, part in parts.items():
        one: dict[str, Any] = {"trained_on": name, "rows": part.rows.height}
        if part.rows[LABEL].n_unique() == BOTH:
            model = winner if part is everything else untrained(spec, best).fit(part.table, part.labels)
            for holdout, its in (("before", sets["validate"]), ("now", sets["holdout"])):
                one[holdout] = float(average_precision_score(*_scored(model, its)))
        found.append(one)
    return found
