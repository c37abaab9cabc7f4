"""Our own roles on the embedded AWS: each has what it needs, and needs each thing that it has."""

import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyiceberg.table import Table

from causeway.contract.load import load_contracts
from causeway.contract.model import Contract
from causeway.engine.check.keys import Banned
from causeway.engine.plan import Unit
from causeway.engine.profile.parts import in_turn
from causeway.engine.unit import UnitResult
from causeway.engine.write import FieldIds
from causeway.flow.failures import NotTheObjectsError
from causeway.flow.landing import Landing
from causeway.flow.ledger import Ledger
from causeway.flow.manifest import Manifest, SourceVersion
from causeway.flow.parameters import BatchLimits, ScheduleProfileParameters
from causeway.flow.profiles import write_outcome
from causeway.lake.location import Lake
from causeway.lake.profiles import Profiles
from causeway.lake.tables import glue_catalog
from glue_jobs import tasks
from glue_jobs.batch import Batch
from glue_jobs.profiler import Profiler
from glue_jobs.tasks import Task
from lambdas.batch_events import handler
from lambdas.batch_events.handler import Batching
from lambdas.measure.handler import of_commit, of_now
from lambdas.price_run.handler import price_run
from lambdas.reconcile import handler as reconcile_handler
from lambdas.schedule_profile.handler import schedule_profile
from lambdas.split_batch.handler import split_batch
from local.aws.embedded import EmbeddedAws
from tests.access.policies import DEFAULT, synthesized
from tests.access.resolver import COMPANY, REGION
from tests.glue_jobs.conftest import ledger_table
from tests.stacks.conftest import ROOT

pytestmark = pytest.mark.embedded
LANDING, CURATED, QUARANTINE = (f"causeway-lake-{name}" for name in ("landing", "curated", "quarantine"))
MACHINE, PROFILES_MACHINE = (
    f"arn:aws:states:{REGION}:{COMPANY}:stateMachine:causeway-pipeline-{name}-machine"
    for name in ("batches", "profiles")
)
# What is not missed when it is taken away here, and why it is there.
NOT_MISSED = {
    "glue:BatchGetTableOptimizer": "the emulator has no table optimizers",
    "glue:CreateTableOptimizer": "the emulator has no table optimizers",
    "glue:UpdateTableOptimizer": "the emulator has no table optimizers",
    "iam:PassRole": "the emulator has no table optimizers",
    "kms:Decrypt": "the emulator does not encrypt",
    "kms:GenerateDataKey": "the emulator does not encrypt",
    "logs:CreateLogStream": "Glue and Lambda write the logs, not the code",
    "logs:PutLogEvents": "Glue and Lambda write the logs, not the code",
    "s3:DeleteObject": "Iceberg removes old metadata files; if it cannot, it warns",
    "sqs:ChangeMessageVisibility": "Lambda's poller uses it, not the code",
    "sqs:DeleteMessage": "Lambda's poller uses it, not the code",
    "sqs:GetQueueAttributes": "Lambda's poller uses it, not the code",
    "sqs:GetQueueUrl": "Lambda's poller uses it, not the code",
    "sqs:ReceiveMessage": "Lambda's poller uses it, not the code",
}
PACKAGES = "cdk-hnb659fds-assets"


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """The resources that the roles' policies name, empty."""
    with EmbeddedAws(account=COMPANY, region=REGION) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment(COMPANY).items():
            patch.setenv(name, value)
        s3 = embedded.client("s3", COMPANY)
        for bucket in (LANDING, CURATED, QUARANTINE):
            s3.create_bucket(Bucket=bucket)
        versioned = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=LANDING, VersioningConfiguration=versioned)
        for database in ("causeway_lake", "causeway_quarantine"):
            embedded.client("glue", COMPANY).create_database(DatabaseInput={"Name": database})
        ledger_table("causeway-pipeline-ledger")
        embedded.client("sqs", COMPANY).create_queue(QueueName="causeway-lake-landingevents")
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "states.amazonaws.com"},
        }
        embedded.client("iam", COMPANY).create_role(
            RoleName="states", AssumeRolePolicyDocument=_document([trust])
        )
        for machine in (MACHINE, PROFILES_MACHINE):
            embedded.client("stepfunctions", COMPANY).create_state_machine(
                name=machine.rpartition(":")[2],
                roleArn=f"arn:aws:iam::{COMPANY}:role/states",
                definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
            )
        yield embedded


def statements(role: str) -> list[dict[str, Any]]:
    """The role's synthesized statements, without the packaged code, which they let it fetch."""
    access = synthesized(DEFAULT)
    found = [s for d in access.roles[role].identity for s in access.documents[d]["Statement"]]
    own = [{**s, "Resource": [r for r in listed(s["Resource"]) if PACKAGES not in r]} for s in found]
    return [s for s in own if s["Resource"]]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def losses(role: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each action of the role's, and its policy without it (one statement at a time)."""
    policy = statements(role)
    return [
        (action, [s if s is not statement else _without(s, action) for s in policy])
        for statement in policy
        for action in listed(statement["Action"])
    ]


def _without(statement: dict[str, Any], action: str) -> dict[str, Any]:
    left = [a for a in listed(statement["Action"]) if a != action]
    # A statement needs an action; this one allows nothing of ours.
    return {**statement, "Action": left or ["iam:GetAccountSummary"]}


def become(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, policy: list[dict[str, Any]]) -> None:
    """From here on, this process is a role with this policy."""
    iam, sts = aws.client("iam", COMPANY), aws.client("sts", COMPANY)
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{COMPANY}:root"},
    }
    name = f"role-{datetime.now(UTC).timestamp()}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=_document(policy))
    arn = f"arn:aws:iam::{COMPANY}:role/{name}"
    taken = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", taken["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", taken["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", taken["SessionToken"])
    # A client is bound to the credentials it was made with.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    tasks.s3_of_task.cache_clear()


def _document(found: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": found})


def queue_url() -> str:
    return f"{boto3.client('sqs').meta.endpoint_url}/{COMPANY}/causeway-lake-landingevents"


def fill_ledger(aws: EmbeddedAws, dataset: str) -> None:
    """So that there is something to ask it."""
    item = {"dataset": {"S": dataset}, "item": {"S": "watermark"}, "snapshot": {"S": "1"}}
    numbers = {"sequence": {"N": "1"}, "epoch": {"N": "1"}}
    root = aws.client("dynamodb", COMPANY)
    root.put_item(TableName="causeway-pipeline-ledger", Item={**item, **numbers})


def run_batching(aws: EmbeddedAws, case: str) -> None:
    """A new batch, the same again after it ended, an event that is held, and what is no event."""

    fill_ledger(aws, "flights")

    def event(dataset: str) -> str:
        described = {"key": f"landing/{dataset}/{case}", "versionId": "v1", "size": 1, "sequencer": "1"}
        return json.dumps({"Records": [{"s3": {"object": described}}]})

    batching = Batching(
        limits={"flights": BatchLimits(10, 10), "weather": BatchLimits(10, 10, window_seconds=900)},
        landing_bucket=LANDING,
        quarantine_bucket=QUARANTINE,
        state_machine=MACHINE,
        queue_url=queue_url(),
        s3=boto3.client("s3"),
        states=boto3.client("stepfunctions"),
        sqs=boto3.client("sqs"),
        ledger=boto3.resource("dynamodb").Table("causeway-pipeline-ledger"),
    )

    def fail(*_: object) -> None:
        raise  # noqa: PLE0704 - what the function logs and goes on from is a failure here

    with patch.object(handler.logger, "exception", fail):
        for body in (event("flights"), event("flights"), event("weather"), f"no event {case}"):
            batching.batch_events([{"messageId": "m", "body": body}])


def run_split(aws: EmbeddedAws, case: str) -> None:
    """A batch of two that failed."""
    manifest = Manifest("flights", tuple(SourceVersion(f"landing/flights/{case}{i}", "v", 1) for i in "ab"))
    root = aws.client("s3", COMPANY)
    root.put_object(Bucket=LANDING, Key=manifest.key, Body=manifest.to_json().encode())
    event = {"dataset": "flights", "batch": manifest.batch, "manifest": f"s3://{LANDING}/{manifest.key}"}
    failure = {"Error": "States.TaskFailed", "Cause": "killed"}
    split_batch({**event, "failure": failure}, landing_bucket=LANDING, s3=boto3.client("s3"))


def run_reconcile(aws: EmbeddedAws, case: str) -> None:
    """A source that is missing, and one that someone deleted."""
    root = aws.client("s3", COMPANY)
    root.put_object(Bucket=LANDING, Key=f"landing/case{case}/a", Body=b"x")
    fill_ledger(aws, f"case{case}")
    landing = Landing(
        bucket=LANDING,
        queue_url=queue_url(),
        s3=boto3.client("s3"),
        sqs=boto3.client("sqs"),
        ledger=boto3.resource("dynamodb").Table("causeway-pipeline-ledger"),
    )
    with patch.object(reconcile_handler, "GRACE", timedelta(0)):
        answer = reconcile_handler.reconcile(landing, [f"case{case}"], remaining_ms=lambda: 10**6)
    assert answer["queued"] == 1


@functools.cache
def weather() -> Contract:
    return load_contracts(ROOT / "contracts")["weather"]


def run_job(aws: EmbeddedAws, case: str) -> None:
    """A batch with a good and a bad row, then its source overwritten: tables made, changed and read."""
    dataset, root = f"case{case}", aws.client("s3", COMPANY)
    for row in ('{"origin": "JFK"}', '{"origin": "Newark"}'):
        put = root.put_object(Bucket=LANDING, Key=f"landing/{dataset}/a", Body=row.encode())
        manifest = Manifest(dataset, (SourceVersion(f"landing/{dataset}/a", put["VersionId"], len(row)),))
        root.put_object(Bucket=LANDING, Key=manifest.key, Body=manifest.to_json().encode())
        s3 = boto3.client("s3")
        stored = s3.get_object(Bucket=LANDING, Key=manifest.key)["Body"].read()
        contract = Contract(dataset, "1.0.0", weather().columns[:1], format="jsonl")
        lake = Lake(
            LANDING, f"s3://{CURATED}", f"s3://{QUARANTINE}/rejected", "causeway_lake", "causeway_quarantine"
        )
        task = Task(contract, lake, manifest.batch, put["VersionId"], datetime.now(UTC))
        Batch(
            Manifest.from_json(stored),
            contract,
            run=put["VersionId"],
            lake=lake,
            catalog=glue_catalog(),
            ledger=Ledger(boto3.resource("dynamodb").Table("causeway-pipeline-ledger"), dataset),
            s3=s3,
            distribute=functools.partial(_one_by_one, task),
        ).curate()


def _one_by_one(
    task: Task, units: Mapping[int, Unit], banned: Banned, *, ids: FieldIds
) -> dict[int, UnitResult]:
    return {n: task.curate(n, unit, banned, ids) for n, unit in units.items()}


def run_profile(aws: EmbeddedAws, case: str) -> None:
    """The profile of a table, and of the next snapshot, which has another file."""
    dataset, rows = f"profiled{case}", pa.table({"origin": ["JFK", "EWR"]})
    place = f"s3://{CURATED}/{dataset}"
    aws.catalog().create_table(("causeway_lake", dataset), rows.schema, location=place)
    for change in (Table.append, Table.overwrite):
        change(aws.catalog().load_table(("causeway_lake", dataset)), rows)
        table = glue_catalog().load_table(("causeway_lake", dataset))
        snapshot = table.current_snapshot()
        assert snapshot
        contract = Contract(dataset, "1.0.0", weather().columns[:1], format="jsonl")
        profiles, s3 = Profiles(table.location()), boto3.client("s3")
        Profiler(table, snapshot, contract, s3, profiles, in_turn, datetime.now(UTC)).profile()
    ledger = boto3.resource("dynamodb").Table("causeway-pipeline-ledger")
    write_outcome(ledger, dataset, snapshot="1", profile=place, failed="")


def run_schedule(aws: EmbeddedAws, case: str) -> None:
    """A first commit, and one after the run that waited has ended without a word."""
    ledger, states = (
        boto3.resource("dynamodb").Table("causeway-pipeline-ledger"),
        boto3.client("stepfunctions"),
    )
    parameters = ScheduleProfileParameters({"*": 1}, PROFILES_MACHINE, "causeway-pipeline-ledger")
    names = []
    for _ in range(2):
        now = datetime.now(UTC)
        names.append(schedule_profile(f"case{case}", parameters, ledger=ledger, states=states, now=now))
        arn = f"{PROFILES_MACHINE.replace(':stateMachine:', ':execution:')}:{names[-1]}"
        while (
            aws.client("stepfunctions", COMPANY).describe_execution(executionArn=arn)["status"] == "RUNNING"
        ):
            pass
    assert len(set(names)) == 2


def run_price(aws: EmbeddedAws, case: str) -> None:
    """A run that has ended, of the job that curates and of the one that profiles."""
    root = aws.client("glue", COMPANY)
    for name in ("curate", "profiles-profile"):
        job = f"causeway-pipeline-{name}-job"
        with suppress(root.exceptions.AlreadyExistsException):
            root.create_job(Name=job, Role="none", Command={"Name": "none"})
        run = root.start_job_run(JobName=job, Arguments={"--dataset": f"case{case}"})["JobRunId"]
        while "CompletedOn" not in root.get_job_run(JobName=job, RunId=run)["JobRun"]:
            time.sleep(0.1)
        ledger = boto3.resource("dynamodb").Table("causeway-pipeline-ledger")
        price_run({"jobName": job, "jobRunId": run}, glue=boto3.client("glue")).put(ledger)


def run_measure(aws: EmbeddedAws, case: str) -> None:
    """A commit, and a look at what is now."""
    ledger, states = (
        boto3.resource("dynamodb").Table("causeway-pipeline-ledger"),
        boto3.client("stepfunctions"),
    )
    of_commit({"dataset": f"case{case}", "batch": "0" * 32}, ledger)
    list(of_now([f"case{case}"], datetime.now(UTC), states=states, machine=MACHINE, ledger=ledger))


WORK: dict[str, Callable[[EmbeddedAws, str], None]] = {
    "batchevents": run_batching,
    "splitbatch": run_split,
    "reconcile": run_reconcile,
    "curate": run_job,
    "curatesmall-curate": run_job,
    "profiles-profile": run_profile,
    "runprices-price": run_price,
    "measurements-measure": run_measure,
    "profiles-schedule": run_schedule,
}
ROLES = [(f"arn:aws:iam::{COMPANY}:role/causeway-pipeline-{name}-role", work) for name, work in WORK.items()]


@pytest.mark.parametrize(("role", "work"), ROLES, ids=WORK)
def test_the_role_suffices_for_its_work(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, role: str, work: Callable[[EmbeddedAws, str], None]
) -> None:
    become(aws, monkeypatch, statements(role))
    work(aws, "all")


@pytest.mark.parametrize(("role", "work"), ROLES, ids=WORK)
def test_the_work_fails_with_access_denied_whichever_action_the_role_loses(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, role: str, work: Callable[[EmbeddedAws, str], None]
) -> None:
    not_missed = []
    for number, (action, policy) in enumerate(losses(role)):
        if action in NOT_MISSED:
            continue
        become(aws, monkeypatch, policy)
        try:
            work(aws, f"{number}")
        except (ClientError, OSError, NotTheObjectsError) as error:
            assert "denied" in str(error).lower().replace(" ", ""), f"{action}: {error}"  # noqa: PT017
        else:
            not_missed.append(action)
    assert not_missed == []
