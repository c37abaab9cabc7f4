"""What a month would cost, before anything is deployed: the arrivals of a day, thirty times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from causeway.contract.model import Contract
from causeway.flow.parameters import BatchLimits
from causeway.flow.prices import DPUS, MINUTE, PRICES, REGION, WHERE
from causeway.operate.arrivals import DAY, simulate
from causeway.operate.forecast import Work, work
from causeway.operate.idle import DAYS, Item, idle
from causeway.settings import Settings

# Other ways to gather: the queue's window in seconds, the dataset's own after it, objects of a batch at most.
OTHERS = ((300, 0, 10_000), (60, 900, 10_000))
# Assumed, not measured on AWS; of a batch unless it is said of what.
BY_JOB, BY_FUNCTION = 6, 5  # transitions of the state machine
GATHERING, PER_OBJECT, GIGABYTES = (
    0.5,
    0.002,
    0.5,
)  # of the batching function: seconds of a call, of an object
FILES_WRITTEN = 12  # manifest, report, data, metadata
LOG_GB, SMALL_LOG_GB = 0.0005, 0.00002  # by the job, by the function
CURATED = 0.25  # of the bytes that landed, as docs/scale.md has it of CSV
METRICS = 7  # of a dataset: rows, share, batches that run, dollars
MEASURING = 0.3  # seconds of a function for each commit
CRAWL = (
    2 * 10 * MINUTE
)  # DPU-seconds of a crawler that looks at what landed: ten minutes at least, of two DPUs
NOT_IN_IT = (
    "the tables' upkeep, requests to the key, what the partner's account costs, taxes, discounts, free tiers"
)


@dataclass(frozen=True)
class Arrivals:
    """So many objects a day, so many bytes each."""

    pattern: str
    objects: int
    size: int


@dataclass(frozen=True)
class Way:
    """How events gather: the queue's window, the dataset's own after it, the most objects of a batch."""

    window: int
    own: int
    objects: int


def estimate(settings: Settings, contracts: Mapping[str, Contract], arrivals: Arrivals) -> dict[str, Any]:
    """For the JSON object: a month's items, idle ones included, other windows, and a run for each object."""
    limits, resting = settings.limits, idle(settings, contracts)
    now = Way(limits.batch_window_seconds, 0, limits.batch_max_objects)
    at_rest = sum(item.dollars for item in resting)
    single = DAYS * arrivals.objects * 2 * MINUTE / 3600 * float(PRICES["dpu_hour"].dollars)
    ways = [_plan(settings, arrivals, way, at_rest) for way in (now, *(Way(*other) for other in OTHERS))]
    return {
        "arrivals": asdict(arrivals),
        "plan": ways[0],
        "idle": [_told(item) for item in resting],
        "other_windows": ways[1:],
        "run_per_object": single,
        "crawler_per_batch": ways[0]["batches_a_day"]
        * DAYS
        * CRAWL
        / 3600
        * float(PRICES["dpu_hour"].dollars),
        "not_in_it": NOT_IN_IT,
        "prices_of": WHERE,
        "foreign_prices": settings.company.region if settings.company.region != REGION else "",
    }


def _plan(settings: Settings, arrivals: Arrivals, way: Way, at_rest: float) -> dict[str, Any]:
    """A month of it; `dollars` with what it costs at rest."""
    limits = BatchLimits(way.objects, settings.limits.batch_max_bytes, way.own)
    day = (arrivals.pattern, arrivals.objects, arrivals.size)
    batches, calls = simulate(*day, limits=limits, window=way.window, batch_size=max(10, way.objects))
    works = [work(settings, batch.objects, batch.size) for batch in batches]
    items = list(_items(settings, arrivals, way, calls=calls, works=works))
    worked = list(zip(batches, works, strict=True))
    visible = sum(batch.waited + batch.objects * work.seconds for batch, work in worked)
    return {
        **asdict(way),
        "batches_a_day": len(batches),
        "by_function": sum(work.by_function for work in works),
        "runs_at_once": round(sum(work.seconds for work in works if not work.by_function) / DAY, 1),
        "seconds_to_visible": round(visible / arrivals.objects),
        "longest_to_visible": round(max(batch.longest + work.seconds for batch, work in worked)),
        "items": [_told(item) for item in items],
        "runs": DAYS * sum(work.dollars for work in works),
        "dollars": at_rest + sum(item.dollars for item in items),
    }


def _items(
    settings: Settings,
    arrivals: Arrivals,
    way: Way,
    *,
    calls: int,
    works: Sequence[Work],
) -> Iterator[Item]:
    """By a day's calls of the batching function, and what each of its batches takes."""
    limits, objects, runs = settings.limits, DAYS * arrivals.objects, DAYS * len(works)
    by_function = [one.billed for one in works if one.by_function]
    by_job = [one.billed for one in works if not one.by_function]
    job, small = DAYS * len(by_job), DAYS * len(by_function)
    dpus, times = DPUS[limits.worker_type] * limits.workers, 2 if way.own else 1  # that events are queued
    if job:
        yield Item("runs of the job", DAYS * sum(by_job) / 3600, "dpu_hour", f"{job:,} batches")
    if small:
        yield Item(
            "calls for small batches", DAYS * sum(by_function), "lambda_gb_second", f"{small:,} batches"
        )
    if hours := limits.profile_hours:
        profiles = min(runs, DAYS * 24 / hours)
        yield Item("profiles", profiles * MINUTE * dpus / 3600, "dpu_hour", "a minute each")
    transitions = job * BY_JOB + small * BY_FUNCTION
    yield Item(
        "state machine", transitions, "transition", f"{BY_JOB} a batch by the job, {BY_FUNCTION} otherwise"
    )
    worked = DAYS * calls * GATHERING + objects * times * PER_OBJECT + runs * MEASURING
    yield Item("functions' calls", DAYS * calls + 2 * runs, "lambda_request", "batching; of each batch two")
    yield Item("functions' time", worked * GIGABYTES, "lambda_gb_second", f"{PER_OBJECT} s an object")
    yield Item("queue", objects * 1.2 * times, "sqs_request", "sent, and received and deleted by tens")
    yield Item("landing the objects", objects, "s3_put", "whoever puts them")
    yield Item("reading them", objects * 2, "s3_get")
    yield Item("files written", runs * FILES_WRITTEN, "s3_put", f"{FILES_WRITTEN} a batch")
    yield from _reconciled(limits.reconcile_hours, objects)
    yield Item("ledger, written", objects + 3 * runs, "ledger_write")
    if settings.audit:
        audited = objects * 3 + runs * 2 * FILES_WRITTEN
        yield Item("audit trail", audited, "audited_event", "put, looked at, read; files written and read")
    logged = job * LOG_GB + small * SMALL_LOG_GB
    yield Item(
        "logs",
        logged,
        "log_gb",
        f"{LOG_GB * 1000:g} MB a batch by the job, {SMALL_LOG_GB * 1000:g} otherwise",
    )
    yield Item("metrics", METRICS, "metric_month")
    stored = objects * arrivals.size / 1e9 / 2
    yield Item("storage of what landed", stored, "s3_gb_month", "the first month: half of it, on average")
    yield Item("storage of the table", stored * CURATED, "s3_gb_month", f"{CURATED:.0%} of that")


def _reconciled(hours: int, objects: int) -> Iterator[Item]:
    """What every pass lists and asks the ledger of: in the first month, half of its objects on average."""
    looked_at = DAYS * 24 / hours * objects / 2
    yield Item("reconciliation's listings", looked_at / 1000, "s3_put", "the first month")
    yield Item("ledger, read", objects * 2 + looked_at, "ledger_read", "reconciliation's, most of them")


def _told(item: Item) -> dict[str, Any]:
    return {**asdict(item), "price": PRICES[item.price].source, "dollars": item.dollars}
