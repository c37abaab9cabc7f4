"""The tables' upkeep is brought to what the settings want, and never costs a batch.

The stub checks every call against the service's own model.
"""

import copy
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pyarrow.parquet as pq
import pytest
from botocore.stub import Stubber
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.table import Table

from causeway.flow.parameters import JobParameters
from causeway.lake.upkeep import ORPHAN_DAYS, _configurations, forget, keep_up
from causeway.settings import Limits
from tests.glue_jobs.conftest import SmallLake

ROLE = "arn:aws:iam::111111111111:role/optimizer"
SNAPSHOTS, QUARANTINE = 90, 30  # days
DAYS = "orphanFileRetentionPeriodInDays"
WANTED = {
    (database, "trips", kind): configuration
    for database, kinds in (
        # Below data/ alone: a profile is of no snapshot's files, and no orphan.
        (
            "lake",
            _configurations(ROLE, SNAPSHOTS, {"location": "s3://curated/trips/data/", DAYS: ORPHAN_DAYS}),
        ),
        ("quarantine", _configurations(ROLE, SNAPSHOTS, {DAYS: QUARANTINE})),
    )
    for kind, configuration in kinds.items()
}


@pytest.fixture
def glue() -> Iterator[Any]:
    client = boto3.client("glue", region_name="us-east-1")
    client.stub = Stubber(client)
    with client.stub:
        yield client
        client.stub.assert_no_pending_responses()


def run(glue: Any) -> None:
    parameters = JobParameters(
        contracts="",
        landing_bucket="",
        curated_bucket="curated",
        quarantine_bucket="",
        curated_database="lake",
        quarantine_database="quarantine",
        ledger_table="",
        optimizer_role=ROLE,
        snapshot_retention_days=SNAPSHOTS,
        quarantine_retention_days=QUARANTINE,
    )
    keep_up(glue, "trips", "trips", parameters)


def entry(optimizer: tuple[str, str, str]) -> dict[str, str]:
    database, table, kind = optimizer
    return {"catalogId": "111111111111", "databaseName": database, "tableName": table, "type": kind}


def found(glue: Any, configurations: dict[tuple[str, str, str], Any]) -> None:
    """What the service answers first."""
    answer = {
        "TableOptimizers": [
            {
                **{key: value for key, value in entry(optimizer).items() if key != "type"},
                "tableOptimizer": {"type": optimizer[2], "configuration": configuration},
            }
            for optimizer, configuration in configurations.items()
        ]
    }
    glue.stub.add_response("batch_get_table_optimizer", answer, {"Entries": [entry(o) for o in WANTED]})


def call(optimizer: tuple[str, str, str]) -> dict[str, Any]:
    database, table, kind = optimizer
    return {
        "CatalogId": "111111111111",
        "DatabaseName": database,
        "TableName": table,
        "Type": kind,
        "TableOptimizerConfiguration": WANTED[optimizer],
    }


def test_both_tables_get_every_optimizer(glue: Any) -> None:
    found(glue, {})
    for optimizer in WANTED:
        glue.stub.add_response("create_table_optimizer", {}, call(optimizer))
    run(glue)
    assert len(WANTED) == 6


def test_what_is_as_wanted_is_left_alone(glue: Any) -> None:
    as_wanted = copy.deepcopy(WANTED)
    as_wanted["lake", "trips", "compaction"]["compactionConfiguration"]["icebergConfiguration"][
        "minInputFiles"
    ] = 100
    found(glue, as_wanted)
    run(glue)


def test_an_optimizer_of_other_settings_is_updated(glue: Any) -> None:
    others = copy.deepcopy(WANTED)
    for (_, _, kind), configuration in others.items():
        if kind == "retention":
            configuration["retentionConfiguration"]["icebergConfiguration"][
                "snapshotRetentionPeriodInDays"
            ] = 5
    found(glue, others)
    for optimizer in WANTED:
        if optimizer[2] == "retention":
            glue.stub.add_response("update_table_optimizer", {}, call(optimizer))
    run(glue)


@pytest.mark.parametrize("code", ["AlreadyExistsException", "EntityNotFoundException"])
def test_an_optimizer_made_meanwhile_or_a_table_not_made_yet_is_no_failure(
    glue: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    found(glue, {})
    for _ in WANTED:
        glue.stub.add_client_error("create_table_optimizer", code)
    run(glue)
    assert caplog.records == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException"])
def test_a_failure_is_logged_and_costs_nothing(
    glue: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    glue.stub.add_client_error("batch_get_table_optimizer", code)
    run(glue)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert code in record.getMessage()


@pytest.mark.parametrize("database", ["lake", "quarantine"])
def test_batches_go_on_after_files_were_merged_and_old_snapshots_deleted(
    small_lake: SmallLake, database: str
) -> None:
    a, b = small_lake.put("a.csv", "1,Oslo", "x,Oslo"), small_lake.put("b.csv", "2,Rome", "y,Rome")
    small_lake.curate(a)
    small_lake.curate(b)
    merge_files(small_lake.catalog.load_table((database, "trips")))
    assert small_lake.snapshots(database) == 1
    small_lake.history.rebuild(small_lake.table())
    small_lake.curate(a)  # delivered again
    small_lake.curate(small_lake.put("b.csv", "3,Bonn", "z,Bonn"))
    assert small_lake.ids() == [1, 3]
    assert sorted(row["raw"] for row in small_lake.rows("quarantine")) == ["x,Oslo", "z,Bonn"]


def merge_files(table: Table) -> None:
    """As Glue's optimizers do: all rows in one new file, and no snapshot but that which says so."""
    rows, old = table.scan().to_arrow(), [task.file for task in table.scan().plan_files()]
    path = f"{table.location()}/merged.parquet"
    Path(urlsplit(path).path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, urlsplit(path).path)
    with table.transaction() as change, change.update_snapshot().overwrite() as snapshot:
        for file in old:
            snapshot.delete_data_file(file)
        snapshot.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))
    current = table.current_snapshot()
    assert current
    for gone in table.snapshots():
        if gone.snapshot_id != current.snapshot_id:
            table.maintenance.expire_snapshots().by_id(gone.snapshot_id).commit()


def test_files_of_the_longest_job_are_no_orphans_before_it_commits() -> None:
    (longest,) = (m.le for m in Limits.model_fields["job_timeout_minutes"].metadata if hasattr(m, "le"))
    assert 2 * longest < ORPHAN_DAYS * 24 * 60


def test_rejected_rows_are_forgotten_after_their_time_and_no_others(small_lake: SmallLake) -> None:
    quarantine = ("quarantine", "trips")
    small_lake.curate(small_lake.put("a.csv", "1,Oslo", "x,Oslo"))
    forget(small_lake.catalog, quarantine, 1)
    assert [row["raw"] for row in small_lake.rows("quarantine")] == ["x,Oslo"]
    then = datetime.now(UTC)
    small_lake.curate(small_lake.put("b.csv", "y,Rome"))
    merge_files(small_lake.catalog.load_table(quarantine))  # old and new rows may share a file
    forget(small_lake.catalog, quarantine, (datetime.now(UTC) - then) / timedelta(days=1))
    assert [row["raw"] for row in small_lake.rows("quarantine")] == ["y,Rome"]

    small_lake.curate(small_lake.put("a.csv", "z,Oslo"))
    assert sorted(row["raw"] for row in small_lake.rows("quarantine")) == ["y,Rome", "z,Oslo"]


def test_where_nothing_was_ever_rejected_there_is_nothing_to_forget(small_lake: SmallLake) -> None:
    forget(small_lake.catalog, ("quarantine", "trips"), 30)
