"""Jobs of Glue and SageMaker AI, with and without `.sync`, and Glue's events, which the emulator lacks."""

import json
import time
from functools import partial
from typing import Any

from ministack.services import eventbridge, glue, stepfunctions

from local.aws.bridges.sagemaker_jobs import FINAL, Kind

PRIVATE = {
    eventbridge: ("_put_events",),
    glue: ("_job_runs", "_start_job_run"),
    stepfunctions: (
        "_AWS_SDK_ERROR_PREFIX",
        "_AWS_SDK_SERVICE_MAP",
        "_SERVICE_DISPATCH",
        "_ExecutionError",
        "_dispatch_aws_sdk_json",
    ),
}
SAGEMAKER = {"target_prefix": "SageMaker", "protocol": "json"}


def install() -> None:
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = _start_job_run
    stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = SAGEMAKER
    stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"
    for kind in ("Training", "Processing"):
        start = partial(_start_sagemaker_job, kind)
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::sagemaker:create{kind}Job"] = start


def _start_job_run(resource: str, task_input: dict[str, Any]) -> dict[str, Any]:
    status, _headers, body = glue._start_job_run(task_input)
    response: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(f"Glue.{response['__type']}", response.get("message", ""))
    if not resource.endswith(".sync"):
        return response
    runs = glue._job_runs[task_input["JobName"]]
    run: dict[str, Any] = next(run for run in runs if run["Id"] == response["JobRunId"])
    while run["CompletedOn"] is None:  # set last, when the state is final
        time.sleep(0.2)
    _tell_end(run)
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(run))
    return dict(run)


def _tell_end(run: dict[str, Any]) -> None:
    """As Glue tells the account's default bus that a run has ended."""
    detail = {"jobName": run["JobName"], "jobRunId": run["Id"], "state": run["JobRunState"]}
    entry = {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _start_sagemaker_job(kind: Kind, resource: str, task_input: dict[str, Any]) -> dict[str, Any]:
    response = _sagemaker(f"Create{kind}Job", task_input)
    if not resource.endswith(".sync"):
        return response
    name, status = f"{kind}JobName", f"{kind}JobStatus"
    while (job := _sagemaker(f"Describe{kind}Job", {name: task_input[name]}))[status] not in FINAL:
        time.sleep(0.2)
    if job[status] != "Completed":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(job))
    return job


def _sagemaker(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    return dict(stepfunctions._dispatch_aws_sdk_json(SAGEMAKER, "sagemaker", operation, request))
