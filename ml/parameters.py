"""What the partner's stack tells its jobs and functions; causeway.flow.parameters carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JobParameters:
    model: str
    run: str
    bucket: str
    ml_folder: str  # where SageMaker AI puts what a job reads, and takes what it writes
    code: str  # hash of the code that runs


@dataclass(frozen=True)
class PrepareParameters:
    snapshot: str  # of the dataset; "": the newest
    company_role: str  # ARN
    external_id: str
    database: str
    source_identity: str  # the name of the session, where the company asks for one; or ""


@dataclass(frozen=True)
class DecideParameters:
    bucket: str
    policies: Mapping[str, Any]  # of each model, what ml.spec.Spec.policy gives


@dataclass(frozen=True)
class PredictParameters:
    bucket: str
    models: Sequence[str]


@dataclass(frozen=True)
class PromoteParameters:
    bucket: str
    models: Mapping[str, str]  # by model package group
