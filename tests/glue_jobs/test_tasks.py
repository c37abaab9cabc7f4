"""A Spark task alone, on moto's S3."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from causeway.engine import curate as engine
from causeway.engine.curate import curate_slices
from causeway.engine.plan import plan_units
from causeway.engine.read import formats, stored
from causeway.flow.clients import PATIENT
from causeway.flow.manifest import SourceVersion
from causeway.lake.location import Lake
from glue_jobs import tasks
from glue_jobs.tasks import Task
from tests.causeway.engine.helpers import NO_IDS, column, contract

PAIR = contract(column("a", "integer", required=True), column("b"))
LAKE = Lake.in_buckets("landing", "curated", "quarantine", "lake", "rejected")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        tasks.s3_of_task.cache_clear()
        client = boto3.client("s3", config=PATIENT)
        for bucket in ("landing", "curated", "quarantine"):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
        yield client
    tasks.s3_of_task.cache_clear()


def land(s3: Any, name: str, data: bytes) -> SourceVersion:
    version = s3.put_object(Bucket="landing", Key=name, Body=data)["VersionId"]
    return SourceVersion(name, version, len(data))


def read(s3: Any, uri: str) -> list[dict[str, Any]]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    stored = pa.BufferReader(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    rows: list[dict[str, Any]] = pq.read_table(stored).to_pylist()
    return rows


def test_files_written_of_an_object_that_turns_out_damaged_are_not_reported(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (stored, engine, formats):
        monkeypatch.setattr(module, "BLOCK", 512)
    monkeypatch.setattr("causeway.engine.unit.curate_slices", partial(curate_slices, part_bytes=2048))
    text = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(2000))
    good, damaged = land(s3, "good", text), land(s3, "damaged", gzip.compress(text)[:-9])
    (unit,) = plan_units([good, damaged], PAIR)
    done = Task(PAIR, LAKE, "b" * 32, "run", datetime.now(UTC)).curate(0, unit, {}, NO_IDS)
    assert sorted(row["a"] for uri in done.files for row in read(s3, uri)) == list(range(2000))
    (rejected,) = (row for uri in done.rejected_files for row in read(s3, uri))
    assert (rejected["_source"], rejected["line"]) == ("damaged", None)
    assert sum(count.curated for count in done.counts) == 2000
    written = s3.list_objects_v2(Bucket="curated")["KeyCount"]
    assert written > len(done.files)  # what was written of the damaged object belongs to no table
