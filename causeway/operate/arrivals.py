"""A day of arrivals, and the batches that the pipeline's own code makes of them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from causeway.flow.batching import cut, until_closed
from causeway.flow.events import Change
from causeway.flow.manifest import SourceVersion
from causeway.flow.parameters import BatchLimits

DAY, HOUR, BURST = 86_400, 3_600, 300  # seconds
MESSAGES = 5_000  # of S3's events, a kilobyte or so each: what Lambda's 6 MB hold of them


def steady(share: float) -> float:
    return share * DAY


def bursty(share: float) -> float:
    """What an hour brings comes in its first five minutes."""
    hour, rest = divmod(share * 24, 1)
    return hour * HOUR + rest * BURST


@cache
def _share_by_minute() -> Sequence[float]:
    """Of a day whose rate is a wave, nothing at midnight and the most at noon: what came by each minute."""
    return [n / 1440 - math.sin(2 * math.pi * n / 1440) / (2 * math.pi) for n in range(1441)]


def diurnal(share: float) -> float:
    shares = _share_by_minute()
    after = max(1, bisect_left(shares, share))
    before, span = shares[after - 1], shares[after] - shares[after - 1]
    return 60 * (after - 1 + (share - before) / span)


PATTERNS: Mapping[str, Callable[[float], float]] = {"steady": steady, "bursty": bursty, "diurnal": diurnal}


@dataclass(frozen=True)
class Batched:
    """One batch: when its run starts, what it holds, and how long its objects waited for that, in all."""

    start: float
    objects: int
    size: int
    waited: float
    longest: float


def simulate(
    pattern: str, objects: int, size: int, *, limits: BatchLimits, window: int, batch_size: int
) -> tuple[list[Batched], int]:
    """The batches of a day, of so many objects of that size, and how often the function is called.

    `window` and `batch_size` are those of the queue's delivery to the function, as if one poller gathered:
    AWS may use two at once, and then makes up to twice as many batches of the same objects.
    """
    landed = [round(PATTERNS[pattern]((n + 0.5) / objects), 3) for n in range(objects)]
    times, calls, received = landed, 0, min(batch_size, MESSAGES)
    if own := limits.window_seconds:
        held = list(_gather(landed, window, received))
        calls = len(held)
        times = [
            called + until_closed(int(called), own) for called, first, end in held for _ in range(first, end)
        ]
    batches: list[Batched] = []
    for called, first, end in _gather(times, window, received):
        calls += 1
        changes = [_change(n, size) for n in range(first, end)]
        for batch in cut(changes, limits):
            waited = [called - landed[int(change.message)] for change in batch]
            batches.append(Batched(called, len(batch), size * len(batch), sum(waited), max(waited)))
    return batches, calls


def _gather(times: Sequence[float], window: int, most: int) -> Iterator[tuple[float, int, int]]:
    """When the function is called, and with which of the messages: as Lambda gathers them from a queue."""
    first = 0
    while first < len(times):
        closes = times[first] + window
        end = first + 1
        while end < len(times) and end - first < most and times[end] < closes:
            end += 1
        yield (times[end - 1] if end - first == most else closes), first, end
        first = end


def _change(number: int, size: int) -> Change:
    source = SourceVersion(f"landing/estimated/{number:012}", "v", size)
    return Change(str(number), source, "", "", held=False)
