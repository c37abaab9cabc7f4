"""The tables' upkeep is brought to what the settings want, and never costs a batch.

The stub checks every call against the service's own model.
"""

import copy
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from glue_jobs.maintenance import _configurations, keep_up

ROLE = "arn:aws:iam::111111111111:role/optimizer"
DAYS = 90
KINDS = _configurations(ROLE, DAYS)
WANTED = [("lake", "trips", kind) for kind in KINDS] + [
    ("quarantine", "trips", kind) for kind in KINDS if kind != "orphan_file_deletion"
]


@pytest.fixture
def glue() -> Iterator[Any]:
    client = boto3.client("glue", region_name="us-east-1")
    client.stub = Stubber(client)
    with client.stub:
        yield client
        client.stub.assert_no_pending_responses()


def run(glue: Any) -> None:
    keep_up(
        glue,
        "trips",
        curated_database="lake",
        quarantine_database="quarantine",
        role=ROLE,
        snapshot_days=DAYS,
    )


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
        "TableOptimizerConfiguration": KINDS[kind],
    }


def test_a_new_table_gets_every_optimizer_and_a_quarantine_no_orphan_deletion(glue: Any) -> None:
    found(glue, {})
    for optimizer in WANTED:
        glue.stub.add_response("create_table_optimizer", {}, call(optimizer))
    run(glue)
    assert ("quarantine", "trips", "orphan_file_deletion") not in WANTED


def test_what_is_as_wanted_is_left_alone(glue: Any) -> None:
    as_wanted = {optimizer: copy.deepcopy(KINDS[optimizer[2]]) for optimizer in WANTED}
    as_wanted[WANTED[0]]["compactionConfiguration"]["icebergConfiguration"]["minInputFiles"] = 100
    found(glue, as_wanted)
    run(glue)


def test_an_optimizer_of_other_settings_is_updated(glue: Any) -> None:
    others = {optimizer: _configurations(ROLE, DAYS + 1)[optimizer[2]] for optimizer in WANTED}
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


def test_files_of_the_longest_job_are_no_orphans_before_it_commits() -> None:
    from causeway.settings import Limits  # noqa: PLC0415

    (longest,) = (m.le for m in Limits.model_fields["job_timeout_minutes"].metadata if hasattr(m, "le"))
    configuration = KINDS["orphan_file_deletion"]["orphanFileDeletionConfiguration"]["icebergConfiguration"]
    assert configuration["orphanFileRetentionPeriodInDays"] * 24 * 60 > 2 * longest
