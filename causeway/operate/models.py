"""The partner's models as they stand: in use, in the registry, in training."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import boto3

from causeway.flow.models import SCORES, Run, Store, champion_key, packages_of, running_key
from causeway.flow.nearest import did_you_mean
from causeway.operate.account import stack_outputs
from causeway.operate.alerts import hearing
from causeway.operate.executions import RED, cause
from causeway.settings import SETTINGS_FILE, Settings
from causeway.settings_environment import environments

POLL = 2  # seconds
PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"


class ModelError(OSError):
    """What was asked of a model cannot be done; nothing was changed."""


class Models:
    """Every model of one deployment. Raises AccountError where there is none."""

    def __init__(self, session: boto3.Session, settings: Settings) -> None:
        outputs = stack_outputs(session.client("cloudformation"), settings, "training")
        self._sns, self._outputs, self._emails = session.client("sns"), outputs, settings.partner.ml.emails
        self._prefix, self._machine = f"{settings.project}-", outputs["TrainingMachine"]
        self._scoring = outputs["ScoringMachine"]
        self._registry, self._states = session.client("sagemaker"), session.client("stepfunctions")
        self.store = Store(session.client("s3"), outputs["Bucket"])

    def alerts(self) -> dict[str, Any]:
        """For the JSON object: who hears of trainings and scorings, their failures and their alarms."""
        return hearing(self._sns, {"trainings": self._outputs}, self._emails)

    def names(self) -> list[str]:
        pages = self._registry.get_paginator("list_model_package_groups").paginate(NameContains=self._prefix)
        groups = [
            one["ModelPackageGroupName"] for page in pages for one in page["ModelPackageGroupSummaryList"]
        ]
        others = tuple(f"{self._prefix}{environment}-" for environment in environments(SETTINGS_FILE))
        own = [name for name in groups if name.startswith(self._prefix) and not name.startswith(others)]
        return sorted(name.removeprefix(self._prefix) for name in own)

    def checked(self, model: str) -> str:
        """The name, if there is such a model. Raises ModelError."""
        names = self.names()
        if model not in names:
            known = ", ".join(names) or "none"
            raise ModelError(f"there is no model {model!r}; models: {known}{did_you_mean(model, names)}")
        return model

    def packages(self, model: str) -> list[dict[str, Any]]:
        """What is registered, newest first: version, status, and what the gate said of it."""
        return [
            {
                "version": one["ModelPackageVersion"],
                "status": one["ModelApprovalStatus"],
                "package": one["ModelPackageArn"],
                **self._properties(one["ModelPackageArn"]),
            }
            for one in packages_of(self._registry, self._prefix + model)
        ]

    def _properties(self, package: str) -> dict[str, str]:
        described = self._registry.describe_model_package(ModelPackageName=package)
        return dict(described.get("CustomerMetadataProperties", {}))

    def in_use(self, model: str) -> dict[str, Any] | None:
        return self.store.get(champion_key(model))

    def training(self, model: str) -> dict[str, Any] | None:
        """The training that runs, or was the last: its execution, run, snapshot and status."""
        last = self.store.get(running_key(model))
        if last is None:
            return None
        described = self._states.describe_execution(executionArn=last["execution"])
        told = {"cause": cause(self._states, last["execution"])} if described["status"] in RED else {}
        return {**last, "status": described["status"], **told}

    def train(self, model: str, snapshot: str = "") -> str:
        """Start a training on that snapshot, or the newest, whatever has changed; the execution's ARN."""
        asked = {"model": model, "snapshot": snapshot, "asked": True}
        started = self._states.start_execution(stateMachineArn=self._machine, input=json.dumps(asked))
        return str(started["executionArn"])

    def score(self, model: str, snapshot: str = "") -> dict[str, Any]:
        """Ask the model in use of every row of that snapshot, or the newest; what it was asked, and where
        the scores lie. It waits for the end. Raises ModelError, with the cause, if that is none.
        """
        if self.in_use(model) is None:
            raise ModelError(f"no version of {model} is in use: approve one that has passed")
        asked = {"model": model, "snapshot": snapshot}
        started = self._states.start_execution(stateMachineArn=self._scoring, input=json.dumps(asked))
        arn = started["executionArn"]
        while (described := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(POLL)
        if described["status"] != "SUCCEEDED":
            raise ModelError(f"{model}: scoring failed: {cause(self._states, arn)}")
        of = Run(model, json.loads(described["output"])["run"])
        scores = f"s3://{self.store.bucket}/{of.scores}/{SCORES}"
        return {**(self.store.get(of.scored) or {}), "scores": scores}

    def fetch(self, scores: str, path: Path) -> None:
        """The scores, a Parquet file, to a file here."""
        self.store.s3.download_file(self.store.bucket, scores.split("/", 3)[3], str(path))

    def approve(self, model: str, version: int | None = None) -> dict[str, Any]:
        """Approve that version, or the newest that waits. Raises ModelError if the gate did not pass it."""
        packages = self.packages(model)
        waiting = [one for one in packages if version in (None, one["version"])]
        chosen = next((one for one in waiting if version or one["status"] == PENDING), None)
        if chosen is None:
            versions = ", ".join(str(one["version"]) for one in packages) or "none"
            wanted = f"no version {version}" if version else "no version that waits for approval"
            raise ModelError(f"{model} has {wanted}; versions: {versions}")
        if chosen["verdict"] != "passed":
            raise ModelError(f"version {chosen['version']}: the gate's verdict is: {chosen['verdict']}")
        newer = [one for one in packages if one["version"] > chosen["version"] and one["status"] == APPROVED]
        if newer:
            more = f"version {newer[0]['version']} is newer and approved; roll back instead"
            raise ModelError(f"version {chosen['version']} would not be in use: {more}")
        self._set(chosen["package"], APPROVED)
        return chosen

    def roll_back(self, model: str) -> dict[str, Any]:
        """Take back the approval of what is in use: the next newest that is approved takes its place."""
        approved = [one for one in self.packages(model) if one["status"] == APPROVED]
        if not approved:
            raise ModelError(f"{model} has no version that is approved: there is nothing to roll back")
        self._set(approved[0]["package"], REJECTED)
        return {
            "rejected": approved[0]["version"],
            "in_use": approved[1]["version"] if approved[1:] else None,
        }

    def _set(self, package: str, status: str) -> None:
        self._registry.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)

    def report(self, model: str, run: str | None = None) -> tuple[dict[str, Any], ...]:
        """Report, verdict and pin of a run, or of the last. Raises ModelError if it has none (yet)."""
        last = self.store.get(running_key(model)) or {}
        of = Run(model, run or last.get("run", ""))
        found = [self.store.get(key) for key in (of.report, of.verdict, of.pin)]
        if not all(found):
            raise ModelError(
                f"{model} has no report of run {of.run or '(none yet)'}; `causeway ml status` tells why"
            )
        return tuple(one or {} for one in found)
