"""Batches whose execution runs or failed, and what of a failed one is still to be done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from causeway.flow.executions import NAME, execution_arn, execution_name
from causeway.flow.landing import Landing, Listed
from causeway.flow.ledger import Entry
from causeway.flow.manifest import AGAIN, REMOVED, SourceVersion

RUNNING, RED = ("RUNNING",), ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class Batch:
    """A batch and the last of its executions with the wanted status; `failures` counts those executions."""

    dataset: str
    batch: str
    execution: str
    stopped: str | None
    failures: int

    def sources(self, landing: Landing) -> tuple[SourceVersion, ...]:
        """What its manifest lists; nothing if the manifest is older than what landing keeps."""
        manifest = landing.manifest(self.dataset, self.batch)
        return manifest.sources if manifest else ()


def batches(
    states: Any, machine: str, datasets: Collection[str], statuses: Iterable[str]
) -> dict[str, Batch]:
    """By id, the batches of these datasets that have executions of these statuses."""
    lister = states.get_paginator("list_executions")
    executions = [
        execution
        for status in statuses
        for page in lister.paginate(stateMachineArn=machine, statusFilter=status)
        for execution in page["executions"]
    ]
    by_id: dict[str, Batch] = {}
    for execution in sorted(executions, key=lambda execution: execution["startDate"]):
        name = NAME.fullmatch(execution["name"])
        if name and name["dataset"] in datasets:
            stopped = _text(execution.get("stopDate"))
            failures = by_id[name["batch"]].failures + 1 if name["batch"] in by_id else 1
            arn = execution["executionArn"]
            by_id[name["batch"]] = Batch(name["dataset"], name["batch"], arn, stopped, failures)
    return by_id


def cause(states: Any, execution: str) -> str:
    """Why an execution ended: the job's own message where there is one."""
    described = states.describe_execution(executionArn=execution)
    reason = described.get("cause", "")
    with contextlib.suppress(ValueError, AttributeError):
        job = json.loads(reason)
        reason = job.get("ErrorMessage") or job.get("FailureReason") or reason  # Glue's, SageMaker AI's
    return ": ".join(part for part in (described.get("error", described["status"]), reason) if part)


def executions_of(states: Any, machine: str, dataset: str, batch: str) -> Iterator[dict[str, Any]]:
    """Every execution of a batch, in the order of their starts; AWS keeps them 90 days.

    Of each its name, status, and times in ISO 8601; `cause` if it failed.
    """
    for start in count(1):
        name = execution_name(dataset, batch, start)
        execution = execution_arn(machine, name)
        try:
            described = states.describe_execution(executionArn=execution)
        except states.exceptions.ExecutionDoesNotExist:
            return
        yield {
            "name": name,
            "status": described["status"],
            "started": _text(described["startDate"]),
            "stopped": _text(described.get("stopDate")),
            "cause": cause(states, execution) if described["status"] in RED else "",
        }


def _text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None


def outstanding(landing: Landing, dataset: str, sources: Iterable[SourceVersion]) -> list[SourceVersion]:
    """Those of a failed batch's sources that nothing has brought up to date since."""
    manifest = list(sources)
    entries, _ = landing.known(dataset, (s.source for s in manifest))
    held = {(source, entry.version) for source, entry in entries.items()}
    unsure = [s for s in manifest if (s.source, s.version) not in held or s.hint.startswith((AGAIN, REMOVED))]
    newest = {listed.source: listed for listed in landing.newest(s.source for s in unsure)}
    removes = dataset in landing.removing
    return [
        s for s in unsure if is_outstanding(s, entries.get(s.source), newest.get(s.source), removes=removes)
    ]


def is_outstanding(source: SourceVersion, entry: Entry | None, now: Listed | None, *, removes: bool) -> bool:
    """Whether what a batch was to do for this source is still to be done, as S3 and the ledger are now."""
    if now is None or now.deleted:
        held = entry is not None and entry.version is not None
        return held and removes and source.hint.startswith(REMOVED)
    if entry is None or source.hint == AGAIN + entry.snapshot:
        return True
    return entry.version not in (source.version, now.version)
