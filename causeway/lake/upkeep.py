"""The tables' upkeep: small files merged, old snapshots, orphaned files and old rejected rows deleted.

Glue's own optimizers do it, but for the last. An optimizer needs a table to exist, and tables are made by
the first batch that has rows for them. So each batch ends with a look at whether the optimizers are as the
settings want them.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.expressions import LessThan

from causeway.flow.parameters import JobParameters

logger = logging.getLogger(__name__)

# Until its job commits, a file looks like an orphan. A job runs for two days at most.
ORPHAN_DAYS = 7
ORPHAN_HOURS = 7 * 24  # between two looks for them
RETENTION = "orphanFileRetentionPeriodInDays"
Optimizer = tuple[str, str, str]  # database, table, type


def keep_up(glue: Any, table: str, dataset: str, parameters: JobParameters) -> None:
    """Bring the optimizers of a dataset's tables to what is wanted. A failure is logged and no more."""
    role, snapshot_days = parameters.optimizer_role, parameters.snapshot_retention_days
    # A crash can leave rejected files that only the next batch will refer to, whenever it comes.
    quarantine_days = max(parameters.quarantine_retention_days, ORPHAN_DAYS)
    # Not all of the curated table's folder: its profiles are no orphans.
    orphans = {"location": f"s3://{parameters.curated_bucket}/{table}/data/"}
    wanted = {
        (database, name, kind): configuration
        for database, name, orphaned in (
            (parameters.curated_database, table, {**orphans, RETENTION: ORPHAN_DAYS}),
            (parameters.quarantine_database, dataset, {RETENTION: quarantine_days}),
        )
        for kind, configuration in _configurations(role, snapshot_days, orphaned).items()
    }
    catalog = role.split(":")[4]
    try:
        there = dict(_existing(glue, catalog, list(wanted)))
        for optimizer, configuration in wanted.items():
            if optimizer not in there:
                _create(glue, catalog, optimizer, configuration)
            elif not _holds(there[optimizer], configuration):
                glue.update_table_optimizer(**_request(catalog, optimizer, configuration))
    except (BotoCoreError, ClientError) as error:
        logger.warning("the upkeep of %s is not set up: %s", dataset, error)


def forget(catalog: Catalog, quarantine: tuple[str, str], days: float) -> None:
    """Delete what was rejected longer ago than that. What fails is left to the next batch."""
    since = datetime.now(UTC) - timedelta(days=days)
    old = LessThan("_committed_at", since.isoformat())  # type: ignore[call-arg,arg-type]
    try:
        table = catalog.load_table(quarantine)
        if any(True for _ in table.scan(row_filter=old).plan_files()):
            table.delete(old)
    except NoSuchTableError:
        pass  # nothing was ever rejected
    except (CommitFailedException, OSError) as error:
        logger.warning("old rows of the quarantine %s stay: %s", quarantine[1], error)


def _configurations(role: str, snapshot_days: int, orphaned: dict[str, Any]) -> dict[str, dict[str, Any]]:
    by = {"roleArn": role, "enabled": True}
    retention = {
        "snapshotRetentionPeriodInDays": snapshot_days,
        "numberOfSnapshotsToRetain": 1,
        "cleanExpiredFiles": True,
    }
    orphans = {**orphaned, "runRateInHours": ORPHAN_HOURS}
    return {
        "compaction": {**by, "compactionConfiguration": {"icebergConfiguration": {"strategy": "binpack"}}},
        "retention": {**by, "retentionConfiguration": {"icebergConfiguration": retention}},
        "orphan_file_deletion": {**by, "orphanFileDeletionConfiguration": {"icebergConfiguration": orphans}},
    }


def _existing(glue: Any, catalog: str, wanted: list[Optimizer]) -> Iterator[tuple[Optimizer, dict[str, Any]]]:
    entries = [
        {"catalogId": catalog, "databaseName": database, "tableName": table, "type": kind}
        for database, table, kind in wanted
    ]
    for item in glue.batch_get_table_optimizer(Entries=entries).get("TableOptimizers", []):
        optimizer = item["tableOptimizer"]
        yield (item["databaseName"], item["tableName"], optimizer["type"]), optimizer["configuration"]


def _holds(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether everything wanted is so; what else the service says is its own."""
    return all(
        _holds(there.get(key, {}), value) if isinstance(value, dict) else there.get(key) == value
        for key, value in wanted.items()
    )


def _create(glue: Any, catalog: str, optimizer: Optimizer, configuration: dict[str, Any]) -> None:
    try:
        glue.create_table_optimizer(**_request(catalog, optimizer, configuration))
    except glue.exceptions.AlreadyExistsException:
        pass  # by another batch of the dataset, just now
    except glue.exceptions.EntityNotFoundException:
        pass  # nothing was quarantined so far: the table is not there


def _request(catalog: str, optimizer: Optimizer, configuration: dict[str, Any]) -> dict[str, Any]:
    database, table, kind = optimizer
    return {
        "CatalogId": catalog,
        "DatabaseName": database,
        "TableName": table,
        "Type": kind,
        "TableOptimizerConfiguration": configuration,
    }
