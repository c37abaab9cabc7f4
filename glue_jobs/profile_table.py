"""The Glue job's script that profiles a dataset's table. (Called profile, it would hide Python's own.)"""

import logging
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from causeway.flow.clients import PATIENT
from causeway.flow.parameters import DATASET, ProfileParameters, from_arguments
from causeway.flow.profiles import QUALITY, write_outcome
from causeway.lake.profiles import Profiles
from causeway.lake.tables import glue_catalog
from glue_jobs.curate import start_spark
from glue_jobs.job import read_contract, read_object
from glue_jobs.profiler import Profiler
from glue_jobs.tasks import add_up

logger = logging.getLogger("causeway")


def main(argv: Sequence[str]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    parameters, dataset, _run = from_arguments(ProfileParameters, DATASET, argv)
    started, spark = time.monotonic(), start_spark()
    s3, dynamodb = boto3.client("s3", config=PATIENT), boto3.resource("dynamodb", config=PATIENT)
    contract = read_contract(read_object(s3, parameters.contracts), dataset)
    ledger, outcome = dynamodb.Table(parameters.ledger_table), {"snapshot": "", "profile": "", "failed": ""}
    table = _table(parameters.curated_database, contract.table)
    if table and (snapshot := table.current_snapshot()):
        profiles, tasks = Profiles(table.location()), partial(add_up, spark)
        document = Profiler(table, snapshot, contract, s3, profiles, tasks, datetime.now(UTC)).profile()
        outcome = {
            "snapshot": str(snapshot.snapshot_id),
            "profile": profiles.uri(snapshot.snapshot_id),
            "failed": _report_quality(document),
        }
        logger.info("profiled %s of %s in %.1f s", outcome["snapshot"], dataset, time.monotonic() - started)
    write_outcome(ledger, dataset, **outcome)


def _table(database: str, name: str) -> Table | None:
    try:
        return glue_catalog().load_table((database, name))
    except NoSuchTableError:
        return None  # nothing was ever curated


def _report_quality(document: dict[str, Any]) -> str:
    """Log how many bounds are broken, which metrics count; those that the run fails for are told, as text."""
    broken = [bound for bound in document.get("quality", ()) if bound["holds"] is False]
    failed = [bound for bound in broken if bound["severity"] == "error"]
    logger.info("%s %s %d %d", QUALITY, document["dataset"], len(broken) - len(failed), len(failed))
    return "; ".join(f"{bound['name']}: {bound['value']}, allowed is {bound['allowed']}" for bound in failed)


if __name__ == "__main__":
    main(sys.argv[1:])
