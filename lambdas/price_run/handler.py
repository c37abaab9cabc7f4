"""When a run of a Glue job has ended, however it did: what it cost, into the ledger and as a metric."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.parameters import PriceRunParameters, from_environment
from causeway.flow.runs import Run

METRIC = "Dollars"


def price_run(detail: Mapping[str, Any], *, glue: Any, ledger: Any) -> Run:
    """Raises KeyError if Glue does not say yet that the run has ended; the event comes again then."""
    found = glue.get_job_run(JobName=detail["jobName"], RunId=detail["jobRunId"])["JobRun"]
    run = Run.of(found)
    run.put(ledger)
    return run


def metric_line(run: Run, namespace: str) -> str:
    """CloudWatch makes a metric of a line in this format."""
    described = {"Name": METRIC, "Unit": "None"}
    metrics = {"Namespace": namespace, "Dimensions": [["Dataset"]], "Metrics": [described]}
    ended = round(1000 * datetime.fromisoformat(run.at).timestamp())
    told = {"_aws": {"Timestamp": ended, "CloudWatchMetrics": [metrics]}}
    return json.dumps({**told, "Dataset": run.dataset, METRIC: float(run.dollars), "run": run.id})


def handler(event: Mapping[str, Any], _context: object) -> None:
    parameters = from_environment(PriceRunParameters, os.environ)
    ledger = boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table)
    run = price_run(event["detail"], glue=boto3.client("glue", config=PATIENT), ledger=ledger)
    print(metric_line(run, parameters.namespace))  # as it is: a logger's line would be none
