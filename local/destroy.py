"""`make destroy`: no batch starts, what runs ends, all but the lake goes; then the lake, emptied first."""

import json
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from causeway.flow.models import packages_of
from causeway.operate.account import AccountError, session_of_either
from causeway.operate.explain import explain
from causeway.operate.queues import depth
from causeway.settings import Settings, load_settings, partner_stack
from causeway.settings_errors import SettingsError
from local.command_line import confirm, run_cdk

Held = defaultdict[str, list[str]]  # what a stack holds: physical ids by type
POLL = 5  # seconds
LONGEST_CALL = 120  # seconds that the batching function may take
ROUNDS = 5


def main() -> None:
    try:
        settings = load_settings()
        session, account = session_of_either(settings)
        if not settings.sandbox:
            sys.exit("make destroy: settings.toml says sandbox = false: data and stacks are protected")
        (destroy if account == settings.company.account else destroy_partners)(session, settings)
    except (AccountError, SettingsError, BotoCoreError, ClientError) as error:
        sys.exit(f"make destroy: {explain(error)}")
    except (EOFError, KeyboardInterrupt):
        sys.exit("make destroy: interrupted; run it again to finish")


def destroy(session: boto3.Session, settings: Settings) -> None:
    """Remove the company's stacks, from its account."""
    cloudformation, project = session.client("cloudformation"), settings.project
    lake, pipeline = f"{project}-lake", f"{project}-pipeline"
    partners = [partner_stack(key) for key in settings.every_partner()]
    others = ("store", "inference", *partners, "audit", "costs")
    names = [lake, pipeline, *(f"{project}-{part}" for part in others)]
    stacks = {name: held for name in names if (held := find(cloudformation, name)) is not None}
    kept = stacks.get(lake, Held(list))
    buckets = buckets_of(session, kept)
    # What the settings leave out, its stack cannot be removed, and so nothing is.
    on = {"store": settings.store.enabled, "inference": settings.inference.enabled}
    served = [stacks.get(f"{project}-{part}", Held(list)) for part, enabled in on.items() if enabled]
    staging = [bucket for stack in served for bucket in buckets_of(session, stack)]
    if not ask(settings, settings.company.account, list(stacks), [bucket.name for bucket in buckets]):
        return
    _synth()
    if pipeline in stacks:
        drain(session, stacks[pipeline], kept["AWS::SQS::Queue"])
    for bucket in staging:
        empty(bucket)
    remove(cloudformation, [name for name in stacks if name != lake])
    for bucket in buckets:
        empty(bucket)
    if lake in stacks:
        _cdk("destroy", lake, "--force", "--app", "build/cdk.out", "--exclusively")
    print("What stays: the bootstrap stack CDKToolkit, and the keys for their waiting period.", flush=True)


def destroy_partners(session: boto3.Session, settings: Settings) -> None:
    """Remove the partner's stacks, from its account."""
    cloudformation, name = session.client("cloudformation"), f"{settings.project}-training"
    held = find(cloudformation, name)
    buckets = buckets_of(session, held or Held(list))
    stacks = [] if held is None else [name]
    if not ask(settings, settings.partner.account, stacks, [bucket.name for bucket in buckets]):
        return
    _synth()
    stop_trainings(session, held or Held(list))
    for bucket in buckets:
        empty(bucket)
    empty_registry(session, held or Held(list))
    remove(cloudformation, stacks)
    print("What stays: the bootstrap stack CDKToolkit.", flush=True)


def _synth() -> None:
    """What is to be removed needs no modules."""
    _cdk("synth", "--quiet", "--context", "layers=none")


def stop_trainings(session: boto3.Session, training: Held) -> None:
    """What they would write goes anyway. A job that runs on ends by itself, and finds no bucket."""
    states = session.client("stepfunctions")
    for machine in training["AWS::StepFunctions::StateMachine"]:
        running_now = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
        for execution in states.list_executions(**running_now)["executions"]:
            states.stop_execution(executionArn=execution["executionArn"], cause="make destroy")


def empty_registry(session: boto3.Session, training: Held) -> None:
    """A group that holds model packages cannot be deleted."""
    registry = session.client("sagemaker")
    for group in training["AWS::SageMaker::ModelPackageGroup"]:
        for package in packages_of(registry, group):
            registry.delete_model_package(ModelPackageName=package["ModelPackageArn"])


def buckets_of(session: boto3.Session, held: Held) -> list[Any]:
    s3 = session.resource("s3")
    return [bucket for name in held["AWS::S3::Bucket"] if (bucket := s3.Bucket(name)).creation_date]


def remove(cloudformation: Any, stacks: list[str]) -> None:
    """Delete these stacks, as the CDK's command line does."""
    if stacks:
        _cdk("destroy", *stacks, "--force", "--app", "build/cdk.out", "--concurrency", "4")
    # The command line only warns of a stack that this checkout does not synthesize (any more).
    if left := [name for name in stacks if find(cloudformation, name) is not None]:
        sys.exit(f"make destroy: first delete {', '.join(left)}, which settings.toml leaves out")


def find(cloudformation: Any, stack: str) -> Held | None:
    """What the stack holds that is not going already; None if there is no such stack."""
    try:
        (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if described.get("EnableTerminationProtection"):
        sys.exit(f"make destroy: {stack} was deployed with sandbox = false: first deploy it with true")
    held = Held(list)
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            is_going = resource["ResourceStatus"] in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
            if not is_going and (name := resource.get("PhysicalResourceId")):
                held[resource["ResourceType"]].append(name)
    return held


def ask(settings: Settings, account: str, stacks: list[str], buckets: list[str]) -> bool:
    """Whether there is something to remove; goes on only if YES=1 or a person says so."""
    place = f"account {account}, {settings.company.region}"
    if not stacks:
        print(f"Nothing of {settings.project} is deployed in {place}.")
        return False
    print(f"This removes from {place}, for good:")
    print(f"  stacks: {', '.join(stacks)}, with tables, ledger, queued events, models and logs")
    print(f"  every version of every object in: {', '.join(buckets) or 'no bucket'}", flush=True)
    confirm("destroy", "was removed")
    return True


def drain(session: boto3.Session, pipeline: Held, queues: list[str]) -> None:
    """Start no more executions, and wait for those that run.

    Whatever starts one goes through the queue, and may go on filling it: when this is interrupted, no
    event is lost.
    """
    states, sqs, waited_for = session.client("stepfunctions"), session.client("sqs"), 0
    try:
        switch(session, pipeline, on=False)
        stopped = time.monotonic()
        while True:
            busy = sum(running(states, machine) for machine in pipeline["AWS::StepFunctions::StateMachine"])
            if time.monotonic() - stopped < LONGEST_CALL:
                # A function that was at work when its source stopped may still start some.
                busy += sum(depth(sqs, queue)["in_flight"] for queue in queues)
            if not busy:
                return
            if busy != waited_for:
                print(f"Still running: {busy}. Waiting; Ctrl-C lets the pipeline go on …", flush=True)
            waited_for = busy
            time.sleep(POLL)
    except BaseException:
        switch(session, pipeline, on=True)
        print("make destroy: nothing was removed, and the pipeline goes on", file=sys.stderr)
        raise


def running(states: Any, machine: str) -> int:
    """How many executions run. Those that wait for hours until a profile is due are stopped."""
    request = {"statusFilter": "RUNNING", "maxResults": 1000}
    busy = 0
    for execution in states.list_executions(stateMachineArn=machine, **request)["executions"]:
        arn = execution["executionArn"]
        due = json.loads(states.describe_execution(executionArn=arn)["input"]).get("due")
        if due and datetime.fromisoformat(due) > datetime.now(UTC):
            states.stop_execution(executionArn=arn, cause="make destroy")
        else:
            busy += 1
    return busy


def switch(session: boto3.Session, pipeline: Held, *, on: bool) -> None:
    """Give the batching function what is queued, or no more; the same of what rules start."""
    functions = session.client("lambda")
    for rule in pipeline["AWS::Events::Rule"]:
        events = session.client("events")
        (events.enable_rule if on else events.disable_rule)(Name=rule)

    def settle(mapping: str) -> None:
        while functions.get_event_source_mapping(UUID=mapping)["State"] not in ("Enabled", "Disabled"):
            time.sleep(1)

    for mapping in pipeline["AWS::Lambda::EventSourceMapping"]:
        settle(mapping)  # while it changes, it refuses to be changed
        functions.update_event_source_mapping(UUID=mapping, Enabled=on)
        settle(mapping)


def empty(bucket: Any) -> None:
    """Let nobody write to it any more, and delete versions, markers and unfinished uploads.

    S3 and CloudTrail deliver logs late, and a bucket that is not empty cannot be deleted.
    """
    print(f"Emptying {bucket.name} …", flush=True)
    # In place of the bucket's own policy: whom that denied something, this denies too.
    closed = {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject*", "s3:PutObject*"]}
    statement = {**closed, "Resource": f"arn:aws:s3:::{bucket.name}/*"}
    bucket.Policy().put(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for _ in range(ROUNDS):
        bucket.object_versions.delete()
        for upload in bucket.multipart_uploads.all():
            upload.abort()
        if not [*bucket.object_versions.limit(1), *bucket.multipart_uploads.limit(1)]:
            return
        time.sleep(POLL)
    sys.exit(f"make destroy: {bucket.name} is not empty after {ROUNDS} rounds: may you delete its objects?")


def _cdk(*arguments: str) -> None:
    if not run_cdk(*arguments):
        sys.exit(f"make destroy: cdk {arguments[0]} failed, as said above; mend that and run this again")


if __name__ == "__main__":
    main()
