"""The Glue job's script that loads a curated table into the relational store."""

import io
import json
import logging
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from typing import Any

import boto3

from causeway.contract.load import load_contracts
from causeway.contract.model import Contract
from causeway.flow.clients import PATIENT
from causeway.flow.loads import CHANGES, NEWEST, write_outcome
from causeway.flow.parameters import DATASET, LoadParameters, from_arguments
from causeway.lake.tables import glue_catalog
from causeway.store.database import Database
from causeway.store.embeddings import embedder
from causeway.store.load import Loader
from causeway.store.s3_vectors import vector_bucket
from causeway.store.staging import Staging
from causeway.store.tables import Users
from glue_jobs.job import read_object

logger = logging.getLogger("causeway")


def main(argv: Sequence[str]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    parameters, dataset, _run = from_arguments(LoadParameters, DATASET, argv)
    started, s3 = time.monotonic(), boto3.client("s3", config=PATIENT)
    contracts = read_contracts(read_object(s3, parameters.contracts))
    served = {name: contract for name, contract in contracts.items() if contract.served}
    client = boto3.client("rds-data", config=PATIENT)
    database = Database(client, parameters.cluster, parameters.owner_secret, parameters.store_database)
    users = Users(
        _password(parameters.reader_secret),
        _password(parameters.partner_secret) if parameters.partner_secret else "",
        parameters.partner_datasets.split(),
    )
    by, vectors = embedder(parameters.embeddings, boto3), vector_bucket(parameters.vector_bucket, boto3)
    loader = Loader(database, served, users, by, vectors)
    staging = Staging(s3, parameters.staging_bucket, s3.meta.region_name)
    table = glue_catalog().load_table((parameters.curated_database, served[dataset].table))
    wanted = None if parameters.load in (CHANGES, NEWEST) else int(parameters.load)
    try:
        loaded = loader.load(dataset, table, staging, wanted=wanted, anew=parameters.load != CHANGES)
    finally:
        staging.remove()
    for change in loaded.changes:
        logger.info("store: %s", change)
    message = "store has snapshot %d of %s: %d rows, %d in quarantine, in %.1f s"
    seconds = time.monotonic() - started
    logger.info(message, loaded.snapshot, dataset, loaded.rows, loaded.quarantined, seconds)
    ledger = boto3.resource("dynamodb", config=PATIENT).Table(parameters.ledger_table)
    outcome: dict[str, Any] = {"rows": loaded.rows, "quarantined": loaded.quarantined}
    write_outcome(ledger, dataset, snapshot=loaded.snapshot, **outcome)


def _password(secret: str) -> str:
    """Of the store's user whose secret this is."""
    told = boto3.client("secretsmanager", config=PATIENT).get_secret_value(SecretId=secret)
    return str(json.loads(told["SecretString"])["password"])


def read_contracts(archive: bytes) -> dict[str, Contract]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file, tempfile.TemporaryDirectory() as folder:
        file.extractall(folder)
        return load_contracts(f"{folder}/contracts")


if __name__ == "__main__":
    main(sys.argv[1:])
