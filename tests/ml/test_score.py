"""Scores of a snapshot: a row's key and score for every row, and of what they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import polars as pl
import pytest
from moto import mock_aws

from causeway.flow.models import Run, Store
from causeway.flow.parameters import to_environment
from ml import predict, score
from ml.features import table
from ml.jobs import Job
from ml.parameters import JobParameters, PrepareParameters
from ml.predict import NoModelError
from tests.lambdas.test_predict import BUCKET, LABELS, MAILS, SPAM, put_in_use, trained

RUN = Run("spam", "r2")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    parameters = PrepareParameters("7", "arn:aws:iam::111111111111:role/r", "external", "lake", "")
    for name, value in to_environment(parameters).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        (tmp_path / "processing/output").mkdir(parents=True)
        yield Store(s3, BUCKET)


def scored(store: Store, folder: Path, rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Any]]:
    """What the job writes, where SageMaker AI takes it from."""
    parameters = JobParameters("spam", "r2", BUCKET, str(folder), "c0de")
    job = Job(parameters, SPAM, RUN, folder, store, lambda _: None)
    read = patch.object(score, "read_rows", return_value=(rows, {"mail": "7"}))
    with read as read_rows, patch.object(score, "company_session"):
        score.score(job)
    assert read_rows.call_args.args[3] == 7
    output = folder / "processing/output"
    return pl.read_parquet(output / "scores.parquet"), json.loads((output / "scored.json").read_text())


def test_every_row_has_the_score_that_the_model_gives_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(SPAM, MAILS, LABELS)
    put_in_use(store, SPAM, model)
    monkeypatch.setattr(predict, "AT_ONCE", 7)  # whatever fits into memory
    rows = pl.DataFrame([{"id": str(n), **mail} for n, mail in enumerate(MAILS)])
    scores, document = scored(store, tmp_path, rows)
    expected = model.predict_proba(table(SPAM, MAILS))[:, 1].tolist()
    assert scores["score"].to_list() == pytest.approx(expected, abs=1e-12)
    assert scores["id"].to_list() == [str(n) for n in range(len(MAILS))]
    assert scores["positive"].cast(int).to_list() == LABELS
    assert scores.columns == ["id", "score", "positive"]
    told = {
        "rows": 40,
        "positive": 20,
        "snapshot": "7",
        "package": "package/r",
        "run": "r2",
        "trained_by": "r",
    }
    assert told.items() <= document.items()


def test_a_table_without_rows_has_no_scores(store: Store, tmp_path: Path) -> None:
    put_in_use(store, SPAM, trained(SPAM, MAILS, LABELS))
    rows = pl.DataFrame([{"id": "0", **MAILS[0]}]).clear()
    scores, document = scored(store, tmp_path, rows)
    assert (scores.height, document["rows"], document["positive"]) == (0, 0, 0)


def test_without_a_model_in_use_nothing_is_scored(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match="no model 'spam' is in use"):
        scored(store, tmp_path, pl.DataFrame())
