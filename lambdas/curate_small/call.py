"""One call: a small batch, and what it cost."""

import logging
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import boto3
from botocore.exceptions import ClientError

from causeway.flow.clients import PATIENT
from causeway.flow.parameters import CurateSmallParameters, from_environment
from causeway.flow.runs import Run
from glue_jobs.job import curate_batch
from glue_jobs.tasks import one_by_one

logger = logging.getLogger("causeway")
logger.setLevel(logging.INFO)


def curate(call: Mapping[str, str], *, run: str, memory_mb: int, began: float) -> None:
    """Curate the batch of call["manifest"]. `began`: on the clock of time.monotonic."""
    parameters = from_environment(CurateSmallParameters, os.environ)
    curate_batch(parameters, call["manifest"], run=run, distribute=one_by_one, slots=lambda: 1)
    seconds, now = time.monotonic() - began, datetime.now(UTC)
    priced = Run.of_call(call, id_=run, state="SUCCEEDED", ended=now, seconds=seconds, memory_mb=memory_mb)
    print(priced.metric(parameters.namespace))  # as it is: a logger's line would be none
    try:
        priced.put(boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table))
    except ClientError:
        logger.exception("the price of batch %s is not written down", priced.batch)
