"""Messages to a queue."""

import time
from collections.abc import Sequence
from typing import Any

AT_ONCE = 10  # messages: SQS's limit for a SendMessageBatch


def send(
    sqs: Any, queue_url: str, bodies: Sequence[str], *, tries: int = 1, delay: int = 0
) -> dict[int, str]:
    """Queue messages, to be received after `delay` seconds; what SQS refuses, up to so many times.

    Returns why, by place in `bodies`, for those that it still refuses.
    """
    refused: dict[int, str] = {}
    for first in range(0, len(bodies), AT_ONCE):
        left = list(range(first, min(first + AT_ONCE, len(bodies))))
        for attempt in range(tries):
            time.sleep(attempt and 0.2 * 2**attempt)
            entries = [{"Id": str(n), "MessageBody": bodies[n], "DelaySeconds": delay} for n in left]
            failed = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
            left = [int(entry["Id"]) for entry in failed]
            if not left:
                break
        else:
            refused |= {int(entry["Id"]): entry.get("Message", entry.get("Code", "")) for entry in failed}
    return refused
