"""When a batch kills its job: which part of it to run next, until the objects that do it stand alone."""

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.failures import NotTheObjectsError
from causeway.flow.manifest import POISON, Manifest, dataset_and_batch
from causeway.flow.parameters import SplitBatchParameters, from_environment
from lambdas.split_batch.search import GivenUp, Search

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

# What a job dies of that no object can cause, nor goes by itself, as the job says it or a library under it.
# (What does go by itself, such as throttling, ends with the smaller parts that are run anyway.)
NOT_THE_OBJECTS = re.compile(
    rf"{NotTheObjectsError.__name__}|AccessDenied|ACCESS_DENIED|PERMISSION_ERROR|NoSuchBucket|NoSuchKey|NoCredentials|ExpiredToken"
    r"|ContractError|ModuleNotFoundError|ImportError|EntityNotFoundException"
)
STOPPED = "STOPPED"
MAX_CAUSE = 500  # characters of it, for a state holds many
# What a run that failed ends with, unlike a run that could not be started.
RUN_FAILED = ("States.TaskFailed", "States.Timeout")


def split_batch(event: Mapping[str, Any], *, landing_bucket: str, s3: Any) -> dict[str, Any]:
    """The state machine's next state: what to run (`batch`, `manifest`), or `done`.

    `event` is the state machine's input, with `failure` if the run failed. Raises GivenUp.
    """
    failure = event.get("failure")
    run = _failed_run(failure) if failure else {}
    whole = event.get("whole", event["manifest"])
    _, batch = dataset_and_batch(whole)
    stored = s3.get_object(Bucket=landing_bucket, Key=whole.removeprefix(f"s3://{landing_bucket}/"))
    sources = Manifest.from_json(stored["Body"].read()).sources
    search = Search.from_json(event["search"]) if "search" in event else Search.begin(len(sources))
    timed_out = run.get("JobRunState") == "TIMEOUT"
    search = search.after(failed=bool(failure), cause=run.get("ErrorMessage", ""), passing=not timed_out)
    isolated = [sources[n].source for n in search.poison]
    state = {"dataset": event["dataset"], "whole": whole, "isolated": isolated, "search": search.to_json()}
    if search.done:
        logger.info("batch %s: %d done, isolated: %s", batch, len(sources), isolated)
        return {**state, "manifest": event["manifest"], "batch": event["batch"]}
    running = [sources[n] for n in search.running]
    poison = [replace(sources[n], hint=POISON + deaths) for n, deaths in search.quarantines.items()]
    part = Manifest(event["dataset"], tuple(sorted([*running, *poison])))
    s3.put_object(Bucket=landing_bucket, Key=part.key, Body=part.to_json().encode())
    logger.info("batch %s: run %d: %d sources as %s", batch, search.runs, len(running), part.batch)
    return {**state, "manifest": f"s3://{landing_bucket}/{part.key}", "batch": part.batch}


def _failed_run(failure: Mapping[str, str]) -> dict[str, str]:
    """What is known of the run that failed. Raises GivenUp if no object can be to blame."""
    cause = failure.get("Cause", "")
    try:
        run = json.loads(cause)
    except ValueError:
        run = {"ErrorMessage": cause}
    message = str(run.get("ErrorMessage", ""))
    ran = failure["Error"] in RUN_FAILED and run.get("JobRunState") != STOPPED
    if not ran or NOT_THE_OBJECTS.search(message):
        raise GivenUp(f"{failure['Error']}: {message or run.get('JobRunState')}")
    cause = " ".join(message.split()) or run.get("JobRunState", failure["Error"])
    return {"JobRunState": run.get("JobRunState", ""), "ErrorMessage": cause[:MAX_CAUSE]}


def decide(event: Mapping[str, Any], *, landing_bucket: str, s3: Any) -> dict[str, Any]:
    """What `split_batch` says; that it gives up is an answer too, with the failure to end with."""
    try:
        return split_batch(event, landing_bucket=landing_bucket, s3=s3)
    except GivenUp as verdict:
        _, batch = dataset_and_batch(event.get("whole", event["manifest"]))
        logger.warning("batch %s: given up: %s", batch, verdict)
        return {**event, "failure": {"Error": "GivenUp", "Cause": str(verdict)}, "given_up": True}


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    parameters = from_environment(SplitBatchParameters, os.environ)
    return decide(event, landing_bucket=parameters.landing_bucket, s3=boto3.client("s3", config=PATIENT))
