"""One training of a model at a time, and one of a snapshot."""

import hashlib
from datetime import datetime
from typing import Any

from causeway.flow.models import Store, running_key


def run_name(execution: str, now: datetime) -> str:
    """Short, for it is a part of job names, and new for each execution."""
    return f"{now:%Y%m%d-%H%M%S}-{hashlib.sha256(execution.encode()).hexdigest()[:8]}"


def begin(
    model: str, snapshot: str, asked: bool, execution: str, *, store: Store, states: Any, now: datetime
) -> dict[str, Any]:
    """Take the model's turn: train; or skip, for it is being trained just now, or was on this snapshot."""
    before = store.get(running_key(model))
    mine = {"execution": execution, "run": run_name(execution, now), "snapshot": snapshot}
    asking: dict[str, Any] = {"model": model, "snapshot": snapshot, "asked": asked, "run": mine["run"]}
    if before and before["execution"] == execution:  # the function is tried again
        return {**asking, "run": before["run"], "action": "train", "why": ""}
    if before:
        status = _status(states, before["execution"])
        if status == "RUNNING":
            return {**asking, "action": "skip", "why": f"run {before['run']} trains it just now"}
        if status == "SUCCEEDED" and snapshot and before["snapshot"] == snapshot and not asked:
            return {**asking, "action": "skip", "why": f"run {before['run']} was of snapshot {snapshot}"}
    if not store.replace(running_key(model), mine, before):
        return {**asking, "action": "skip", "why": "another execution began to train it at the same moment"}
    return {**asking, "action": "train", "why": ""}


def _status(states: Any, execution: str) -> str:
    """Of what ended 90 days ago, or on a state machine that has gone, nobody knows: "GONE"."""
    try:
        return str(states.describe_execution(executionArn=execution)["status"])
    except states.exceptions.ExecutionDoesNotExist:
        return "GONE"
