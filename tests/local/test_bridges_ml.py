"""What the partner's machine learning rests on: jobs that run, a registry that tells, events that cross."""

import io
import json
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError

from local.aws.embedded import EmbeddedAws

pytestmark = pytest.mark.embedded
COMPANY, PARTNER = "111111111111", "222222222222"
DEADLINE = 30  # seconds
TRAIN = """
import json, os, pathlib, sys
import boto3
root = pathlib.Path(sys.argv[1])
assert str(root) == os.environ["OPT_ML"] == os.getcwd()
facts = {
    "who": boto3.client("sts").get_caller_identity()["Arn"],
    "parameters": json.loads((root / "input/config/hyperparameters.json").read_text()),
    "data": (root / "input/data/train/rows.txt").read_text(),
    "environment": os.environ["PLACE"].removeprefix(str(root)),
    "threads": [os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]],
}
(root / "model/facts.json").write_text(json.dumps(facts))
(root / "output/data/report.txt").write_text("a report")
"""
SHOUT = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "out/deep").mkdir()
(folder / "out/deep/rows.txt").write_text((folder / "in/rows.txt").read_text().upper())
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(account=COMPANY, region="us-east-1") as aws:
        s3 = aws.client("s3", PARTNER)
        s3.create_bucket(Bucket="partner-ml")
        s3.put_object(Bucket="partner-ml", Key="rows/rows.txt", Body=b"rows")
        role(aws, "jobs", "s3:GetObject", "s3:ListBucket", "s3:PutObject")
        role(aws, "blind", "s3:ListBucket", "s3:PutObject")
        role(aws, "sends", "events:PutEvents", account=COMPANY)
        yield aws


def role(aws: EmbeddedAws, name: str, *actions: str, resource: str = "*", account: str = PARTNER) -> str:
    """A role that may do just that."""
    iam = aws.client("iam", account)
    root = f"arn:aws:iam::{account}:root"
    trust = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": resource}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(allowed))
    return str(arn)


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def training(name: str, command: list[str], *, role: str = "jobs", limit: int = 60) -> dict[str, Any]:
    """The request for a training job that runs the command."""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://partner-ml/rows/"}
    return {
        "TrainingJobName": name,
        "RoleArn": f"arn:aws:iam::{PARTNER}:role/{role}",
        "AlgorithmSpecification": {
            "TrainingImage": "sklearn",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": command,
        },
        "HyperParameters": {"depth": "3"},
        "Environment": {"PLACE": "/opt/ml/place"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": "s3://partner-ml/models/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": limit},
    }


Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen | None]) -> Seen:
    """What is there to see, once there is."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def trained(aws: EmbeddedAws, request: dict[str, Any]) -> dict[str, Any]:
    """The description of the training job once it has ended."""
    sagemaker = aws.client("sagemaker", PARTNER)
    sagemaker.create_training_job(**request)

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
        return None if job["TrainingJobStatus"] == "InProgress" else job

    return eventually(ended)


def archive(aws: EmbeddedAws, uri: str) -> dict[str, str]:
    """The files of an archive in S3, by name."""
    key = uri.removeprefix("s3://partner-ml/")
    body = aws.client("s3", PARTNER).get_object(Bucket="partner-ml", Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as opened:
        files = {name: opened.extractfile(name) for name in opened.getnames()}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_a_training_job_runs_its_command_under_its_role_and_uploads_its_model(aws: EmbeddedAws) -> None:
    job = trained(aws, training("spam-1", ["python3", "-c", TRAIN, "/opt/ml"]))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    place = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert place == "s3://partner-ml/models/spam-1/output/model.tar.gz"
    assert json.loads(archive(aws, place)["facts.json"]) == {
        "who": f"arn:aws:sts::{PARTNER}:assumed-role/jobs/spam-1",
        "parameters": {"depth": "3"},
        "data": "rows",
        "environment": "/place",
        "threads": ["1", "1"],
    }
    assert archive(aws, "s3://partner-ml/models/spam-1/output/output.tar.gz") == {"report.txt": "a report"}
    assert job["FinalMetricDataList"] == []  # the job reported none
    assert (aws.logs / "spam-1.log").read_text() == ""


def test_a_failing_job_says_its_last_line(aws: EmbeddedAws) -> None:
    job = trained(aws, training("fails", ["python3", "-c", "print('first'); raise ValueError('the last')"]))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    log = aws.logs / "fails.log"
    assert job["FailureReason"] == f"AlgorithmError: exit code 1: ValueError: the last (log: {log})"
    assert log.read_text().startswith("first\n")


def test_a_role_that_may_not_read_the_input_fails_the_job(aws: EmbeddedAws) -> None:
    job = trained(aws, training("blind", ["python3", "-c", TRAIN, "/opt/ml"], role="blind"))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: An error occurred (AccessDenied)")
    assert "GetObject" in job["FailureReason"]


def test_a_job_without_input_fails(aws: EmbeddedAws) -> None:
    request = training("empty", ["true"])
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://partner-ml/nothing/"
    reason = 'ClientError: No S3 objects found under S3 URL "s3://partner-ml/nothing/"'
    assert trained(aws, request)["FailureReason"] == reason


def test_a_job_is_stopped_when_its_time_is_over(aws: EmbeddedAws) -> None:
    job = trained(aws, training("slow", ["sleep", "60"], limit=1))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_jobs_name_is_used_once(aws: EmbeddedAws) -> None:
    trained(aws, training("once", ["true"]))
    with pytest.raises(ClientError, match="ResourceInUse"):
        trained(aws, training("once", ["true"]))


def test_a_caller_needs_the_permission_on_that_very_job(aws: EmbeddedAws) -> None:
    job = f"arn:aws:sagemaker:us-east-1:{PARTNER}:training-job/mine-*"
    arn = role(aws, "trainer", "sagemaker:CreateTrainingJob", resource=job)
    sts = aws.client("sts", PARTNER)
    session = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    keys = {key: session[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    sagemaker = aws.client("sagemaker", PARTNER, **keys)
    sagemaker.create_training_job(**training("mine-1", ["true"]))
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateTrainingJob"):
        sagemaker.create_training_job(**training("theirs", ["true"]))
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:DescribeTrainingJob"):
        sagemaker.describe_training_job(TrainingJobName="mine-1")


def executed(aws: EmbeddedAws, name: str, resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The execution of a state machine of that one task once it has ended."""
    states = aws.client("stepfunctions", PARTNER)
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    definition = json.dumps({"StartAt": "Task", "States": {"Task": task}})
    role = f"arn:aws:iam::{PARTNER}:role/jobs"
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role)
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"])

    def ended() -> dict[str, Any] | None:
        execution: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
        return None if execution["status"] == "RUNNING" else execution

    return eventually(ended)


def test_a_state_machine_waits_for_a_processing_job_that_runs_a_zip(aws: EmbeddedAws) -> None:
    s3, code = aws.client("s3", PARTNER), io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("ml/__init__.py", "")
        archive.writestr("ml/__main__.py", SHOUT)
    s3.put_object(Bucket="partner-ml", Key="code/abc.zip", Body=code.getvalue())
    inputs = [
        {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix"}}
        for name, uri, path in (
            ("code", "s3://partner-ml/code/abc.zip", "/opt/ml/processing/code"),
            ("in", "s3://partner-ml/rows", "/opt/ml/processing/in"),
        )
    ]
    target = {"S3Uri": "s3://partner-ml/out/", "LocalPath": "/opt/ml/processing/out"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    outputs = [{"OutputName": "out", "S3Output": {**target, "S3UploadMode": "EndOfJob"}}]
    request = {
        "ProcessingJobName": "prepare",
        "RoleArn": f"arn:aws:iam::{PARTNER}:role/jobs",
        "AppSpecification": {
            "ImageUri": "sklearn",
            "ContainerEntrypoint": ["python3", "-m", "ml"],
            "ContainerArguments": ["/opt/ml/processing"],
        },
        "Environment": {"PYTHONPATH": "/opt/ml/processing/code/abc.zip"},
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": outputs},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    execution = executed(aws, "processing", "sagemaker:createProcessingJob.sync", request)
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["ProcessingJobStatus"] == "Completed"
    shouted = s3.get_object(Bucket="partner-ml", Key="out/deep/rows.txt")
    assert shouted["Body"].read() == b"ROWS"


def test_a_state_machine_fails_with_its_training_job(aws: EmbeddedAws) -> None:
    request = training("fails-in-states", ["python3", "-c", "raise SystemExit('no model')"])
    execution = executed(aws, "failing", "sagemaker:createTrainingJob.sync", request)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    job = json.loads(execution["cause"])
    assert (job["TrainingJobName"], job["TrainingJobStatus"]) == ("fails-in-states", "Failed")
    assert "no model" in job["FailureReason"]


def queue_of(aws: EmbeddedAws, bus: str, pattern: dict[str, Any]) -> str:
    """A queue of the partner's that a rule on the bus fills."""
    sqs, events = aws.client("sqs", PARTNER), aws.client("events", PARTNER)
    url: str = sqs.create_queue(QueueName=f"of-{bus}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allowed)})
    events.put_rule(Name=f"to-queue-of-{bus}", EventBusName=bus, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": arn}
    events.put_targets(Rule=f"to-queue-of-{bus}", EventBusName=bus, Targets=[target])
    return url


def received(aws: EmbeddedAws, url: str) -> list[dict[str, Any]]:
    messages = aws.client("sqs", PARTNER).receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in messages.get("Messages", [])]


def test_an_approval_keeps_the_packages_metadata_and_sends_its_event(aws: EmbeddedAws) -> None:
    sagemaker = aws.client("sagemaker", PARTNER)
    sagemaker.create_model_package_group(ModelPackageGroupName="spam")
    request = {
        "ModelPackageGroupName": "spam",
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {"Snapshot": "17"},
    }
    execution = executed(aws, "registering", "aws-sdk:sagemaker:createModelPackage", request)
    assert execution["status"] == "SUCCEEDED", execution
    package = json.loads(execution["output"])["ModelPackageArn"]
    listing = {"ModelPackageGroupName": "spam"}
    listed = json.loads(executed(aws, "list", "aws-sdk:sagemaker:listModelPackages", listing)["output"])
    assert [item["ModelPackageArn"] for item in listed["ModelPackageSummaryList"]] == [package]

    url = queue_of(aws, "default", {"source": ["aws.sagemaker"]})
    sagemaker.update_model_package(ModelPackageArn=package, CustomerMetadataProperties={"By": "me"})
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    described = sagemaker.describe_model_package(ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["CustomerMetadataProperties"] == {"Snapshot": "17", "By": "me"}
    (event,) = eventually(lambda: received(aws, url))  # the properties alone are no change of state
    assert event["detail-type"] == "SageMaker Model Package State Change"
    assert event["account"] == PARTNER
    assert event["resources"] == [package]
    names = ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelApprovalStatus")
    assert [event["detail"][name] for name in names] == ["spam", 1, package, "Approved"]


def stack_of(aws: EmbeddedAws, name: str, resources: dict[str, Any], **outputs: Any) -> dict[str, str]:
    """The outputs of a new stack of the partner's."""
    stacks = aws.client("cloudformation", PARTNER)
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def made() -> dict[str, Any] | None:
        (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
        return None if stack["StackStatus"] == "CREATE_IN_PROGRESS" else stack

    stack = eventually(made)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def deleted(aws: EmbeddedAws, name: str) -> str:
    """The status in which the stack's deletion ends."""
    stacks = aws.client("cloudformation", PARTNER)
    (described,) = stacks.describe_stacks(StackName=name)["Stacks"]
    stacks.delete_stack(StackName=name)

    def gone() -> str | None:
        (now,) = stacks.describe_stacks(StackName=described["StackId"])["Stacks"]
        status: str = now["StackStatus"]
        return status if status in ("DELETE_COMPLETE", "DELETE_FAILED") else None

    return eventually(gone)


def test_a_stacks_group_goes_when_it_is_empty(aws: EmbeddedAws) -> None:
    sagemaker = aws.client("sagemaker", PARTNER)
    group = {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "late"}}
    outputs = stack_of(aws, "group", {"Group": group}, Arn={"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]})
    described = sagemaker.describe_model_package_group(ModelPackageGroupName="late")
    assert outputs["Arn"] == described["ModelPackageGroupArn"]
    package = sagemaker.create_model_package(ModelPackageGroupName="late")["ModelPackageArn"]
    assert deleted(aws, "group") == "DELETE_FAILED"
    sagemaker.delete_model_package(ModelPackageName=package)
    assert deleted(aws, "group") == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName="late")


def send_to(aws: EmbeddedAws, bus: str, detail: str, role: str = "sends") -> None:
    """Send an event by a rule of the company's whose target is the partner's bus."""
    events = aws.client("events", COMPANY)
    events.put_rule(Name=f"to-{bus}", EventPattern=json.dumps({"source": ["causeway"]}))
    arn = f"arn:aws:events:us-east-1:{PARTNER}:event-bus/{bus}"
    target = {"Id": "bus", "Arn": arn, "RoleArn": f"arn:aws:iam::{COMPANY}:role/{role}"}
    events.put_targets(Rule=f"to-{bus}", Targets=[target])
    entry = {"Source": "causeway", "DetailType": "Curated", "Detail": json.dumps({"is": detail})}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    events.remove_targets(Rule=f"to-{bus}", Ids=["bus"])


def bus_of(aws: EmbeddedAws, name: str) -> str:
    """A queue that all events of that new bus of the partner's get to."""
    aws.client("events", PARTNER).create_event_bus(Name=name)
    return queue_of(aws, name, {"source": ["causeway"]})


def test_an_event_crosses_accounts_only_where_the_buss_policy_allows(aws: EmbeddedAws) -> None:
    queues = {name: bus_of(aws, name) for name in ("closed", "others", "open")}
    events, put = aws.client("events", PARTNER), {"StatementId": "them", "Action": "events:PutEvents"}
    events.put_permission(EventBusName="others", Principal="333333333333", **put)
    events.put_permission(EventBusName="open", Principal=COMPANY, **put)
    for name in queues:
        send_to(aws, name, f"to {name}")
    (event,) = eventually(lambda: received(aws, queues["open"]))
    assert (event["account"], event["detail"]) == (COMPANY, {"is": "to open"})
    assert [received(aws, queues[name]) for name in ("closed", "others")] == [[], []]


def test_an_event_crosses_accounts_only_as_its_rules_role_may(aws: EmbeddedAws) -> None:
    queue = bus_of(aws, "roles")
    permission = {"StatementId": "them", "Action": "events:PutEvents", "Principal": COMPANY}
    aws.client("events", PARTNER).put_permission(EventBusName="roles", **permission)
    bus = f"arn:aws:events:us-east-1:{PARTNER}:event-bus/roles"
    role(aws, "sends-there", "events:PutEvents", resource=bus, account=COMPANY)
    role(aws, "sends-elsewhere", "events:PutEvents", resource=f"{bus}-of-others", account=COMPANY)
    send_to(aws, "roles", "elsewhere", "sends-elsewhere")
    send_to(aws, "roles", "there", "sends-there")
    (event,) = eventually(lambda: received(aws, queue))
    assert event["detail"] == {"is": "there"}


def test_a_stack_opens_a_bus_and_closes_it(aws: EmbeddedAws) -> None:
    queue = bus_of(aws, "stacks")
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{COMPANY}:root"},
        "Action": "events:PutEvents",
        "Resource": f"arn:aws:events:us-east-1:{PARTNER}:event-bus/stacks",
    }
    properties = {"EventBusName": "stacks", "StatementId": "company", "Statement": allowed}
    stack_of(aws, "opening", {"Policy": {"Type": "AWS::Events::EventBusPolicy", "Properties": properties}})
    send_to(aws, "stacks", "while open")
    (event,) = eventually(lambda: received(aws, queue))
    assert event["detail"] == {"is": "while open"}
    assert deleted(aws, "opening") == "DELETE_COMPLETE"
    send_to(aws, "stacks", "when closed")
    described = aws.client("events", PARTNER).describe_event_bus(Name="stacks")
    assert "company" not in described.get("Policy", "")
    assert received(aws, queue) == []  # the emulator delivers before it answers
