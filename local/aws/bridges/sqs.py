"""SQS→Lambda with a batching window and batches above ten messages, both of which the emulator ignores."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.services import lambda_svc, sqs

PRIVATE = {sqs: ("_get_q", "_queues_lock", "_receive_messages_for_esm"), lambda_svc: ("_iter_all_esms",)}
Messages = list[dict[str, Any]]


def install() -> None:
    sqs._receive_messages_for_esm = partial(_receive, sqs._receive_messages_for_esm)


def _receive(receive: Callable[[str, int], Messages], queue_url: str, batch_size: int) -> Messages:
    """Up to a batch of messages, ten at a time; none while they are fewer and the window is still open."""
    with sqs._queues_lock:
        queue, now = sqs._get_q(queue_url), time.time()
        visible = [m["visible_at"] for m in queue["messages"] if m.get("visible_at", now) <= now]
        window = _window(queue["attributes"]["QueueArn"])
    messages: Messages = []
    if len(visible) < batch_size and now - min(visible, default=0) < window:
        return messages
    while len(messages) < batch_size and (more := receive(queue_url, batch_size - len(messages))):
        messages += more
    return messages


def _window(queue_arn: str) -> int:
    """The batching window of the functions that the queue feeds, in seconds."""
    mappings = [mapping for *_, mapping in lambda_svc._iter_all_esms()]
    ours = [mapping for mapping in mappings if mapping.get("EventSourceArn") == queue_arn]
    return max((mapping.get("MaximumBatchingWindowInSeconds", 0) for mapping in ours), default=0)
