"""The queues: how full they are, at what pace to fill them, and dead letters' way back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from causeway.flow.landing import Landing
from causeway.operate.deployment import Deployment

# SQS counts its messages about a minute late.
SETTLED_SECONDS, POLL_SECONDS = 60, 15
DEEP = 250  # messages; a message holds about 80 sources
PEEK_SECONDS = 30  # that a dead letter is out of others' sight


@dataclass
class Pace:
    """Keeps what is queued from burying what lands meanwhile: after so many sources it waits for room."""

    landing: Landing
    states: Any
    machine: str
    most_running: int
    at_once: int
    settled: float  # seconds until what was queued shows
    sleep: Callable[[float], None] = time.sleep
    _queued: int = 0

    @classmethod
    def of(cls, deployment: Deployment) -> Pace:
        limits = deployment.settings.limits
        return cls(
            deployment.landing,
            deployment.client("stepfunctions"),
            deployment.pipeline["StateMachine"],
            most_running=2 * limits.max_concurrent_runs,
            at_once=limits.max_concurrent_runs * limits.batch_max_objects,
            settled=SETTLED_SECONDS + limits.batch_window_seconds,
        )

    def __call__(self, queued: int) -> None:
        self._queued += queued
        if self._queued < self.at_once:
            return
        self._queued = 0
        self.sleep(self.settled)
        while self._is_busy():
            self.sleep(POLL_SECONDS)

    def _is_busy(self) -> bool:
        if sum(depth(self.landing.sqs, self.landing.queue_url).values()) > DEEP:
            return True
        request = {"stateMachineArn": self.machine, "statusFilter": "RUNNING", "maxResults": 1000}
        return len(self.states.list_executions(**request)["executions"]) > self.most_running


def depth(sqs: Any, queue_url: str) -> dict[str, int]:
    """How many messages a queue holds: to be received, delayed, or being worked on."""
    names = {
        "visible": "ApproximateNumberOfMessages",
        "delayed": "ApproximateNumberOfMessagesDelayed",
        "in_flight": "ApproximateNumberOfMessagesNotVisible",
    }
    response = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names.values()))
    return {state: int(response["Attributes"].get(name, 0)) for state, name in names.items()}


def move(sqs: Any, origin: str, target: str, progress: Callable[[int], None]) -> int:
    """Move every message; a crash in between leaves one in both queues, and never in neither."""
    moved = 0
    request = {"QueueUrl": origin, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    while messages := sqs.receive_message(**request).get("Messages", []):
        for message in messages:
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=origin, ReceiptHandle=message["ReceiptHandle"])
        moved += len(messages)
        progress(len(messages))
    return moved


def peek(sqs: Any, queue_url: str) -> list[str]:
    """The bodies of a queue's messages, which stay in it."""
    seen: dict[str, dict[str, Any]] = {}
    request = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    try:
        while messages := sqs.receive_message(**request, VisibilityTimeout=PEEK_SECONDS).get("Messages", []):
            new = {message["MessageId"]: message for message in messages}
            if new.keys() <= seen.keys():
                break
            seen |= new
    finally:
        for message in seen.values():
            handle = message["ReceiptHandle"]
            sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
    return [message["Body"] for message in seen.values()]
