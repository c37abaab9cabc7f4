"""What it takes to curate sources: runs of the job, time, money."""

from __future__ import annotations

from dataclasses import dataclass

from causeway.flow.prices import DPUS, MINUTE, PRICES
from causeway.settings import Settings

BYTES_A_SECOND = 20 << 20  # of a DPU, which has 4 processors: a fifth of what docs/speed.md measures of 2


@dataclass(frozen=True)
class Forecast:
    """An estimate, not a promise: seconds by the clock if nothing else runs, and US dollars."""

    runs: int
    seconds: int
    dollars: float

    def __str__(self) -> str:
        minutes, runs = -(-self.seconds // MINUTE), f"{self.runs:,} run{'s' * (self.runs != 1)}"
        return f"about {runs}, {minutes:,} minute{'s' * (minutes != 1)}, ${self.dollars:,.2f}"


def run_seconds(settings: Settings, size: float) -> float:
    """How long a run of the job takes for so many bytes."""
    limits = settings.limits
    return MINUTE + size / (BYTES_A_SECOND * DPUS[limits.worker_type] * limits.workers)


def forecast(settings: Settings, dataset: str, sources: int, size: int) -> Forecast:
    """For so many sources of so many bytes in all, in batches as the settings have them."""
    limits, batching = settings.limits, settings.batching()
    full = batching["*"] | batching.get(dataset, {})
    runs = max(-(-sources // full["max_objects"]), -(-size // full["max_bytes"]))
    if not runs:
        return Forecast(0, 0, 0.0)
    dpus, seconds = DPUS[limits.worker_type] * limits.workers, run_seconds(settings, size / runs)
    dpu_hour = float(PRICES["dpu_hour"].dollars)
    rounds = -(-runs // limits.max_concurrent_runs)
    return Forecast(runs, round(rounds * seconds), round(runs * seconds * dpus * dpu_hour / 3600, 2))
