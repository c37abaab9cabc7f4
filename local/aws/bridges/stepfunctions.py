"""`glue:startJobRun`, with and without `.sync`, which the emulator's state machines lack."""

import json
import time
from typing import Any

from ministack.services import glue, stepfunctions

PRIVATE = {glue: ("_job_runs", "_start_job_run"), stepfunctions: ("_SERVICE_DISPATCH", "_ExecutionError")}


def install() -> None:
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = _start_job_run


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
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(run))
    return dict(run)
