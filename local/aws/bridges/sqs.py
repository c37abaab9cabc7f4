"""SQS→Lambda with a batching window and batches above ten messages, both of which the emulator ignores."""

import time
from typing import Any

from ministack.services import lambda_svc, sqs

PRIVATE = {
    sqs: (
        "_collect_msgs", "_dlq_sweep", "_expire_retained", "_get_q", "_queues_lock",
        "_receive_messages_for_esm",
    ),
    lambda_svc: ("_iter_all_esms",),
}  # fmt: skip


def install() -> None:
    sqs._receive_messages_for_esm = _receive


def _receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
    """Up to a batch of messages; none as long as they are fewer and the window is still open."""
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        now = time.time()
        visible = [m["visible_at"] for m in queue["messages"] if m.get("visible_at", now) <= now]
        window = _window(queue["attributes"]["QueueArn"])
        if visible and len(visible) < batch_size and now - min(visible) < window:
            return []
        timeout = int(queue["attributes"].get("VisibilityTimeout", "30"))
        return list(sqs._collect_msgs(queue, batch_size, timeout))


def _window(queue_arn: str) -> int:
    """The batching window of the functions that the queue feeds, in seconds."""
    mappings = [mapping for *_, mapping in lambda_svc._iter_all_esms()]
    ours = [mapping for mapping in mappings if mapping.get("EventSourceArn") == queue_arn]
    return max((mapping.get("MaximumBatchingWindowInSeconds", 0) for mapping in ours), default=0)
