"""Looks at every prerequisite and every deployed part; one that is not as it should be stops no other."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from causeway.contract.load import load_contracts
from causeway.contract.model import ContractError
from causeway.flow.billing import REFUSED, REGION, look
from causeway.flow.clients import PATIENT
from causeway.flow.datasets import CONTRACTS
from causeway.operate.account import AccountError, session_of_either
from causeway.operate.alerts import company_alerts
from causeway.operate.deployment import Deployment
from causeway.operate.explain import explain
from causeway.settings import Settings, load_settings
from causeway.settings_errors import SettingsError

BOOTSTRAP = "CDKToolkit"
ROOT = Path(__file__).parents[2]
TOOLS = {"Node": Path(sys.prefix) / "bin/node", "the CDK's command line": ROOT / "node_modules/.bin/cdk"}
OPTIONAL = ("store", "inference")  # sections of the settings that say `enabled`, and their stacks


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `problem` says what it is, and what to do; empty if all is well."""

    name: str
    problem: str = ""


def examine() -> Iterator[Check]:
    """Every check, in the order in which a person would make them."""
    yield from _tools()
    settings = yield from _read()
    if not settings:
        return
    try:
        session, account = session_of_either(settings)
    except AccountError as error:
        yield Check("credentials", str(error))
        return
    whose = "company" if account == settings.company.account else "partner"
    yield Check(f"credentials of the {whose}'s account {account}")
    cloudformation = session.client("cloudformation", config=PATIENT)
    stacks = [f"{settings.project}-{name}" for name in expected(settings, whose)]
    for stack in (BOOTSTRAP, *stacks):
        yield _stack(cloudformation, stack)
    yield from _parts(session, cloudformation, stacks)
    if whose == "company":
        yield from _company(settings, session)


def expected(settings: Settings, whose: str) -> list[str]:
    """The stacks that these settings make in that account, company or partner, in app.py's order."""
    if whose == "partner":
        return ["training"] if settings.partner.ml.enabled else []
    optional = [name for name in OPTIONAL if getattr(settings, name).enabled]
    return ["lake", "pipeline", *optional, "partner", *(["audit"] if settings.audit else []), "costs"]


def _tools() -> Iterator[Check]:
    for name, path in TOOLS.items():
        yield Check(name, "" if path.exists() else f"{path} is not there: make install")


def _read() -> Any:
    """Checks of what this checkout says; returns the settings, if they can be read."""
    try:
        contracts = load_contracts(CONTRACTS)
        yield Check(f"{len(contracts)} contracts")
    except ContractError as error:
        contracts = {}
        yield Check("contracts", str(error))
    try:
        settings = load_settings()
        if contracts:
            settings.check_datasets(contracts)
        yield Check("settings.toml")
    except SettingsError as error:
        yield Check("settings.toml", str(error))
        return None
    return settings


def _stack(cloudformation: Any, name: str) -> Check:
    deploy = "make deploy bootstraps it" if name == BOOTSTRAP else "make deploy"
    try:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        missing = error.response["Error"]["Code"] == "ValidationError"
        return Check(f"stack {name}", f"it is not deployed: {deploy}" if missing else explain(error))
    if status.endswith("_COMPLETE") and "ROLLBACK" not in status:
        return Check(f"stack {name}")
    return Check(f"stack {name}", f"it is {status}: look at its events in CloudFormation, then make deploy")


@dataclass(frozen=True)
class Part:
    """A type of deployed parts: `state` asks a client of the service for that of one, by its physical id."""

    plural: str
    service: str
    state: Callable[[Any, str], Any]
    fine: tuple[str, ...]
    advice: str = "make deploy"


def _alarm(cloudwatch: Any, name: str) -> Any:
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def _rule(events: Any, id_: str) -> Any:
    *bus, name = id_.split("|")  # of another bus than the default one
    return events.describe_rule(Name=name, **({"EventBusName": bus[0]} if bus else {}))["State"]


def _there(_: Any) -> str:
    return "there"


PARTS = {
    "AWS::S3::Bucket": Part("buckets", "s3", lambda s3, id_: _there(s3.head_bucket(Bucket=id_)), ("there",)),
    "AWS::KMS::Key": Part(
        "keys",
        "kms",
        lambda kms, id_: kms.describe_key(KeyId=id_)["KeyMetadata"]["KeyState"],
        ("Enabled",),
        "nothing it encrypts can be read: aws kms cancel-key-deletion or enable-key --key-id {id}",
    ),
    "AWS::DynamoDB::Table": Part(
        "DynamoDB tables",
        "dynamodb",
        lambda dynamodb, id_: dynamodb.describe_table(TableName=id_)["Table"]["TableStatus"],
        ("ACTIVE", "UPDATING"),
    ),
    "AWS::Glue::Job": Part(
        "Glue jobs", "glue", lambda glue, id_: _there(glue.get_job(JobName=id_)), ("there",)
    ),
    "AWS::Lambda::Function": Part(
        "functions",
        "lambda",
        lambda functions, id_: functions.get_function_configuration(FunctionName=id_)["State"],
        ("Active", "Inactive"),  # the latter: not called for weeks
    ),
    "AWS::Lambda::EventSourceMapping": Part(
        "triggers",
        "lambda",
        lambda functions, id_: functions.get_event_source_mapping(UUID=id_)["State"],
        ("Enabled",),
        "what lands waits in the queue: aws lambda update-event-source-mapping --enabled --uuid {id}",
    ),
    "AWS::StepFunctions::StateMachine": Part(
        "state machines",
        "stepfunctions",
        lambda states, id_: states.describe_state_machine(stateMachineArn=id_)["status"],
        ("ACTIVE",),
    ),
    "AWS::Events::Rule": Part(
        "rules",
        "events",
        _rule,
        ("ENABLED",),
        "nothing starts by it: aws events enable-rule --name {id}; after make destroy, make deploy",
    ),
    "AWS::CloudWatch::Alarm": Part(
        "alarms", "cloudwatch", _alarm, ("OK", "INSUFFICIENT_DATA"), "docs/runbook.md says what to do"
    ),
}


def _parts(session: boto3.Session, cloudformation: Any, stacks: list[str]) -> Iterator[Check]:
    """A check for each type of part, and one for each part that is not as it should be."""
    ids = defaultdict(list)
    for stack in stacks:
        for resource in _resources(cloudformation, stack):
            ids[resource["ResourceType"]].append(resource["PhysicalResourceId"])
    for type_, part in PARTS.items():
        client = session.client(part.service, config=PATIENT)
        problems = {id_: problem for id_ in ids[type_] if (problem := _problem(client, id_, part))}
        yield from (Check(f"{part.plural}: {id_}", problem) for id_, problem in problems.items())
        if fine := len(ids[type_]) - len(problems):
            yield Check(f"{fine} {part.plural}")


def _problem(client: Any, id_: str, part: Part) -> str:
    try:
        state = part.state(client, id_)
    except (ClientError, BotoCoreError, LookupError) as error:
        return f"{explain(error)}; if it was deleted, make deploy makes it again"
    return "" if state in part.fine else f"it is {state}: {part.advice.format(id=id_)}"


def _resources(cloudformation: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    try:
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
            yield from page["StackResourceSummaries"]
    except ClientError:
        return  # the stack's own check says why


def _company(settings: Settings, session: boto3.Session) -> Iterator[Check]:
    """Who hears, and whether the bill can be divided."""
    try:
        for of, hearing in company_alerts(Deployment.find()).items():
            write = "write emails under [alerts] in settings.toml, then make deploy"
            confirm = f"not confirmed by the link in SNS's mail: {', '.join(hearing['unconfirmed'])}"
            problem = confirm if hearing["unconfirmed"] else "" if hearing["confirmed"] else write
            yield Check(f"who hears of {of}", problem)
    except (AccountError, ClientError, BotoCoreError) as error:
        yield Check("who hears", explain(error))
    try:
        tags = look(session.client("ce", region_name=REGION), list(settings.every_tag()))
        refused = tags.state == REFUSED
        yield Check("tags in billing", "the payer activates them: causeway costs doctor" if refused else "")
    except (ClientError, BotoCoreError) as error:
        yield Check("tags in billing", explain(error))
