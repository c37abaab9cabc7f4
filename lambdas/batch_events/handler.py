"""Turns queued S3 events into batches: one manifest and one execution per dataset and batch."""

import functools
import hashlib
import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.exceptions import ClientError

from causeway.flow import queue
from causeway.flow.batching import cut, until_closed
from causeway.flow.clients import PATIENT
from causeway.flow.datasets import CONTRACTS, datasets_in
from causeway.flow.events import HARMLESS, NO_DATASET, Change, Unrouted, held_message, read_message
from causeway.flow.executions import execution_arn, execution_name
from causeway.flow.ledger import Entry, Ledger
from causeway.flow.manifest import AGAIN, REMOVED, SEEN, Manifest, SourceVersion
from causeway.flow.parameters import BatchEventsParameters, BatchLimits, from_environment

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

# Started again under the next name. A batch that failed this often needs a person.
MAX_STARTS = 20


@dataclass(frozen=True)
class Batching:
    """What turns messages into executions. `ledger` is a boto3 DynamoDB Table, the rest are clients."""

    limits: Mapping[str, BatchLimits]  # by dataset
    landing_bucket: str
    quarantine_bucket: str
    state_machine: str
    queue_url: str
    s3: Any
    states: Any
    sqs: Any
    ledger: Any

    def batch_events(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Start an execution for every batch in the messages; quarantine what belongs to no dataset.

        Returns SQS's partial batch response: the messages whose work did not get done, and only those.
        """
        failed: set[str] = set()
        changes: dict[str, list[Change]] = defaultdict(list)
        for message in messages:
            for event in read_message(message["messageId"], message["body"], self.limits):
                if isinstance(event, Change):
                    changes[event.dataset].append(event)
                elif not self._quarantine(event):
                    failed.add(event.message)
        for dataset in sorted(changes):
            failed |= self._batch_dataset(dataset, changes[dataset])
        return {"batchItemFailures": [{"itemIdentifier": message} for message in sorted(failed)]}

    def _batch_dataset(self, dataset: str, changes: Sequence[Change]) -> set[str]:
        """Start what is ready, hold what waits for the dataset's own window; the messages that failed."""
        limits = self.limits[dataset]
        window = limits.window_seconds
        ready = [change for change in changes if change.held or not window]
        failed = self._hold([change for change in changes if window and not change.held], window)
        for batch in cut(self._undone(ready, dataset), limits):
            manifest = Manifest(dataset, tuple(_newest(batch)))
            try:
                self._start(manifest)
            except ClientError:
                logger.exception("could not start batch %s of %s", manifest.batch, dataset)
                failed.update(change.message for change in batch)
        return failed

    def _hold(self, changes: Sequence[Change], window: int) -> set[str]:
        """Queue changes again until their dataset's own window closes; returns the messages that failed."""
        failed: set[str] = set()
        delay = until_closed(int(time.time()), window) if changes else 0
        for first in range(0, len(changes), queue.AT_ONCE):
            part = changes[first : first + queue.AT_ONCE]
            bodies = [held_message(change) for change in part]
            try:
                failed |= {part[n].message for n in queue.send(self.sqs, self.queue_url, bodies, delay=delay)}
            except ClientError:
                logger.exception("could not hold %d events", len(part))
                failed |= {change.message for change in part}
        return failed

    def _undone(self, changes: Sequence[Change], dataset: str) -> list[Change]:
        """Without what the table holds already: an event that is delivered again costs no job run."""
        try:
            ledger = Ledger(self.ledger, dataset)
            entries = ledger.entries((c.source.source for c in changes), ledger.watermark())
        except ClientError:
            logger.exception("could not ask the ledger of %s: the job will find out", dataset)
            entries = {}
        return [c for c in changes if not _is_done(c, entries.get(c.source.source))]

    def _quarantine(self, unrouted: Unrouted) -> bool:
        """Keep what no dataset can take, with its reason; whether that worked."""
        record = {name: value for name, value in vars(unrouted).items() if value is not None}
        digest = hashlib.sha256(unrouted.received.encode()).hexdigest()[:32]
        key = f"unrouted/{unrouted.code}/{digest}.json"
        try:
            self.s3.put_object(Bucket=self.quarantine_bucket, Key=key, Body=json.dumps(record).encode())
        except ClientError:
            logger.exception("could not quarantine message %s", unrouted.message)
            return False
        text = "left alone" if unrouted.code in HARMLESS else NO_DATASET
        logger.warning("%s: %s", text, json.dumps({"key": key, **record}))
        return True

    def _start(self, manifest: Manifest) -> None:
        """Start the batch's execution, under the next name if those before failed."""
        self.s3.put_object(Bucket=self.landing_bucket, Key=manifest.key, Body=manifest.to_json().encode())
        uri = f"s3://{self.landing_bucket}/{manifest.key}"
        # The input depends on the manifest alone, so that starting it twice is starting it once.
        batch_input = json.dumps(
            {
                "dataset": manifest.dataset,
                "batch": manifest.batch,
                "manifest": uri,
                "objects": len(manifest.sources),
                "bytes": sum(source.size for source in manifest.sources),
            }
        )
        for start in range(1, MAX_STARTS + 1):
            name = execution_name(manifest.dataset, manifest.batch, start)
            try:
                self.states.start_execution(stateMachineArn=self.state_machine, name=name, input=batch_input)
                logger.info("started %s: %d sources", name, len(manifest.sources))
                return
            except self.states.exceptions.ExecutionAlreadyExists:
                arn = execution_arn(self.state_machine, name)
                status = self.states.describe_execution(executionArn=arn)["status"]
            if status in ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED"):
                logger.info("%s is %s already", name, status)
                return
        error = {"Code": "TooManyStarts", "Message": f"{name} failed {MAX_STARTS} times"}
        raise ClientError({"Error": error}, "StartExecution")


def _is_done(change: Change, entry: Entry | None) -> bool:
    """Whether the table holds what the change speaks of, so that a job would find nothing to do."""
    if entry is None or change.source.hint.startswith(REMOVED):
        return False
    if change.source.hint.startswith(AGAIN):
        return change.source.hint != AGAIN + entry.snapshot
    plain = not change.source.hint or change.source.hint.startswith(SEEN)
    return plain and entry.version == change.source.version


def _newest(changes: Sequence[Change]) -> list[SourceVersion]:
    """Several events of one source collapse to the newest; a wish to curate it again is kept."""
    newest: dict[str, SourceVersion] = {}
    again: dict[str, str] = {}
    for change in sorted(changes, key=lambda c: (c.order, c.source)):
        newest[change.source.source] = change.source
        if change.source.hint.startswith(AGAIN):
            again[change.source.source] = change.source.hint
    return [
        source if source.hint else replace(source, hint=again.get(source.source, ""))
        for source in sorted(newest.values())
    ]


@functools.cache
def _batching() -> Batching:
    """From the function's environment: what the stack says, and the contracts that are packaged with it."""
    parameters = from_environment(BatchEventsParameters, os.environ)
    limits = parameters.batching
    return Batching(
        limits={n: BatchLimits(**{**limits["*"], **limits.get(n, {})}) for n in datasets_in(CONTRACTS)},
        landing_bucket=parameters.landing_bucket,
        quarantine_bucket=parameters.quarantine_bucket,
        state_machine=parameters.state_machine,
        queue_url=parameters.queue_url,
        s3=boto3.client("s3", config=PATIENT),
        states=boto3.client("stepfunctions", config=PATIENT),
        sqs=boto3.client("sqs", config=PATIENT),
        ledger=boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table),
    )


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return _batching().batch_events(event["Records"])
