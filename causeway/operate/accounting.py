"""`causeway status`: what runs, what failed, what waits, and what became of every version that landed."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from causeway.flow.datasets import prefix_of
from causeway.flow.events import Change, read_message
from causeway.flow.landing import GRACE, Landing, Listed
from causeway.flow.ledger import Entry, Ledger
from causeway.flow.manifest import AGAIN, REMOVED, SourceVersion
from causeway.operate.deployment import Deployment
from causeway.operate.queues import depth, peek

# landed = the sum of the others, of each version exactly one. Waiting has two parts here.
COMMITTED, SUPERSEDED, QUARANTINED = "committed", "superseded", "quarantined"
WAITING, FAILED, DEAD, UNACCOUNTED = "waiting", "failed", "dead_lettered", "unaccounted"
CLASSES = (COMMITTED, SUPERSEDED, QUARANTINED, WAITING, FAILED, DEAD, UNACCOUNTED)
EXECUTION = re.compile(r"(?P<dataset>.+?)-(?P<batch>[0-9a-f]{32})(-r\d+)?")
RED = ("FAILED", "TIMED_OUT", "ABORTED")
EXAMPLES = 10

Versions = set[tuple[str, str]]


@dataclass
class Spoken:
    """The versions that something in the pipeline speaks of. What landed after `until` may be so yet."""

    until: datetime
    in_queue: bool = False
    running: Versions = field(default_factory=set)
    failed: Versions = field(default_factory=set)
    dead: Versions = field(default_factory=set)


def classify(listed: Listed, entry: Entry | None, spoken: Spoken) -> str:
    """What became of a version: the one of CLASSES that it belongs to."""
    if entry and entry.version == listed.version:
        return QUARANTINED if entry.unreadable else COMMITTED
    if not listed.latest:
        return SUPERSEDED
    version = (listed.source, listed.version)
    if version in spoken.running:
        return WAITING
    if version in spoken.dead:
        return DEAD
    if version in spoken.failed:
        return FAILED
    return WAITING if spoken.in_queue or listed.at > spoken.until else UNACCOUNTED


def is_outstanding(source: SourceVersion, entry: Entry | None, now: Listed | None, *, removes: bool) -> bool:
    """Whether what a batch was to do for this source is still to be done, as S3 and the ledger are now."""
    if now is None or now.deleted:
        held = entry is not None and entry.version is not None
        return held and removes and source.hint.startswith(REMOVED)
    if entry is None or source.hint == AGAIN + entry.snapshot:
        return True
    return entry.version not in (source.version, now.version)


@dataclass(frozen=True)
class Batch:
    """A batch that runs or failed, with the last of its executions."""

    dataset: str
    batch: str
    execution: str
    stopped: str | None
    failures: int


def look(
    deployment: Deployment,
    datasets: list[str],
    *,
    failed_only: bool,
    now: datetime,
    progress: Callable[[int], None],
) -> dict[str, Any]:
    """The status, as the JSON object. Looks along the way that events go, so that none slips by.

    `progress` hears how many versions each page had.
    """
    landing, states = deployment.landing, deployment.client("stepfunctions")
    machine, dead_letters = deployment.pipeline["StateMachine"], deployment.lake["DeadLettersUrl"]
    queue = depth(landing.sqs, landing.queue_url)
    spoken = Spoken(now - GRACE, in_queue=any(queue.values()))
    dead = [] if failed_only else peek(landing.sqs, dead_letters)
    for body in dead:
        said = read_message("", body, datasets)
        spoken.dead |= {(s.source.source, s.source.version) for s in said if isinstance(s, Change)}
    running = _batches(states, machine, datasets, "RUNNING")
    red = _batches(states, machine, datasets, *RED)
    for batch in running.values():
        spoken.running |= _versions(_sources(landing, batch))
    failed = []
    for batch in (batch for batch in red.values() if batch.batch not in running):
        if due := outstanding(landing, batch.dataset, _sources(landing, batch)):
            spoken.failed |= _versions(due)
            cause = _cause(states, batch.execution)
            failed.append({**vars(batch), "outstanding": len(due), "cause": cause})
    answer: dict[str, Any] = {
        "running": len(running),
        "failed": failed,
        "queue": queue,
        "dead_letters": depth(landing.sqs, dead_letters)["visible"] if failed_only else len(dead),
    }
    return answer if failed_only else {**answer, **_account(landing, datasets, spoken, now, progress)}


def _account(
    landing: Landing, datasets: Iterable[str], spoken: Spoken, now: datetime, progress: Callable[[int], None]
) -> dict[str, Any]:
    counts: dict[str, dict[str, Any]] = {}
    lost: list[str] = []
    for dataset in datasets:
        found: Counter[str] = Counter()
        for page in landing.pages(prefix_of(dataset)):
            known, _ = landing.known(dataset, (listed.source for listed in page))
            for listed in (listed for listed in page if not listed.deleted):
                became = classify(listed, known.get(listed.source), spoken)
                found[became] += 1
                if became == UNACCOUNTED and len(lost) < EXAMPLES:
                    lost.append(listed.source)
            progress(len(page))
        counts[dataset] = {**sums(found), "batches": _committed_batches(landing, dataset, now)}
    total = sum((Counter({c: of[c] for c in ("landed", *CLASSES)}) for of in counts.values()), Counter())
    return {
        "datasets": counts,
        "total": {name: total[name] for name in ("landed", *CLASSES)},
        "adds_up": not total[UNACCOUNTED],
        "unaccounted": lost,
    }


def sums(found: Mapping[str, int]) -> dict[str, int]:
    """landed = committed + superseded + quarantined + waiting + dead-lettered + unaccounted; failed waits."""
    known = {name: found.get(name, 0) for name in CLASSES}
    return {"landed": sum(known.values()), **known, WAITING: known[WAITING] + known[FAILED]}


def _committed_batches(landing: Landing, dataset: str, now: datetime) -> dict[str, Any]:
    ends = [item["at"] for item in Ledger(landing.ledger, dataset).items("batch#")]
    day = (now - timedelta(days=1)).isoformat(timespec="seconds")
    return {"count": len(ends), "last_day": sum(at >= day for at in ends), "last": max(ends, default=None)}


def outstanding(landing: Landing, dataset: str, sources: Iterable[SourceVersion]) -> list[SourceVersion]:
    """Those of a failed batch's sources that nothing has brought up to date since."""
    named = list(sources)
    known, _ = landing.known(dataset, (s.source for s in named))
    held = {(name, entry.version) for name, entry in known.items()}
    unsure = [s for s in named if (s.source, s.version) not in held or s.hint.startswith((AGAIN, REMOVED))]
    now = {listed.source: listed for listed in landing.newest(s.source for s in unsure)}
    removes = dataset in landing.removing
    return [s for s in unsure if is_outstanding(s, known.get(s.source), now.get(s.source), removes=removes)]


def _batches(states: Any, machine: str, datasets: Iterable[str], *statuses: str) -> dict[str, Batch]:
    """By id, the batches of these datasets that have executions of these statuses."""
    lister = states.get_paginator("list_executions")
    executions = [
        execution
        for status in statuses
        for page in lister.paginate(stateMachineArn=machine, statusFilter=status)
        for execution in page["executions"]
    ]
    found: dict[str, Batch] = {}
    for execution in sorted(executions, key=lambda execution: execution["startDate"]):
        named = EXECUTION.fullmatch(execution["name"])
        if named and named["dataset"] in datasets:
            at = execution.get("stopDate")
            failures = found[named["batch"]].failures + 1 if named["batch"] in found else 1
            found[named["batch"]] = Batch(
                named["dataset"],
                named["batch"],
                execution["executionArn"],
                at and at.astimezone(UTC).isoformat(timespec="seconds"),
                failures,
            )
    return found


def _versions(sources: Iterable[SourceVersion]) -> Versions:
    return {(source.source, source.version) for source in sources}


def _sources(landing: Landing, batch: Batch) -> tuple[SourceVersion, ...]:
    manifest = landing.manifest(batch.dataset, batch.batch)
    return manifest.sources if manifest else ()  # older than what landing keeps


def _cause(states: Any, execution: str) -> str:
    told = states.describe_execution(executionArn=execution)
    cause = told.get("cause", "")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        cause = json.loads(cause)["ErrorMessage"]
    return ": ".join(part for part in (told.get("error", told["status"]), cause) if part)
