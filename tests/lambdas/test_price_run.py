"""The end of a run: its price in the ledger, and as a metric."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from causeway.flow.runs import Run, runs_since
from lambdas.price_run.handler import handler, price_run
from tests.causeway.flow.test_runs import ENDED, WHOLE, glue_run
from tests.glue_jobs.conftest import ledger_table

# As Glue's documentation has it.
DETAIL = {
    "jobName": "curate",
    "severity": "ERROR",
    "state": "FAILED",
    "jobRunId": "jr_1",
    "message": "JobName: curate and JobRunId: jr_1 failed to execute with exception …",
}


@pytest.fixture
def ledger() -> Iterator[Any]:
    with mock_aws():
        yield ledger_table()


def test_the_end_of_a_run_is_a_price_under_the_batch_that_caused_it(
    ledger: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    glue = boto3.client("glue", region_name="us-east-1")
    monkeypatch.setattr("lambdas.price_run.handler.boto3.client", lambda *_, **__: glue)
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    monkeypatch.setenv("NAMESPACE", "causeway")
    with Stubber(glue) as stub:
        answer = {"JobRun": glue_run(JobRunState="FAILED")}
        stub.add_response("get_job_run", answer, {"JobName": "curate", "RunId": "jr_1"})
        handler({"detail": DETAIL}, None)
    (run,) = runs_since(ledger, ENDED)
    assert (run.batch, run.state, float(run.dollars)) == (WHOLE, "FAILED", 0.022)
    assert json.loads(capsys.readouterr().out)["Dollars"] == 0.022


def test_an_event_that_is_before_glue_knows_fails_so_that_it_comes_again() -> None:
    class Glue:
        def get_job_run(self, **_: str) -> Any:
            found = glue_run(JobRunState="RUNNING")
            del found["CompletedOn"]
            return {"JobRun": found}

    with pytest.raises(KeyError, match="CompletedOn"):
        price_run(DETAIL, glue=Glue())


def test_the_metric_has_the_dataset_as_its_dimension() -> None:
    told = json.loads(Run.of(glue_run()).metric("causeway"))
    (metrics,) = told["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("causeway", [["Dataset"]])
    assert [told[metric["Name"]] for metric in metrics["Metrics"]] == [0.022]
    assert told["Dataset"] == "air-lines"
    assert told["_aws"]["Timestamp"] == ENDED.timestamp() * 1000
