"""What runs on a Spark executor: fetch a unit, curate it, write its files straight to S3."""

import functools
import io
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

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
            folder = f"{self.lake.curated_location}/{dataset}/data" + (f"/{part}" if part else "")
            files.append(self._put(folder, number, data))
        rejected = []
        if curated.rejected.num_rows:
            data = _parquet(curated.rejected)
            rejected.append(self._put(f"{self.lake.quarantine_location}/{dataset}/data", number, data))
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

    def _put(self, folder: str, number: int, data: bytes) -> str:
        name = uuid.uuid5(uuid.UUID(self.batch), f"{self.run}/{folder}/{number}")
        uri = f"{folder}/{name}.parquet"
        where = urlsplit(uri)
        _s3().put_object(Bucket=where.netloc, Key=where.path.lstrip("/"), Body=data)
        return uri


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
