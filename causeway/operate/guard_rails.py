"""What each limit of the settings bounds, in US dollars."""

from __future__ import annotations

from collections.abc import Iterator

from causeway.flow.prices import DPUS, MINUTE, PRICES
from causeway.operate.forecast import work
from causeway.operate.sizing import chosen, workload_in
from causeway.settings import Settings

DAY = 86_400  # seconds
GATHERING = 0.5  # seconds that a poller takes at least, without a window; assumed
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
    full = min(work(settings, limits.batch_max_objects, limits.batch_max_bytes).dollars, timeout * second)
    yield "batch_max_bytes", limits.batch_max_bytes, "a full batch, about", full
    window, least = limits.batch_window_seconds, work(settings, 1, 0)
    windows = POLLERS * DAY / (window or GATHERING) * least.dollars
    if not least.by_function:
        windows = min(windows, runs * DAY * second)
    yield "batch_window_seconds", window, "a dataset that gets small files, few a window, a day", windows
    if (small := settings.small_batches).max_objects:
        call = small.timeout_seconds * small.memory_mb / 1024 * float(PRICES["lambda_gb_second"].dollars)
        yield (
            "small_batches.timeout_seconds",
            small.timeout_seconds,
            "one call, before the job is asked",
            call,
        )
    if hours := limits.profile_hours:
        profile = DAY / 3600 / hours * limits.profile_minutes * MINUTE * second
        yield "profile_minutes", limits.profile_minutes, "profiles of one dataset, a day", profile
    if (asked := settings.inference).enabled:
        day = asked.max_instances * DAY / 3600 * float(chosen(workload_in(asked)).instance.dollars)
        yield "inference.max_instances", asked.max_instances, "a language model that is awake, a day", day
