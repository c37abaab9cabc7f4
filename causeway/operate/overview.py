"""What a person asks of the whole deployment, from the ledger: datasets, days and batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from causeway.contract.model import Contract
from causeway.operate.costs import Spending

NEWEST = 30  # batches that are listed
ROWS = ("landed", "curated", "quarantined")


def overview(
    spending: Spending,
    contracts: Mapping[str, Contract],
    arrivals: Mapping[str, datetime | None],
    now: datetime,
) -> dict[str, Any]:
    """For the JSON object: rows and US dollars since `spending.since`; ages in seconds.

    `arrivals`: when rows were last committed. A dataset is late if its contract promises rows sooner.
    """
    batches = sorted(spending.committed, key=lambda batch: str(batch["at"]), reverse=True)
    spent = {by: spending.by(by)["groups"] for by in ("dataset", "batch")}
    days: dict[str, dict[str, dict[str, int]]] = {name: defaultdict(dict) for name in ROWS}
    totals: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ROWS, 0))
    for batch in batches:
        dataset, day = batch["dataset"], str(batch["at"])[:10]
        for name in ROWS:
            rows = int(batch[name])
            totals[dataset][name] += rows
            days[name][day][dataset] = days[name][day].get(dataset, 0) + rows
    return {
        "since": spending.since.isoformat(timespec="seconds"),
        "freshness": {
            name: _freshness(contract, arrivals[name], now) for name, contract in contracts.items()
        },
        "rows": {name: totals[name] for name in contracts},
        "dollars": {name: spent["dataset"].get(name, {}).get("dollars", 0.0) for name in contracts},
        "days": {name: dict(by_day) for name, by_day in days.items()},
        "batches": [_batch(batch, spent["batch"]) for batch in batches[:NEWEST]],
        "more_batches": len(batches[NEWEST:]),
    }


def _freshness(contract: Contract, arrival: datetime | None, now: datetime) -> dict[str, Any]:
    age = (now - arrival).total_seconds() if arrival else None
    promised = contract.freshness
    return {
        "arrival": arrival.isoformat(timespec="seconds") if arrival else None,
        "age": age and round(age),
        "promised": promised or None,
        "late": bool(promised) and (age is None or age > promised),
    }


def _batch(batch: Mapping[str, Any], spent: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    priced = spent.get(f"{batch['dataset']} {batch['batch']}")
    return {
        **{name: str(batch[name]) for name in ("dataset", "batch", "at", "snapshot")},
        **{name: int(batch[name]) for name in ROWS},
        "versions": {name: int(count) for name, count in batch["versions"].items()},
        "dollars": priced["dollars"] if priced else None,
    }
