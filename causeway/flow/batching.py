"""When events become a batch: how long a dataset's own window holds them, and where a limit cuts them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from causeway.flow.events import Change
from causeway.flow.parameters import BatchLimits


def until_closed(now: int, window: int) -> int:
    """Seconds until a window closes: at multiples of its length, so that what came meanwhile is together."""
    return window - now % window


def cut(changes: Sequence[Change], limits: BatchLimits) -> Iterator[list[Change]]:
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
