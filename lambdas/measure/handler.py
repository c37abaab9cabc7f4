"""Metrics by dataset: of each commit when it is told; on a schedule of what runs, and what does not come."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.executions import NAME
from causeway.flow.ledger import Ledger
from causeway.flow.metrics import CURATED, FRESHNESS, LANDED, OLDEST, QUARANTINED, RUNNING, SHARE, metric_line
from causeway.flow.parameters import MeasureParameters, from_environment

Values = dict[str, float]


def of_commit(detail: Mapping[str, str], ledger: Any) -> Values:
    """Of the batch that "Dataset Curated" tells of; nothing if it had nothing to do.

    Of a batch that was split it is the last part that is told.
    """
    for item in Ledger(ledger, detail["dataset"]).items(f"batch#{detail['batch']}"):
        rows = {LANDED: item["landed"], CURATED: item["curated"], QUARANTINED: item["quarantined"]}
        if landed := int(item["landed"]):
            return {name: float(count) for name, count in rows.items()} | {
                SHARE: round(100 * int(item["quarantined"]) / landed, 3)
            }
    return {}


def of_now(
    promising: Iterable[str], now: datetime, *, states: Any, machine: str, ledger: Any
) -> Iterator[tuple[str, Values, str]]:
    """By dataset: of its running batches, if any; how fresh it is, if it promises; the oldest batch."""
    running: dict[str, list[tuple[datetime, str]]] = {}
    lister = states.get_paginator("list_executions")
    for page in lister.paginate(stateMachineArn=machine, statusFilter="RUNNING"):
        for execution in page["executions"]:
            if name := NAME.fullmatch(execution["name"]):
                running.setdefault(name["dataset"], []).append((execution["startDate"], name["batch"]))
    for dataset in sorted({*promising, *running}):
        values: Values = {}
        began, oldest = min(running.get(dataset, []), default=(now, ""))
        if oldest:
            values = {RUNNING: len(running[dataset]), OLDEST: (now - began).total_seconds()}
        if dataset in promising:
            values[FRESHNESS] = (now - Ledger(ledger, dataset).arrival(now)).total_seconds()
        yield dataset, values, oldest


def handler(event: Mapping[str, Any], _context: object) -> None:
    parameters, now = from_environment(MeasureParameters, os.environ), datetime.now(UTC)
    ledger = boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table)
    measured: Iterable[tuple[str, Values, str]]
    if detail := event.get("detail"):
        measured = [(detail["dataset"], of_commit(detail, ledger), detail["batch"])]
    else:
        states, machine = boto3.client("stepfunctions", config=PATIENT), parameters.state_machine
        measured = of_now(parameters.promising, now, states=states, machine=machine, ledger=ledger)
    for dataset, values, batch in measured:
        if values:
            print(metric_line(parameters.namespace, dataset, values, now, batch=batch))
