"""What became of every version that landed: landed is the sum of the classes, each version is in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from causeway.flow.datasets import prefix_of
from causeway.flow.events import Change, read_message
from causeway.flow.landing import GRACE, Landing, Listed
from causeway.flow.ledger import Entry, Ledger
from causeway.operate.deployment import Deployment
from causeway.operate.executions import RED, RUNNING, batches, cause, outstanding
from causeway.operate.queues import depth, peek

COMMITTED, SUPERSEDED, QUARANTINED = "committed", "superseded", "quarantined"
WAITING, FAILED, DEAD, UNACCOUNTED = "waiting", "failed", "dead_lettered", "unaccounted"
CLASSES = (COMMITTED, SUPERSEDED, QUARANTINED, WAITING, FAILED, DEAD, UNACCOUNTED)
EXAMPLES = 10  # of versions that need a person

Versions = set[tuple[str, str]]


@dataclass
class Pending:
    """The versions that are still in the pipeline's hands, as far as one can see.

    While the queue holds messages, and for what landed after `until`, any version may be.
    """

    until: datetime
    in_queue: bool = False
    running: Versions = field(default_factory=set)
    failed: Versions = field(default_factory=set)
    dead: Versions = field(default_factory=set)


def classify(listed: Listed, entry: Entry | None, pending: Pending) -> str:
    """What became of a version: the one of CLASSES that it belongs to."""
    if entry and entry.version == listed.version:
        return QUARANTINED if entry.unreadable else COMMITTED
    if not listed.latest:
        return SUPERSEDED
    version = (listed.source, listed.version)
    if version in pending.running:
        return WAITING
    if version in pending.dead:
        return DEAD
    if version in pending.failed:
        return FAILED
    return WAITING if pending.in_queue or listed.at > pending.until else UNACCOUNTED


def pipeline_state(
    deployment: Deployment, datasets: list[str], now: datetime, *, count_only: bool
) -> tuple[dict[str, Any], Pending]:
    """What runs, failed, is queued and is dead, for the JSON object; and the versions these speak of.

    Looks along the way that events go, so that none slips by. `count_only`: dead letters are not opened.
    """
    landing, states = deployment.landing, deployment.client("stepfunctions")
    machine, dead_letters = deployment.pipeline["StateMachine"], deployment.lake["DeadLettersUrl"]
    queue = depth(landing.sqs, landing.queue_url)
    pending = Pending(now - GRACE, in_queue=any(queue.values()))
    letters = [] if count_only else peek(landing.sqs, dead_letters)
    for body in letters:
        changes = [event for event in read_message("", body, datasets) if isinstance(event, Change)]
        pending.dead |= _versions(change.source for change in changes)
    running = batches(states, machine, datasets, RUNNING)
    for batch in running.values():
        pending.running |= _versions(batch.sources(landing))
    failed = []
    for batch in batches(states, machine, datasets, RED).values():
        due = [] if batch.batch in running else outstanding(landing, batch.dataset, batch.sources(landing))
        if due:
            pending.failed |= _versions(due)
            reason = cause(states, batch.execution)
            failed.append({**vars(batch), "outstanding": len(due), "cause": reason})
    dead = depth(landing.sqs, dead_letters)["visible"] if count_only else len(letters)
    return {"running": len(running), "failed": failed, "queue": queue, "dead_letters": dead}, pending


def account(
    landing: Landing,
    datasets: Iterable[str],
    pending: Pending,
    now: datetime,
    progress: Callable[[int], None],
) -> dict[str, Any]:
    """How many versions are in each class, for the JSON object; `progress` hears the size of each page."""
    counts: dict[str, dict[str, Any]] = {}
    examples: dict[str, list[str]] = {UNACCOUNTED: [], QUARANTINED: []}
    for dataset in datasets:
        classes: Counter[str] = Counter()
        for page in landing.pages(prefix_of(dataset)):
            entries, _ = landing.known(dataset, (listed.source for listed in page))
            for listed in (listed for listed in page if not listed.deleted):
                became = classify(listed, entries.get(listed.source), pending)
                classes[became] += 1
                if len(named := examples.get(became, [])) < EXAMPLES:
                    named.append(listed.source)
            progress(len(page))
        counts[dataset] = {**sums(classes), "batches": _committed_batches(landing, dataset, now)}
    names = ("landed", *CLASSES)
    total = {name: sum(count[name] for count in counts.values()) for name in names}
    adds_up = not total[UNACCOUNTED]
    return {"datasets": counts, "total": total, "adds_up": adds_up, **examples}


def sums(classes: Mapping[str, int]) -> dict[str, int]:
    """landed = committed + superseded + quarantined + waiting + dead-lettered + unaccounted; failed waits."""
    counts = {name: classes.get(name, 0) for name in CLASSES}
    return {"landed": sum(counts.values()), **counts, WAITING: counts[WAITING] + counts[FAILED]}


def _committed_batches(landing: Landing, dataset: str, now: datetime) -> dict[str, Any]:
    ends = [item["at"] for item in Ledger(landing.ledger, dataset).items("batch#")]
    day = (now - timedelta(days=1)).isoformat(timespec="seconds")
    return {"count": len(ends), "last_day": sum(at >= day for at in ends), "last": max(ends, default=None)}


def _versions(sources: Iterable[Any]) -> Versions:
    return {(source.source, source.version) for source in sources}
