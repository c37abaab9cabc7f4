"""What runs on a Spark executor: fetch a unit, curate it, write its files straight to S3."""

from __future__ import annotations

import functools
import gc
import sys
import uuid
import zipimport
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import boto3

from causeway.contract.model import Contract
from causeway.engine.check.keys import Banned
from causeway.engine.curate import Curated
from causeway.engine.plan import Unit
from causeway.engine.profile.parts import in_turn
from causeway.engine.unit import UnitResult, curate_unit
from causeway.engine.write import FieldIds, parquet, write_parquet
from causeway.flow.clients import PATIENT
from causeway.lake.location import Lake

if TYPE_CHECKING:
    from pyspark import SparkContext

Piece = TypeVar("Piece")
Result = TypeVar("Result")
GROUPS = 4  # for each slot, so that a slow one is not waited for long


class Distribute(Protocol):
    """Curates units (by number) somewhere; rows in `banned` are rejected as duplicates."""

    def __call__(
        self, units: Mapping[int, Unit], banned: Banned, *, ids: FieldIds
    ) -> Mapping[int, UnitResult]: ...


def one_by_one(task: Task) -> Distribute:
    """Here, without Spark."""

    def distribute(units: Mapping[int, Unit], banned: Banned, *, ids: FieldIds) -> dict[int, UnitResult]:
        return {number: task.curate(number, unit, banned, ids) for number, unit in units.items()}

    return distribute


def in_tasks(
    spark: SparkContext, pieces: Mapping[int, Piece], work: Callable[[int, Piece], Result]
) -> dict[int, Result]:
    """Work on each piece in a Spark task of its own. The tasks carry no rows, so plain RDDs serve best."""

    def run(numbered: tuple[int, Piece]) -> tuple[int, Result]:
        number, piece = numbered
        done = number, work(number, piece)
        _forget_zips()
        _freeze_imports()
        return done

    if not pieces:
        return {}
    return dict(spark.parallelize(sorted(pieces.items()), len(pieces)).map(run).collect())


def add_up(spark: SparkContext, work: Callable[[Piece], Result], parts: Sequence[Piece]) -> Result:
    """What work on each part gives, added up: within each task, and then here."""
    tasks = min(len(parts), GROUPS * spark.defaultParallelism)
    groups = {number: parts[number::tasks] for number in range(tasks)}
    results = in_tasks(spark, groups, lambda _, group: in_turn(work, group))
    return in_turn(results.__getitem__, range(tasks))


def _forget_zips() -> None:
    """Or Spark, before its next task, lets Python read the list of each zipped library again."""
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimport.zipimporter):
            del sys.path_importer_cache[path]


@functools.cache
def _freeze_imports() -> None:
    """Or Spark, which collects garbage after every task, has Python look at each object of each library."""
    gc.collect()
    gc.freeze()


@functools.cache
def s3_of_task() -> Any:
    """A client is made where it is used: it cannot travel."""
    return boto3.client("s3", config=PATIENT)


@dataclass(frozen=True)
class Task:
    """Curates units of one batch; travels to the executors."""

    contract: Contract
    lake: Lake
    batch: str
    run: str
    committed_at: datetime
    hash_key: bytes = field(default=b"", repr=False)

    def curate(self, number: int, unit: Unit, banned: Banned, ids: FieldIds) -> UnitResult:
        """Curate a unit. A task that Spark tries again writes the same files again."""
        # A unit curated again with `banned` must not overwrite what the first round wrote.
        name = f"{number}-{{}}-again" if banned else f"{number}-{{}}"
        return curate_unit(
            self.contract,
            unit,
            self._fetch,
            lambda n, part: self._store(name.format(n), part, ids),
            batch=self.batch,
            committed_at=self.committed_at,
            banned=banned,
            hash_key=self.hash_key,
        )

    def _store(self, name: str, part: Curated, ids: FieldIds) -> tuple[list[str], list[str]]:
        curated = f"{self.lake.curated_location}/{self.contract.table}/data"
        rejected = f"{self.lake.quarantine_location}/{self.contract.dataset}/data"
        files = [
            self._put(f"{curated}/{partition}" if partition else curated, name, data)
            for partition, data in write_parquet(part.frame, self.contract, ids.curated)
        ]
        rows = part.rejected
        return files, [self._put(rejected, name, parquet(rows, ids.rejected))] if rows.num_rows else []

    def _fetch(self, source: str, version: str, start: int, stop: int) -> bytes:
        """These bytes of exactly this version."""
        if stop <= start:
            return b""
        version_of = {"Bucket": self.lake.landing_bucket, "Key": source, "VersionId": version}
        response = s3_of_task().get_object(**version_of, Range=f"bytes={start}-{stop - 1}")
        body: bytes = response["Body"].read()
        # 206 is the range; with 200 a server says that it sent everything.
        partial = response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.PARTIAL_CONTENT
        return body if partial else body[start:stop]

    def _put(self, folder: str, name: str, data: bytes) -> str:
        unique = uuid.uuid5(uuid.UUID(self.batch), f"{self.run}/{folder}/{name}")
        uri = f"{folder}/{unique}.parquet"
        where = urlsplit(uri)
        s3_of_task().put_object(Bucket=where.netloc, Key=where.path.lstrip("/"), Body=data)
        return uri
