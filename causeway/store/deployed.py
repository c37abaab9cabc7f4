"""The store of a deployment: how it stands, and loads by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from causeway.contract.model import Contract, ContractError
from causeway.contract.serving import parents_first
from causeway.flow.loads import CHANGES, ITEM, NEWEST
from causeway.flow.nearest import did_you_mean
from causeway.lake.rows import SnapshotError, snapshot_of
from causeway.lake.tables import glue_catalog
from causeway.operate.account import stack_outputs
from causeway.operate.deployment import Deployment
from causeway.operate.executions import RED, cause
from causeway.store.database import Database, StoreError, has, quoted
from causeway.store.s3_vectors import BUCKET, VectorBucket
from causeway.store.schemas import CURATED, LOADS, QUARANTINE, REASON

POLL = 2  # seconds
REASONS = 10  # that are told of a dataset


class DeployedStore:
    """Raises AccountError where no store is deployed."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        outputs = stack_outputs(deployment.client("cloudformation"), deployment.settings, "store")
        self._states, self._machine = deployment.client("stepfunctions"), outputs["LoadMachine"]
        client = deployment.client("rds-data")
        self.database = Database(client, outputs["Cluster"], outputs["ReaderSecret"], outputs["Database"])

        client = deployment.client("s3vectors")
        self.vectors = VectorBucket(client, outputs[BUCKET]) if BUCKET in outputs else None

    @cached_property
    def _catalog(self) -> Catalog:  # a search never asks it
        return glue_catalog(self._deployment.settings.company.region)

    def served(self, names: Sequence[str]) -> dict[str, Contract]:
        """These contracts, or all that are served, each after those to which it refers."""
        served = {name: one for name, one in self._deployment.contracts.items() if one.served}
        if unknown := sorted(set(names) - served.keys()):
            known = ", ".join(sorted(served)) or "none"
            meant = did_you_mean(unknown[0], served)
            raise ContractError(f"the store serves no {', '.join(unknown)}; it serves: {known}{meant}")
        return {name: served[name] for name in parents_first(served) if not names or name in names}

    def status(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """For the JSON object: snapshots and rows of each dataset, what waits, and what needs a person."""
        states, loads = self._executions(), self._loads()
        return {
            name: self._facts(contract, loads.get(contract.table), states.get(name, []))
            for name, contract in self.served(names).items()
        }

    def _facts(
        self, contract: Contract, loaded: Mapping[str, Any] | None, states: Sequence[str]
    ) -> dict[str, Any]:
        try:
            current = self._table(contract).current_snapshot()
        except NoSuchTableError:
            current = None  # nothing was ever curated
        newest, snapshot = (current.snapshot_id if current else None), loaded and loaded["snapshot"]
        running, failed = states.count("RUNNING"), bool(states) and states[0] in RED
        behind = newest != snapshot and not running
        reasons = self._reasons(contract) if loaded else {}
        return {
            "snapshot": str(snapshot or ""),
            "newest": str(newest or ""),
            "rows": self._count(contract) if loaded else 0,
            "waiting": sum(reasons.values()),
            "reasons": dict(list(reasons.items())[:REASONS]),
            "running": running,
            "needs": "the last load failed" if failed else "causeway store load" if behind else "",
        }

    def _table(self, contract: Contract) -> Table:
        return self._catalog.load_table((self._deployment.settings.database("lake"), contract.table))

    def _loads(self) -> dict[str, dict[str, Any]]:
        if not has(self.database, LOADS):
            return {}
        return {row["table"]: row for row in self.database.query(f"SELECT * FROM {LOADS}")}

    def _count(self, contract: Contract) -> int:
        rows = self.database.query(f"SELECT count(*) AS n FROM {quoted(CURATED, contract.table)}")
        return int(rows[0]["n"])

    def _reasons(self, contract: Contract) -> dict[str, int]:
        held = quoted(QUARANTINE, contract.table)
        counted = f"SELECT {REASON} AS reason, count(*) AS n FROM {held} GROUP BY 1 ORDER BY 2 DESC, 1"
        return {row["reason"]: int(row["n"]) for row in self.database.query(counted)}

    def _executions(self) -> dict[str, list[str]]:
        """The states of each dataset's loads, the newest first."""
        by_dataset: dict[str, list[str]] = {}
        for one in self._states.list_executions(stateMachineArn=self._machine, maxResults=100)["executions"]:
            described = self._states.describe_execution(executionArn=one["executionArn"])
            dataset = json.loads(described["input"])["dataset"]
            by_dataset.setdefault(dataset, []).append(one["status"])
        return by_dataset

    def load(self, names: Sequence[str], *, snapshot: int | None, anew: bool) -> list[dict[str, Any]]:
        """One load after the other, parents first; what each did.

        Raises StoreError if there is no such snapshot, and, with the cause, if a load fails.
        """
        served = self.served(names)
        if snapshot is not None:
            for contract in served.values():
                self._check(contract, snapshot)
        asked = str(snapshot) if snapshot is not None else NEWEST if anew else CHANGES
        return [self._load(name, asked) for name in served]

    def _check(self, contract: Contract, snapshot: int) -> None:
        try:
            snapshot_of(self._table(contract), snapshot)
        except SnapshotError as error:
            raise StoreError(str(error)) from error

    def _load(self, dataset: str, asked: str) -> dict[str, Any]:
        request = json.dumps({"dataset": dataset, "load": asked})
        arn = self._states.start_execution(stateMachineArn=self._machine, input=request)["executionArn"]
        while (described := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(POLL)
        if described["status"] in RED:
            raise StoreError(f"{dataset}: the load failed: {cause(self._states, arn)}")
        key = {"dataset": dataset, "item": ITEM}
        item = self._deployment.landing.ledger.get_item(Key=key, ConsistentRead=True)["Item"]
        return {name: value for name, value in item.items() if name != "item"}
