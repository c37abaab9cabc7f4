"""On a schedule: what landed and is not in the tables, because its event never came, is queued again."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3

from causeway.manifest import datasets_in
from causeway.reconcile import Landing, Progress, is_missing, prefix_of

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
# Events are seldom this late; what is younger is left to its own.
GRACE = timedelta(minutes=15)
# A function ends after 15 minutes; what is left of it must be enough for a page.
ENOUGH_MS = 30_000
# More than this missing at once is a backfill, which `causeway backfill` paces.
MAX_QUEUED = 100_000


def reconcile(
    landing: Landing, datasets: list[str], *, remaining_ms: Callable[[], int]
) -> dict[str, dict[str, Any]]:
    """One pass over each dataset; where time ends, the next call goes on. Returns each one's progress."""
    answer: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        cursor = {"dataset": dataset, "item": "reconciled"}
        after = landing.ledger.get_item(Key=cursor).get("Item", {}).get("after", "")

        def may_go_on(progress: Progress) -> bool:
            return remaining_ms() > ENOUGH_MS and progress.queued < MAX_QUEUED

        progress = landing.requeue(
            dataset, prefix_of(dataset), is_missing, after=after, older_than=GRACE, may_go_on=may_go_on
        )
        landing.ledger.put_item(Item={**cursor, "after": "" if progress.done else progress.after})
        answer[dataset] = vars(progress)
        if progress.queued:
            logger.warning("%s: %d sources were missing and are queued again", dataset, progress.queued)
    return answer


def handler(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    landing = Landing(
        bucket=os.environ["LANDING_BUCKET"],
        queue_url=os.environ["QUEUE_URL"],
        s3=boto3.client("s3"),
        sqs=boto3.client("sqs"),
        ledger=boto3.resource("dynamodb").Table(os.environ["LEDGER_TABLE"]),
        removing=frozenset(json.loads(os.environ["REMOVING"])),
        retention_days=int(os.environ["RETENTION_DAYS"]),
    )
    return reconcile(landing, datasets_in(CONTRACTS), remaining_ms=context.get_remaining_time_in_millis)
