"""One run: parameters and manifest in, one curated batch out. Who works on its parts is passed in."""

from __future__ import annotations

import io
import logging
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3

from causeway.contract.load import load_contract
from causeway.contract.model import Contract
from causeway.flow.clients import PATIENT
from causeway.flow.datasets import SUFFIX
from causeway.flow.failures import not_the_objects
from causeway.flow.ledger import Ledger
from causeway.flow.manifest import Manifest
from causeway.flow.parameters import MANIFEST, JobParameters, from_arguments
from causeway.lake.location import Lake
from causeway.lake.tables import glue_catalog
from causeway.lake.upkeep import forget, keep_up
from glue_jobs.batch import Batch
from glue_jobs.tasks import Distribute, Task, in_tasks

if TYPE_CHECKING:
    from pyspark import SparkContext

logger = logging.getLogger("causeway")


def read_object(s3: Any, uri: str) -> bytes:
    where = urlsplit(uri)
    body: bytes = s3.get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))["Body"].read()
    return body


def read_contract(archive: bytes, dataset: str) -> Contract:
    with zipfile.ZipFile(io.BytesIO(archive)) as contracts, tempfile.TemporaryDirectory() as folder:
        return load_contract(Path(contracts.extract(f"contracts/{dataset}{SUFFIX}", folder)))


def derive_hash_key(key: str) -> bytes:
    """From a key that never leaves KMS. The same in every run, or what was hashed would no longer join."""
    kms = boto3.client("kms", config=PATIENT)
    mac: bytes = kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=b"causeway columns")["Mac"]
    return mac


def curate(argv: Sequence[str], spark: Future[SparkContext]) -> None:
    """The Glue job: the batch of the manifest that the arguments name. Waits for Spark when there is work."""
    parameters, manifest, run = from_arguments(JobParameters, MANIFEST, argv)
    curate_batch(
        parameters,
        manifest,
        run=run or uuid.uuid4().hex,
        distribute=lambda task: (
            lambda units, banned, ids: in_tasks(
                spark.result(), units, partial(task.curate, banned=banned, ids=ids)
            )
        ),
        slots=lambda: spark.result().defaultParallelism,
    )


def curate_batch(
    parameters: JobParameters,
    manifest_uri: str,
    *,
    run: str,
    distribute: Callable[[Task], Distribute],
    slots: Callable[[], int],
) -> None:
    """Curate the batch of the manifest at that address, `slots` units at a time."""
    started = time.monotonic()
    s3, dynamodb = boto3.client("s3", config=PATIENT), boto3.resource("dynamodb", config=PATIENT)
    with not_the_objects():
        manifest = Manifest.from_json(read_object(s3, manifest_uri))
        contract = read_contract(read_object(s3, parameters.contracts), manifest.dataset)
        hash_key = derive_hash_key(parameters.hash_key) if contract.hashed else b""
    buckets = (parameters.landing_bucket, parameters.curated_bucket, parameters.quarantine_bucket)
    lake = Lake.in_buckets(*buckets, parameters.curated_database, parameters.quarantine_database)
    catalog = glue_catalog()
    task = Task(contract, lake, manifest.batch, run, datetime.now(UTC), hash_key)
    batch = Batch(
        manifest,
        contract,
        run=run,
        lake=lake,
        catalog=catalog,
        ledger=Ledger(dynamodb.Table(parameters.ledger_table), manifest.dataset),
        s3=s3,
        distribute=distribute(task),
        slots=slots,
        snapshot_days=parameters.snapshot_retention_days,
    )
    report = batch.curate()
    forget(catalog, (lake.quarantine_database, manifest.dataset), parameters.quarantine_retention_days)
    if parameters.optimizer_role:
        keep_up(boto3.client("glue"), contract.table, manifest.dataset, parameters)
    message = "batch %s of %s: landed %d = curated %d + quarantined %d, in %.1f s"
    seconds = time.monotonic() - started
    logger.info(message, report.batch, report.dataset, *report.totals.values(), seconds)
