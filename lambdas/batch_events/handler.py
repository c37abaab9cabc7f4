"""Turns queued S3 events into batches: one manifest and one execution per dataset and batch."""

import functools
import hashlib
import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.exceptions import ClientError

from causeway.flow.clients import PATIENT
from causeway.flow.datasets import CONTRACTS, datasets_in
from causeway.flow.events import Change, Unrouted, read_message
from causeway.flow.ledger import Entry, Ledger
from causeway.flow.manifest import AGAIN, REMOVED, SEEN, Manifest, SourceVersion
from causeway.flow.parameters import BatchEventsParameters, from_environment

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

# Started again under the next name. A batch that failed this often needs a person.
MAX_STARTS = 20
MESSAGES_AT_ONCE = 10  # SQS's limit for a SendMessageBatch


@dataclass(frozen=True)
class Limits:
    """When a dataset's batch is full, in sources and bytes; how long its events gather, in seconds."""

    max_objects: int
    max_bytes: int
    window_seconds: int = 0


@dataclass(frozen=True)
class Batching:
    """What turns messages into executions. `ledger` is a boto3 DynamoDB Table, the rest are clients."""

    limits: Mapping[str, Limits]  # by dataset
    landing_bucket: str
    quarantine_bucket: str
    state_machine: str
    queue_url: str
    s3: Any
    states: Any
    sqs: Any
    ledger: Any

    def batch_events(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Start an execution for every batch in the messages; set aside what belongs to no dataset.

        Returns SQS's partial batch response: the messages whose work did not get done, and only those.
        """
        said = [thing for m in messages for thing in read_message(m["messageId"], m["body"], self.limits)]
        failed: set[str] = set()
        for unrouted in (thing for thing in said if isinstance(thing, Unrouted)):
            try:
                self._set_aside(unrouted)
            except ClientError:
                logger.exception("could not set aside message %s", unrouted.message)
                failed.add(unrouted.message)
        by_dataset: dict[str, list[Change]] = defaultdict(list)
        for change in (thing for thing in said if isinstance(thing, Change)):
            by_dataset[change.dataset].append(change)
        for dataset, changes in sorted(by_dataset.items()):
            failed |= self._hold([c for c in changes if not c.held], dataset)
            ready = [c for c in changes if c.held or not self.limits[dataset].window_seconds]
            for batch in self._batches(self._undone(ready, dataset), self.limits[dataset]):
                manifest = Manifest(dataset, tuple(_newest(batch)))
                try:
                    self._start(manifest)
                except ClientError:
                    logger.exception("could not start batch %s of %s", manifest.batch, dataset)
                    failed.update(change.message for change in batch)
        return {"batchItemFailures": [{"itemIdentifier": message} for message in sorted(failed)]}

    def _hold(self, changes: Sequence[Change], dataset: str) -> set[str]:
        """Queue changes again until their dataset's own window closes; returns the messages that failed.

        Windows close at multiples of their length, so that what arrives meanwhile comes back together.
        """
        window = self.limits[dataset].window_seconds
        failed: set[str] = set()
        if not window:
            return failed
        delay = window - int(time.time()) % window
        for i in range(0, len(changes), MESSAGES_AT_ONCE):
            some = changes[i : i + MESSAGES_AT_ONCE]
            entries = [
                {"Id": str(n), "DelaySeconds": delay, "MessageBody": _held(change)}
                for n, change in enumerate(some)
            ]
            try:
                answer = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)
                failed |= {some[int(entry["Id"])].message for entry in answer.get("Failed", [])}
            except ClientError:
                logger.exception("could not hold %d events of %s", len(some), dataset)
                failed |= {change.message for change in some}
        return failed

    def _undone(self, changes: Sequence[Change], dataset: str) -> list[Change]:
        """Without what the table holds already: an event that is delivered again costs no job run."""
        try:
            ledger = Ledger(self.ledger, dataset)
            known = ledger.entries((c.source.source for c in changes), ledger.watermark())
        except ClientError:
            logger.exception("could not ask the ledger of %s: the job will find out", dataset)
            known = {}
        return [c for c in changes if not _is_done(c, known.get(c.source.source))]

    @staticmethod
    def _batches(changes: Sequence[Change], limits: Limits) -> Iterator[list[Change]]:
        """Cut one dataset's changes, whole sources at a time, where a limit is reached."""
        by_source: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            by_source[change.source.source].append(change)
        batch: list[Change] = []
        sources = size = 0
        for _, same_source in sorted(by_source.items()):
            weight = max(change.source.size for change in same_source)
            if batch and (sources >= limits.max_objects or size + weight > limits.max_bytes):
                yield batch
                batch, sources, size = [], 0, 0
            batch.extend(same_source)
            sources, size = sources + 1, size + weight
        if batch:
            yield batch

    def _set_aside(self, unrouted: Unrouted) -> None:
        record = {name: value for name, value in vars(unrouted).items() if value is not None}
        digest = hashlib.sha256(unrouted.received.encode()).hexdigest()[:32]
        key = f"unrouted/{unrouted.code}/{digest}.json"
        self.s3.put_object(Bucket=self.quarantine_bucket, Key=key, Body=json.dumps(record).encode())
        logger.warning("set aside: %s", json.dumps({"key": key, **record}))

    def _start(self, manifest: Manifest) -> None:
        self.s3.put_object(Bucket=self.landing_bucket, Key=manifest.key, Body=manifest.to_json().encode())
        # The input depends on the manifest alone, so that starting it twice is starting it once.
        execution_input = json.dumps(
            {
                "dataset": manifest.dataset,
                "batch": manifest.batch,
                "manifest": f"s3://{self.landing_bucket}/{manifest.key}",
            }
        )
        for start in range(1, MAX_STARTS + 1):
            name = f"{manifest.dataset}-{manifest.batch}" + (f"-r{start}" if start > 1 else "")
            try:
                self.states.start_execution(
                    stateMachineArn=self.state_machine, name=name, input=execution_input
                )
                logger.info("started %s: %d sources", name, len(manifest.sources))
                return
            except self.states.exceptions.ExecutionAlreadyExists:
                arn = self.state_machine.replace(":stateMachine:", ":execution:") + f":{name}"
                status = self.states.describe_execution(executionArn=arn)["status"]
            if status in ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED"):
                logger.info("%s is %s already", name, status)
                return
        raise ClientError(
            {"Error": {"Code": "TooManyStarts", "Message": f"{name} failed {MAX_STARTS} times"}},
            "StartExecution",
        )


def _held(change: Change) -> str:
    return f'{{"held": true, "Records": [{change.record}]}}'


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
    told = from_environment(BatchEventsParameters, os.environ)
    limits = {name: {**told.batching["*"], **told.batching.get(name, {})} for name in datasets_in(CONTRACTS)}
    return Batching(
        limits={name: Limits(**own) for name, own in limits.items()},
        landing_bucket=told.landing_bucket,
        quarantine_bucket=told.quarantine_bucket,
        state_machine=told.state_machine,
        queue_url=told.queue_url,
        s3=boto3.client("s3", config=PATIENT),
        states=boto3.client("stepfunctions", config=PATIENT),
        sqs=boto3.client("sqs", config=PATIENT),
        ledger=boto3.resource("dynamodb", config=PATIENT).Table(told.ledger_table),
    )


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return _batching().batch_events(event["Records"])
