"""Every line of a run's log says which batch it is of."""

import json
import logging

import pytest

from causeway.flow.manifest import Manifest, SourceVersion
from glue_jobs.curate import run_of
from lambdas.split_batch.handler import decide
from tests.glue_jobs.conftest import SmallLake, small_lake  # noqa: F401  # a fixture

PART = Manifest("trips", (SourceVersion("landing/trips/a.csv", "v", 1),))
EXECUTION = f"arn:aws:states:us-east-1:111111111111:execution:batches:trips-{'a' * 32}-r2"


def line(*arguments: str) -> str:
    formatter = logging.Formatter(f"%(levelname)s %(message)s {run_of(arguments)}")
    return formatter.format(logging.LogRecord("n", logging.INFO, "p", 1, "began", (), None))


def test_a_run_of_the_job_says_its_part_and_the_execution_whose_name_has_the_batch() -> None:
    given = (
        "curate.py",
        "--JOB_RUN_ID",
        "jr_1",
        "--manifest",
        f"s3://landing/{PART.key}",
        "--execution",
        EXECUTION,
    )
    assert line(*given) == f"INFO began batch={PART.batch} execution=trips-{'a' * 32}-r2"


@pytest.mark.parametrize("arguments", [(), ("--manifest",), ("--manifest", "100%s")])
def test_what_a_run_is_not_told_does_not_break_its_log(arguments: tuple[str, ...]) -> None:
    assert line(*arguments).startswith("INFO began batch=")


@pytest.mark.parametrize("told", ["killed", "AccessDenied"])
def test_the_search_for_poison_says_which_batch_it_splits(
    small_lake: SmallLake,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    told: str,
) -> None:
    sources = tuple(SourceVersion(f"landing/trips/{n}.csv", "v", 1) for n in range(4))
    whole = Manifest("trips", sources)
    small_lake.s3.put_object(Bucket="landing", Key=whole.key, Body=whole.to_json())
    caplog.set_level(logging.INFO)
    state = {"dataset": "trips", "batch": whole.batch, "manifest": f"s3://landing/{whole.key}"}
    for _ in range(3):
        cause = json.dumps({"ErrorMessage": told, "JobRunState": "FAILED"})
        failure = {"Error": "States.TaskFailed", "Cause": cause}
        state = decide({**state, "failure": failure}, landing_bucket="landing", s3=small_lake.s3)
    lines = [record.message for record in caplog.records if record.name.startswith("lambdas")]
    assert len(lines) == 3
    assert all(whole.batch in text for text in lines)
