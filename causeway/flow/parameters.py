"""What the stacks tell the functions and the job. Both ends spell it by the fields of these classes.

A function gets its parameters as environment variables, LANDING_BUCKET for `landing_bucket`; the job gets
them as arguments, --landing-bucket. What is no text travels as JSON.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

Parameters = TypeVar("Parameters")

# What differs from run to run: where the batch's manifest lies; the dataset whose table is profiled; and,
# which tells whoever prices the run what caused it, the execution that started it.
MANIFEST, DATASET, EXECUTION = "--manifest", "--dataset", "--execution"
LOAD = "--load"  # what of the dataset is loaded into the store: a value of LoadParameters.load


@dataclass(frozen=True)
class BatchLimits:
    """When a dataset's batch is full, in sources and bytes; how long its events gather, in seconds."""

    max_objects: int
    max_bytes: int
    window_seconds: int = 0


@dataclass(frozen=True)
class BatchEventsParameters:
    batching: Mapping[str, Mapping[str, int]]  # fields of BatchLimits by dataset; "*" for what is not said
    landing_bucket: str
    quarantine_bucket: str
    state_machine: str
    queue_url: str
    ledger_table: str


@dataclass(frozen=True)
class SplitBatchParameters:
    landing_bucket: str


@dataclass(frozen=True)
class ReconcileParameters:
    landing_bucket: str
    queue_url: str
    ledger_table: str
    removing: Sequence[str]  # datasets whose contract lets deletions remove rows
    retention_days: int  # after which lifecycle deletes what landed


@dataclass(frozen=True)
class JobParameters:
    contracts: str  # URI of an archive
    landing_bucket: str
    curated_bucket: str
    quarantine_bucket: str
    curated_database: str
    quarantine_database: str
    ledger_table: str
    hash_key: str = ""  # ARN of the KMS key behind hashed columns; without it no contract has such a column
    optimizer_role: str = ""  # whom Glue's table optimizers work as; without it there are none
    snapshot_retention_days: int = 90
    quarantine_retention_days: int = 90


@dataclass(frozen=True)
class CurateSmallParameters(JobParameters):
    namespace: str = ""  # of the metric


@dataclass(frozen=True)
class LoadParameters:
    contracts: str  # URI of an archive
    curated_database: str
    ledger_table: str
    staging_bucket: str
    cluster: str  # ARN
    owner_secret: str  # ARN of the secret of the user who owns the store's tables
    reader_secret: str  # ARN of the secret of the user who may read them
    store_database: str
    embeddings: str = "local"  # a value of the settings' store.embeddings
    vector_bucket: str = ""  # ARN; without it vectors are in the store
    partner_secret: str = ""  # ARN of that of the partner's user; without it there is none
    partner_datasets: str = ""  # which that user may read, with blanks between
    load: str = "changes"  # since the last load; or all of a snapshot: its id, or "newest"


@dataclass(frozen=True)
class SearchParameters:
    cluster: str  # ARN
    reader_secret: str  # ARN
    store_database: str
    embeddings: str
    vector_bucket: str  # ARN, or none: vectors are in the store
    answers: str  # a model's id, or none


@dataclass(frozen=True)
class ScheduleProfileParameters:
    profile_hours: Mapping[str, int]  # by dataset, at least so long between two runs, or 0: none; "*": others
    state_machine: str
    ledger_table: str


@dataclass(frozen=True)
class PriceRunParameters:
    ledger_table: str
    namespace: str  # of the metric


@dataclass(frozen=True)
class MeasureParameters:
    promising: Sequence[str]  # datasets whose contract promises freshness
    state_machine: str
    ledger_table: str
    namespace: str  # of the metrics


@dataclass(frozen=True)
class ActivateTagsParameters:
    keys: Sequence[str]


@dataclass(frozen=True)
class ProfileParameters:
    contracts: str  # URI of an archive
    curated_database: str
    ledger_table: str


@dataclass(frozen=True)
class ServingParameters:
    """Of a container that serves a language model; named as AWS's container of vLLM takes its options."""

    sm_vllm_model: str = "/opt/ml/model"
    sm_vllm_dtype: str = "auto"  # as the weights are
    sm_vllm_max_model_len: int = 512  # tokens of a request and its answer
    sm_vllm_max_num_seqs: int = 4  # at once
    sm_vllm_tensor_parallel_size: int = 1
    sm_vllm_gpu_memory_utilization: float = 0.9


def to_environment(parameters: Any) -> dict[str, str]:
    """The environment variables that carry these parameters."""
    return {name.upper(): _text(value) for name, value in asdict(parameters).items()}


def from_environment(kind: type[Parameters], environment: Mapping[str, str]) -> Parameters:
    """The parameters in a function's environment. Raises KeyError, which names what is missing."""
    known = fields(kind)  # type: ignore[arg-type]  # every kind is a dataclass
    return kind(**{field.name: _value(field.type, environment[field.name.upper()]) for field in known})


def to_arguments(parameters: Any) -> dict[str, str]:
    """A job's arguments, as Glue takes them: what is empty is left out."""
    return {_argument(name): _text(value) for name, value in asdict(parameters).items() if value != ""}


def from_arguments(kind: type[Parameters], own: str, argv: Sequence[str]) -> tuple[Parameters, str, str]:
    """A job's parameters, the argument that is a run's own, and the run's id ("" without one).

    Exits if one is missing.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument(own, dest="own", required=True)
    parser.add_argument("--JOB_RUN_ID", dest="run", default="")
    for field in fields(kind):  # type: ignore[arg-type]  # every kind is a dataclass
        # A default that is not there is MISSING, which argparse takes for one.
        default = {"default": field.default} if hasattr(kind, field.name) else {"required": True}
        parser.add_argument(_argument(field.name), type=field.type, **default)
    # Glue passes its own arguments along.
    given = vars(parser.parse_known_args(argv)[0])
    value, run = given.pop("own"), given.pop("run")
    return kind(**given), value, run


def _argument(name: str) -> str:
    return "--" + name.replace("_", "-")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _value(kind: Any, text: str) -> Any:
    return text if kind is str else json.loads(text)
