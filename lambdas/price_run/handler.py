"""When a run has ended, however it did: what it cost, into the ledger and as a metric.

Glue tells of the ends of its jobs' runs; the state machine, of failed calls for small batches.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.parameters import PriceRunParameters, from_environment
from causeway.flow.runs import Run


def price_run(detail: Mapping[str, Any], *, glue: Any) -> Run:
    """Raises KeyError if Glue does not say yet that the run has ended; the event comes again then."""
    return Run.of(glue.get_job_run(JobName=detail["jobName"], RunId=detail["jobRunId"])["JobRun"])


def price_failed_call(call: Mapping[str, Any], now: datetime) -> Run:
    """By the clock of its execution, which began with it: no less than what Lambda bills."""
    seconds = (now - datetime.fromisoformat(call["began"])).total_seconds()
    memory = call["memory_mb"]
    execution = call["execution"]
    return Run.of_call(
        call, id_=execution, state="FAILED", ended=now, seconds=max(seconds, 0), memory_mb=memory
    )


def handler(event: Mapping[str, Any], _context: object) -> None:
    parameters = from_environment(PriceRunParameters, os.environ)
    if call := event.get("failed_call"):
        run = price_failed_call(call, datetime.now(UTC))
    else:
        run = price_run(event["detail"], glue=boto3.client("glue", config=PATIENT))
    run.put(boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table))
    print(run.metric(parameters.namespace))  # as it is: a logger's line would be none
