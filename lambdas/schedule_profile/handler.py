"""After a commit: start the run that profiles the table, at once or when the last is long enough ago.

An execution waits until its run is due. All commits until then share it: it bears the time in its name.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.executions import execution_arn
from causeway.flow.parameters import ScheduleProfileParameters, from_environment
from causeway.flow.profiles import last_began, set_began

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def schedule_profile(
    dataset: str, parameters: ScheduleProfileParameters, *, ledger: Any, states: Any, now: datetime
) -> str:
    """The name of the execution that profiles what was committed; "" if the dataset has no profiles."""
    hours = parameters.profile_hours.get(dataset, parameters.profile_hours["*"])
    if not hours:
        return ""
    apart, before = timedelta(hours=hours), last_began(ledger, dataset)
    if before is None:
        # Commits that come at the same time must agree on when the first run is due.
        set_began(ledger, dataset, now - apart, before=None)
        before = last_began(ledger, dataset) or now - apart
    name = _start(dataset, before + apart, parameters.state_machine, states)
    if not name:  # it was stopped, or failed, before it could write that it began
        set_began(ledger, dataset, now, before=before)
        name = _start(dataset, now + apart, parameters.state_machine, states)
    logger.info("%s is profiled by execution %s", dataset, name)
    return name


def _start(dataset: str, due: datetime, machine: str, states: Any) -> str:
    """The execution that is due then, which may wait already; "" if it has ended."""
    name = f"{dataset}-{due:%Y%m%dT%H%M%S}-{due.microsecond:06}"
    request = {"dataset": dataset, "due": due.isoformat()}
    try:
        states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
    except states.exceptions.ExecutionAlreadyExists:
        execution = execution_arn(machine, name)
        if states.describe_execution(executionArn=execution)["status"] != "RUNNING":
            return ""
    return name


def handler(event: Mapping[str, Any], _context: object) -> str:
    parameters = from_environment(ScheduleProfileParameters, os.environ)
    ledger = boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table)
    clients = {"ledger": ledger, "states": boto3.client("stepfunctions", config=PATIENT)}
    return schedule_profile(event["detail"]["dataset"], parameters, **clients, now=datetime.now(UTC))
