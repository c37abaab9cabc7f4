"""On a schedule: what landed and is not in the tables, because its event never came, is queued again."""

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.datasets import CONTRACTS, datasets_in, prefix_of
from causeway.flow.landing import GRACE, QUEUED_AGAIN, Landing
from causeway.flow.parameters import ReconcileParameters, from_environment

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

# A function ends after 15 minutes; what is left of it must be enough for a page.
ENOUGH_MS = 30_000
# More than this missing at once is a backfill, which `causeway backfill` paces.
MAX_QUEUED = 100_000
# Where the pass stands that the next call goes on with.
CURSOR = {"dataset": "*", "item": "reconciled"}


def reconcile(
    landing: Landing, datasets: Iterable[str], *, remaining_ms: Callable[[], int]
) -> dict[str, Any]:
    """One pass over all datasets, in as many calls as it takes: each goes on where time ended."""
    after = landing.ledger.get_item(Key=CURSOR).get("Item", {}).get("after", "")
    seen = queued = 0
    prefixes = {dataset: prefix_of(dataset) for dataset in datasets}
    try:
        for checkpoint in landing.walk(prefixes, after=after, older_than=GRACE):
            seen, queued, after = seen + checkpoint.seen, queued + checkpoint.queued, checkpoint.after
            if checkpoint.queued:
                logger.warning("%s: %d sources %s", checkpoint.dataset, checkpoint.queued, QUEUED_AGAIN)
            if remaining_ms() < ENOUGH_MS or queued >= MAX_QUEUED:
                break
        else:
            after = ""
    finally:
        landing.ledger.put_item(Item={**CURSOR, "after": after})
    answer = {"seen": seen, "queued": queued, "after": after}
    logger.info("%s", json.dumps(answer))
    return answer


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    parameters = from_environment(ReconcileParameters, os.environ)
    landing = Landing(
        bucket=parameters.landing_bucket,
        queue_url=parameters.queue_url,
        s3=boto3.client("s3", config=PATIENT),
        sqs=boto3.client("sqs", config=PATIENT),
        ledger=boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table),
        removing=frozenset(parameters.removing),
        retention_days=parameters.retention_days,
    )
    return reconcile(landing, datasets_in(CONTRACTS), remaining_ms=context.get_remaining_time_in_millis)
