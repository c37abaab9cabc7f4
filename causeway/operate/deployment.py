"""What is deployed, as the stacks' outputs name it, and the contracts of this checkout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3

from causeway.contract.load import load_contracts
from causeway.contract.model import Contract, ContractError
from causeway.flow.clients import PATIENT
from causeway.flow.datasets import CONTRACTS, LANDING_PREFIX, dataset_of, prefix_of
from causeway.flow.landing import Landing
from causeway.flow.nearest import did_you_mean
from causeway.operate.account import session_of_company, stack_outputs
from causeway.settings import Settings, load_settings


@dataclass(frozen=True)
class Deployment:
    """The company's deployment that the settings and the environment's credentials speak of."""

    settings: Settings
    session: boto3.Session
    lake: Mapping[str, str]
    pipeline: Mapping[str, str]
    contracts: Mapping[str, Contract]

    @classmethod
    def find(cls) -> Deployment:
        """Raises AccountError when the credentials are not the company's, or nothing is deployed."""
        settings = load_settings()
        session = session_of_company(settings)
        cloudformation = session.client("cloudformation")
        return cls(
            settings,
            session,
            stack_outputs(cloudformation, settings, "lake"),
            stack_outputs(cloudformation, settings, "pipeline"),
            load_contracts(CONTRACTS),
        )

    def client(self, name: str) -> Any:
        return self.session.client(name, config=PATIENT)

    @cached_property
    def landing(self) -> Landing:
        return Landing(
            bucket=self.lake["LandingBucket"],
            queue_url=self.lake["LandingEventsUrl"],
            s3=self.client("s3"),
            sqs=self.client("sqs"),
            ledger=self.session.resource("dynamodb", config=PATIENT).Table(self.pipeline["LedgerTable"]),
            removing=frozenset(n for n, contract in self.contracts.items() if contract.on_delete == "remove"),
            retention_days=self.settings.limits.landing_retention_days,
        )

    def datasets(self, named: list[str]) -> list[str]:
        """These datasets, or all when none is named. Raises ContractError if one has no contract."""
        if unknown := sorted(set(named) - self.contracts.keys()):
            valid = self._valid(unknown[0], self.contracts)
            raise ContractError(f"no contract for {', '.join(unknown)}; {valid}")
        return sorted(named or self.contracts)

    def prefixes(self, prefix: str) -> dict[str, str]:
        """By dataset, what to look through below a prefix. Raises ContractError if it is of no dataset."""
        prefixes = {dataset: prefix_of(dataset) for dataset in self.contracts}
        if prefix == LANDING_PREFIX:
            return prefixes
        if (dataset := dataset_of(prefix)) not in self.contracts:
            raise ContractError(
                f"{prefix}: a prefix is {LANDING_PREFIX}<dataset>/…, or {LANDING_PREFIX} for all; "
                f"{self._valid(prefix, prefixes.values())}"
            )
        return {dataset: prefix}

    def _valid(self, name: str, valid: Iterable[str]) -> str:
        """What a wrong name's error ends with: the contracts there are, and what was probably meant."""
        return f"contracts: {', '.join(sorted(self.contracts))}{did_you_mean(name, valid)}"
