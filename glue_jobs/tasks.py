"""What runs on a Spark executor: fetch a unit, curate it, write its files straight to S3."""

import functools
import io
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from causeway.contract import Contract
from glue_jobs.batch import Lake, UnitResult
from glue_jobs.engine import curated_schema
from glue_jobs.output import write_parquet
from glue_jobs.units import Unit, curate_unit


@functools.cache
def _s3() -> Any:
    return boto3.client("s3")


@dataclass(frozen=True)
class Task:
    """Curates units of one batch; travels to the executors."""

    contract: Contract
    lake: Lake
    batch: str
    run: str
    committed_at: datetime

    def curate(self, unit: Unit, number: int) -> UnitResult:
        """Curate a unit. A task that Spark tries again writes the same files again."""
        curated = curate_unit(
            self.contract, unit, self._fetch, batch=self.batch, committed_at=self.committed_at
        )
        known = set(curated_schema(self.contract).names)
        dataset = self.contract.dataset
        files = []
        for part, data in write_parquet(curated.rows, self.contract):
            folder = f"{dataset}/data/{part}" if part else f"{dataset}/data"
            files.append(self._put(self.lake.curated_bucket, folder, number, data))
        rejected = []
        if curated.rejected.num_rows:
            data = _parquet(curated.rejected)
            rejected.append(self._put(self.lake.quarantine_bucket, f"rejected/{dataset}/data", number, data))
        return UnitResult(
            tuple(curated.counts),
            tuple(files),
            tuple(rejected),
            tuple(name for name in curated.rows.column_names if name not in known),
        )

    def _fetch(self, source: str, version: str, start: int, stop: int) -> bytes:
        """These bytes of exactly this version."""
        where = {"Bucket": self.lake.landing_bucket, "Key": source, "VersionId": version}
        if stop <= start:
            return b""
        body: bytes = _s3().get_object(**where, Range=f"bytes={start}-{stop - 1}")["Body"].read()
        return body

    def _put(self, bucket: str, folder: str, number: int, data: bytes) -> str:
        name = uuid.uuid5(uuid.UUID(self.batch), f"{self.run}/{folder}/{number}")
        key = f"{folder}/{name}.parquet"
        _s3().put_object(Bucket=bucket, Key=key, Body=data)
        return f"s3://{bucket}/{key}"


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
