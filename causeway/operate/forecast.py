"""What it takes to curate sources: runs of the job or calls of the function, time, money."""

from __future__ import annotations

from dataclasses import dataclass

from causeway.flow.prices import DPUS, MINUTE, PRICES
from causeway.settings import Settings

BYTES_A_SECOND = 20 << 20  # of a DPU, which has 4 processors: a fifth of what docs/speed.md measures of 2
# A call of the function for small batches: assumed, since S3 is farther from Lambda than it was where
# docs/costs.md measured 0.7 s and 0.02 s an object. Some calls start an environment, too.
CALL_SECONDS, OBJECT_SECONDS = 4.0, 0.05
PROCESSOR_MB = 1769  # of memory, for each of which Lambda gives a processor


@dataclass(frozen=True)
class Work:
    """Of one batch: seconds; whether the function does it; what is billed, in GB- or else DPU-seconds."""

    seconds: float
    by_function: bool
    billed: float

    @property
    def dollars(self) -> float:
        if self.by_function:
            return self.billed * float(PRICES["lambda_gb_second"].dollars)
        return self.billed * float(PRICES["dpu_hour"].dollars) / 3600


def work(settings: Settings, objects: int, size: float) -> Work:
    """What a batch of so many objects, and bytes in all, takes, by whom the state machine would ask."""
    small, limits = settings.small_batches, settings.limits
    if objects <= small.max_objects and size <= small.max_bytes:
        speed = BYTES_A_SECOND / 4 * small.memory_mb / PROCESSOR_MB
        seconds = CALL_SECONDS + objects * OBJECT_SECONDS + size / speed
        return Work(seconds, True, seconds * small.memory_mb / 1024)
    dpus = DPUS[limits.worker_type] * limits.workers
    seconds = MINUTE + size / (BYTES_A_SECOND * dpus)
    return Work(seconds, False, seconds * dpus)


@dataclass(frozen=True)
class Forecast:
    """An estimate, not a promise: seconds by the clock if nothing else runs, and US dollars."""

    runs: int
    seconds: int
    dollars: float

    def __str__(self) -> str:
        minutes, runs = -(-self.seconds // MINUTE), f"{self.runs:,} run{'s' * (self.runs != 1)}"
        return f"about {runs}, {minutes:,} minute{'s' * (minutes != 1)}, ${self.dollars:,.2f}"


def forecast(settings: Settings, dataset: str, sources: int, size: int) -> Forecast:
    """For so many sources of so many bytes in all, in batches as the settings have them."""
    limits, batching = settings.limits, settings.batching()
    full = batching["*"] | batching.get(dataset, {})
    runs = max(-(-sources // full["max_objects"]), -(-size // full["max_bytes"]))
    if not runs:
        return Forecast(0, 0, 0.0)
    each = work(settings, -(-sources // runs), size / runs)
    rounds = -(-runs // limits.max_concurrent_runs)
    return Forecast(runs, round(rounds * each.seconds), round(runs * each.dollars, 2))
