"""Batch scoring: what the model in use says of every row of a snapshot."""

import json
import os

import polars as pl

from causeway.flow.models import SCORES
from causeway.flow.parameters import from_environment
from ml.jobs import Job, told
from ml.parameters import PrepareParameters
from ml.predict import champion_in_use, load
from ml.prepare import company_session, read_rows


def score(job: Job) -> None:
    """Write the rows' keys and scores, and what they are of. Raises KitError, NoModelError, SpecError."""
    asked = from_environment(PrepareParameters, os.environ)
    in_use = load(champion_in_use(job.run.model, job.store), job.store)
    spec = in_use.spec
    wanted = int(asked.snapshot) if asked.snapshot else None
    rows, snapshots = read_rows(company_session(asked), asked.database, spec, wanted)
    sure = pl.Series("score", in_use.scores(rows.to_dicts()), pl.Float64)
    scored = rows.select(spec.key).with_columns(sure, (sure >= in_use.threshold).alias("positive"))
    document = {
        "model": spec.name,
        "run": job.run.run,
        "package": in_use.champion["package"],
        "trained_by": in_use.champion["run"],
        "threshold": in_use.threshold,
        "dataset": spec.dataset,
        "snapshot": snapshots[spec.dataset],
        "snapshots": snapshots,
        "rows": scored.height,
        "positive": int(scored["positive"].sum()),
        "code": job.parameters.code,
    }
    output = job.folder / "processing" / "output"
    scored.write_parquet(output / SCORES)
    (output / "scored.json").write_text(json.dumps(document, indent=1))
    job.progress(told({name: document[name] for name in ("rows", "positive", "snapshot")}))
