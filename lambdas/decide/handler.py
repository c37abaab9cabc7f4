"""The workflow's small decisions: whose turn it is, whether to train, what next, what is good enough."""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.models import Run, Store, champion_key, judged_key
from causeway.flow.parameters import from_environment
from lambdas.decide.running import begin, finish
from ml.judge.card import card
from ml.judge.diagnose import diagnose, first_round
from ml.judge.drift import decide
from ml.judge.gate import judge
from ml.parameters import DecideParameters

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def plan(run: Run, asked: bool, policy: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """Whether to train on what was prepared, and the first candidates."""
    champion = store.get(champion_key(run.model))
    before = store.get(champion["pin"]) if champion else None
    last = store.get(judged_key(run.model))
    judged = store.get(last["pin"]) if last else None
    limits = {"new_rows": policy["new_rows"], "drift": policy["drift"]}
    decided = decide(_there(store, run.pin), before, judged, **limits, asked=asked)
    return {**decided, **first_round()}


def next_round(run: Run, done: int, policy: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """What the round's candidates lack, and the next round's."""
    trained = store.list(f"{run.folder}/metrics/")
    found = diagnose(done, trained, policy["tiers"], policy["sufficient"])
    store.put(f"{run.rounds}{done}.json", {"round": done, "said": found["said"]})
    return found


def gate(run: Run, policy: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """The verdict on the run's best model, and what the registry is told of it."""
    report, pin = _there(store, run.report), _there(store, run.pin)
    found = judge(report, certified=policy["certified"], limits=policy["limits"])
    told = store.put(run.verdict, found)
    store.put(judged_key(run.model), {"pin": run.pin})
    holdout = report["holdout"] or {"precision": 0.0, "lower": 0.0, "recall": 0.0}
    properties = {
        "model": run.model,
        "run": run.run,
        "candidate": report["best"],
        "tier": report["tier"],
        "threshold": report["threshold"],
        "snapshot": pin["snapshot"],
        "code": pin["code"],
        "sha256": report["sha256"],
        "verdict": found["verdict"],
        **{name: round(holdout[name], 4) for name in ("precision", "lower", "recall")},
    }
    more = {"report": f"s3://{store.bucket}/{run.report}", "told": told, "card": card(report, pin, found)}
    return {**found, **more, "properties": {name: str(value) for name, value in properties.items()}}


def _there(store: Store, key: str) -> dict[str, Any]:
    document = store.get(key)
    if document is None:
        raise FileNotFoundError(f"s3://{store.bucket}/{key}: the job before should have written it")
    return document


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """`step` is begin, plan, diagnose, gate or finish; the rest is what the workflow knows."""
    parameters = from_environment(DecideParameters, os.environ)
    store = Store(boto3.client("s3", config=PATIENT), parameters.bucket)
    model, step = event["model"], event["step"]
    if model not in parameters.policies:
        raise ValueError(f"no model {model!r}; there are {', '.join(sorted(parameters.policies))}")
    policy = parameters.policies[model]
    if step == "begin":
        states, now = boto3.client("stepfunctions", config=PATIENT), datetime.now(UTC)
        asking = str(event.get("snapshot", "")), bool(event.get("asked", False))
        found = begin(model, *asking, event["execution"], store=store, states=states, now=now)
    elif step == "finish":
        found = finish(model, event["execution"], event["failed"], store=store)
    else:
        run = Run(model, event["run"])
        steps = {
            "plan": lambda: plan(run, event["asked"], policy, store),
            "diagnose": lambda: next_round(run, event["round"], policy, store),
            "gate": lambda: gate(run, policy, store),
        }
        found = steps[step]()
    logger.info("%s of %s: %s", step, model, found)
    return found
