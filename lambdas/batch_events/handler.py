"""Turns queued S3 events into batches: one manifest and one execution per dataset and batch."""

import hashlib
import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError

from causeway.manifest import Manifest
from lambdas.batch_events.events import Change, Unrouted, read_message

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

# Started again under the next name. A batch that failed this often needs a person.
MAX_STARTS = 20


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return batch_events(
        event["Records"],
        datasets=frozenset(os.environ["DATASETS"].split(",")),
        landing_bucket=os.environ["LANDING_BUCKET"],
        quarantine_bucket=os.environ["QUARANTINE_BUCKET"],
        state_machine=os.environ["STATE_MACHINE"],
        max_objects=int(os.environ["BATCH_MAX_OBJECTS"]),
        max_bytes=int(os.environ["BATCH_MAX_BYTES"]),
        s3=boto3.client("s3"),
        states=boto3.client("stepfunctions"),
    )


def batch_events(
    messages: Sequence[Mapping[str, Any]],
    *,
    datasets: frozenset[str],
    landing_bucket: str,
    quarantine_bucket: str,
    state_machine: str,
    max_objects: int,
    max_bytes: int,
    s3: Any,
    states: Any,
) -> dict[str, Any]:
    """Start an execution for every batch in the messages; set aside what belongs to no dataset.

    Returns SQS's partial batch response: the messages whose work did not get done, and only those.
    """
    said = [thing for m in messages for thing in read_message(m["messageId"], m["body"], datasets)]
    failed: set[str] = set()
    for unrouted in (thing for thing in said if isinstance(thing, Unrouted)):
        try:
            _set_aside(unrouted, quarantine_bucket, s3)
        except ClientError:
            logger.exception("could not set aside message %s", unrouted.message)
            failed.add(unrouted.message)
    for batch in _batches([t for t in said if isinstance(t, Change)], max_objects, max_bytes):
        manifest = Manifest(batch[0].dataset, tuple(sorted({c.source for c in _newest(batch)})))
        try:
            _start(manifest, landing_bucket, state_machine, s3, states)
        except ClientError:
            logger.exception("could not start batch %s of %s", manifest.batch, manifest.dataset)
            failed.update(change.message for change in batch)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in sorted(failed)]}


def _batches(changes: Sequence[Change], max_objects: int, max_bytes: int) -> Iterator[list[Change]]:
    """Cut each dataset's changes, whole sources at a time, where a limit is reached."""
    by_source: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        by_source[change.dataset, change.source.source].append(change)
    batch: list[Change] = []
    sources = size = 0
    for _, same_source in sorted(by_source.items()):
        weight = max(change.source.size for change in same_source)
        full = sources >= max_objects or size + weight > max_bytes
        if batch and (full or batch[0].dataset != same_source[0].dataset):
            yield batch
            batch, sources, size = [], 0, 0
        batch.extend(same_source)
        sources, size = sources + 1, size + weight
    if batch:
        yield batch


def _newest(changes: Sequence[Change]) -> list[Change]:
    """Several events of one source collapse to the newest."""
    newest: dict[str, Change] = {}
    for change in sorted(changes, key=lambda c: (c.order, c.source.version)):
        newest[change.source.source] = change
    return list(newest.values())


def _set_aside(unrouted: Unrouted, quarantine_bucket: str, s3: Any) -> None:
    record = {name: value for name, value in vars(unrouted).items() if value is not None}
    digest = hashlib.sha256(unrouted.received.encode()).hexdigest()[:32]
    key = f"unrouted/{unrouted.code}/{digest}.json"
    s3.put_object(Bucket=quarantine_bucket, Key=key, Body=json.dumps(record).encode())
    logger.warning("set aside: %s", json.dumps({"key": key, **record}))


def _start(manifest: Manifest, landing_bucket: str, state_machine: str, s3: Any, states: Any) -> None:
    s3.put_object(Bucket=landing_bucket, Key=manifest.key, Body=manifest.to_json().encode())
    # The input depends on the manifest alone, so that starting it twice is starting it once.
    execution_input = json.dumps(
        {
            "dataset": manifest.dataset,
            "batch": manifest.batch,
            "manifest": f"s3://{landing_bucket}/{manifest.key}",
        }
    )
    for start in range(1, MAX_STARTS + 1):
        name = f"{manifest.dataset}-{manifest.batch}" + (f"-r{start}" if start > 1 else "")
        try:
            states.start_execution(stateMachineArn=state_machine, name=name, input=execution_input)
            logger.info("started %s: %d sources", name, len(manifest.sources))
            return
        except states.exceptions.ExecutionAlreadyExists:
            arn = state_machine.replace(":stateMachine:", ":execution:") + f":{name}"
            status = states.describe_execution(executionArn=arn)["status"]
        if status in ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED"):
            logger.info("%s is %s already", name, status)
            return
    raise ClientError(
        {"Error": {"Code": "TooManyStarts", "Message": f"{name} failed {MAX_STARTS} times"}}, "StartExecution"
    )
