"""One training of a model at a time, and one of a snapshot; who comes meanwhile is trained on afterwards."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from causeway.flow.models import Store, running_key

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"


def run_name(execution: str, now: datetime) -> str:
    """Short, for it is a part of job names, and new for each execution."""
    return f"{now:%Y%m%d-%H%M%S}-{hashlib.sha256(execution.encode()).hexdigest()[:8]}"


def begin(
    model: str, snapshot: str, asked: bool, execution: str, *, store: Store, states: Any, now: datetime
) -> dict[str, Any]:
    """Take the model's turn: train; or skip, for it was trained on this snapshot, or is trained just now.

    In the last case the training that runs starts another when it ends.
    """
    mine = {"execution": execution, "run": run_name(execution, now), "snapshot": snapshot}
    asking: dict[str, Any] = {"model": model, "snapshot": snapshot, "asked": asked, "run": mine["run"]}
    while True:  # until nobody else writes at the same moment
        before = store.get(running_key(model))
        if before and before["execution"] == execution:  # the function is tried again
            return {**asking, "run": before["run"], "action": "train", "why": ""}
        status = _status(states, before) if before else FAILED
        if before and status != FAILED and snapshot == before["snapshot"] != "" and not asked:
            return {**asking, "action": "skip", "why": f"run {before['run']} is of snapshot {snapshot}"}
        if before and status == "RUNNING":
            waiting = _waiting(before.get("waiting"), snapshot, asked)
            why = f"run {before['run']} trains it just now, and starts another when it ends"
            found, after = {"action": "skip", "why": why}, {**before, "waiting": waiting}
        else:
            found, after = {"action": "train", "why": ""}, mine
        if store.replace(running_key(model), after, before):
            return {**asking, **found}


def _waiting(before: Mapping[str, Any] | None, snapshot: str, asked: bool) -> dict[str, Any]:
    """What the next training is asked: by a commit, the newest snapshot; by a person, theirs, if alone."""
    if before is None:
        return {"snapshot": snapshot if asked else "", "asked": asked}
    return {"snapshot": "", "asked": asked or before["asked"]}


def finish(model: str, execution: str, failed: bool, *, store: Store) -> dict[str, Any]:
    """Give the turn back. `again`: another training was asked for meanwhile, and how."""
    while True:
        before = store.get(running_key(model))
        if before is None or before["execution"] != execution:
            return {"again": False, "snapshot": "", "asked": False}
        ended = {**before, "ended": FAILED if failed else SUCCEEDED}
        # What waits stays there, for the function may be tried again.
        if before == ended or store.replace(running_key(model), ended, before):
            waiting = before.get("waiting")
            return {"again": bool(waiting), **(waiting or {"snapshot": "", "asked": False})}


def _status(states: Any, running: Mapping[str, Any]) -> str:
    """How the execution stands: running, succeeded or failed, as is what AWS knows no more."""
    if ended := running.get("ended"):
        return str(ended)
    try:
        status = str(states.describe_execution(executionArn=running["execution"])["status"])
    except states.exceptions.ExecutionDoesNotExist:  # 90 days ago, or on a state machine that has gone
        return FAILED
    return status if status in ("RUNNING", SUCCEEDED) else FAILED
