"""What each limit of the settings bounds, in US dollars."""

from __future__ import annotations

from collections.abc import Iterator

from causeway.flow.prices import DPUS, MINUTE, PRICES
from causeway.operate.forecast import run_seconds
from causeway.operate.sizing import chosen, workload_in
from causeway.settings import Settings

DAY = 86_400  # seconds
POLLERS = 2  # of the queue, at once: the pipeline's stack says so


def bounds(settings: Settings) -> list[dict[str, object]]:
    """For the JSON object: the limit, its value, what it bounds, dollars."""
    return [
        {"limit": limit, "value": value, "bounds": what, "dollars": round(dollars, 2)}
        for limit, value, what, dollars in _bounds(settings)
    ]


def _bounds(settings: Settings) -> Iterator[tuple[str, int, str, float]]:
    limits = settings.limits
    second = DPUS[limits.worker_type] * limits.workers * float(PRICES["dpu_hour"].dollars) / 3600
    runs, timeout = limits.max_concurrent_runs, limits.job_timeout_minutes * MINUTE
    yield "max_concurrent_runs", runs, "all runs of the curating job, a day", runs * DAY * second
    yield "job_timeout_minutes", limits.job_timeout_minutes, "one of them", timeout * second
    least = min(run_seconds(settings, limits.batch_max_bytes), timeout)
    yield "batch_max_bytes", limits.batch_max_bytes, "a run of a full batch, about", least * second
    # Each gathers for so long, and a run takes a minute at least.
    window = limits.batch_window_seconds
    windows = POLLERS * DAY / window * MINUTE * second if window else runs * DAY * second
    yield "batch_window_seconds", window, "a dataset that gets small files, few a window, a day", windows
    if hours := limits.profile_hours:
        profile = DAY / 3600 / hours * limits.profile_minutes * MINUTE * second
        yield "profile_minutes", limits.profile_minutes, "profiles of one dataset, a day", profile
    if (asked := settings.inference).enabled:
        day = asked.max_instances * DAY / 3600 * float(chosen(workload_in(asked)).instance.dollars)
        yield "inference.max_instances", asked.max_instances, "a language model that is awake, a day", day
