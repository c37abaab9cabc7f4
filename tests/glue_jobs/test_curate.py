"""The Glue job itself, through a real Spark session, against the embedded AWS's S3, DynamoDB and Glue."""

import hmac
import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

from causeway.flow.manifest import Manifest, SourceVersion
from causeway.lake.tables import glue_catalog
from glue_jobs import tasks
from glue_jobs.curate import main
from local.aws.embedded import EmbeddedAws
from local.aws.java import spark_environment
from tests.glue_jobs.conftest import CONTRACT, ledger_table

pytestmark = pytest.mark.spark
PEOPLE = """
apiVersion: v3.1.0
kind: DataContract
id: people
version: 1.0.0
schema:
  - name: people
    properties:
      - name: mail
        logicalType: string
        customProperties: [{property: partnerAccess, value: hash}]
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    """An AWS of its own, and an environment in which Spark and its workers find it."""
    with (
        EmbeddedAws(account="111111111111", region="us-east-1") as embedded,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {**embedded.environment(embedded.account), **spark_environment()}.items():
            patch.setenv(name, value)
        # A session keeps the credentials that it was made with.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        tasks.s3_of_task.cache_clear()
        s3 = boto3.client("s3")
        for bucket in ("landing", "curated", "quarantine", "assets"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
        for database in ("lake", "quarantine"):
            boto3.client("glue").create_database(DatabaseInput={"Name": database})
        ledger_table()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as contracts:
            contracts.writestr("contracts/trips.odcs.yaml", CONTRACT)
            contracts.writestr("contracts/people.odcs.yaml", PEOPLE)
        s3.put_object(Bucket="assets", Key="contracts.zip", Body=archive.getvalue())
        yield s3
        tasks.s3_of_task.cache_clear()


def run_job(s3: Any, run: str, *sources: SourceVersion, dataset: str = "trips", key: str = "") -> None:
    manifest = Manifest(dataset, sources)
    s3.put_object(Bucket="landing", Key=manifest.key, Body=manifest.to_json().encode())
    main(
        [
            "--manifest", f"s3://landing/{manifest.key}", "--contracts", "s3://assets/contracts.zip",
            "--landing-bucket", "landing", "--curated-bucket", "curated", "--quarantine-bucket", "quarantine",
            "--curated-database", "lake", "--quarantine-database", "quarantine", "--ledger-table", "ledger",
            "--optimizer-role", "arn:aws:iam::111111111111:role/optimizer",
            "--hash-key", key, "--JOB_NAME", "curate", "--JOB_RUN_ID", run, "--enable-metrics", "true",
        ]
    )  # fmt: skip


def land(s3: Any, name: str, text: str, dataset: str = "trips") -> SourceVersion:
    source = f"landing/{dataset}/{name}"
    version = s3.put_object(Bucket="landing", Key=source, Body=text.encode())["VersionId"]
    return SourceVersion(source, version, len(text))


def test_the_job_curates_through_spark_and_replaces_what_was_overwritten(aws: Any, tmp_path: Path) -> None:
    first = [land(aws, f"{n} +%.csv", f"id,city\n{n},Oslo\nx,Rome\n") for n in range(20)]
    run_job(aws, "one", *first)
    rows = glue_catalog().load_table(("lake", "trips")).scan().to_arrow().to_pylist()
    assert sorted(row["id"] for row in rows) == list(range(20))
    assert {row["_source"] for row in rows} == {source.source for source in first}
    rejected = glue_catalog().load_table(("quarantine", "trips")).scan().to_arrow().to_pylist()
    assert [(r["line"], r["raw"], r["faults"][0]["code"]) for r in rejected] == [(3, "x,Rome", "type")] * 20

    run_job(aws, "two", land(aws, "3 +%.csv", "id,city\n300,Kyiv\n"))
    rows = glue_catalog().load_table(("lake", "trips")).scan().to_arrow().to_pylist()
    assert sorted(row["id"] for row in rows) == [*(n for n in range(20) if n != 3), 300]
    rejected = glue_catalog().load_table(("quarantine", "trips")).scan().to_arrow().to_pylist()
    assert len(rejected) == 19


def test_the_job_starts_no_sql(aws: Any) -> None:
    run_job(aws, "plain", land(aws, "plain.csv", "id,city\n8000,Oslo\n"))
    assert SparkContext._active_spark_context is not None
    assert SparkSession._instantiatedSession is None


def test_a_batch_succeeds_where_nobody_can_look_after_its_table(
    aws: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run_job(aws, "three", land(aws, "alone.csv", "id,city\n7000,Oslo\n"))
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if line.startswith("the upkeep of trips is not set up: ")]
    assert [line for line in said if "landed 1 = curated 1 + quarantined 0" in line]


def test_hashes_join_across_batches_and_only_the_key_makes_them(aws: Any) -> None:
    kms = boto3.client("kms")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    for run in ("four", "five"):
        source = land(aws, f"{run}.csv", "mail\na@b.c\n", "people")
        run_job(aws, run, source, dataset="people", key=key)
    hashes = glue_catalog().load_table(("lake", "people")).scan().to_arrow()["mail"].to_pylist()
    derived = kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=b"causeway columns")["Mac"]
    assert hashes == [hmac.new(derived, b"a@b.c", "sha256").hexdigest()] * 2
