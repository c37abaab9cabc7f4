"""The demo's chain and what can go wrong with it, on the embedded AWS."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from causeway.settings import load_settings
from local.aws.embedded import ROOT, EmbeddedAws
from local.demo import story
from local.demo.accounts import newest
from local.demo.deploy import cdk, deploy
from local.demo.progress import Progress
from local.demo.run import run
from local.demo.watch import Watch

pytestmark = pytest.mark.embedded
COMPANY = "111111111111"


@dataclass
class Deployment:
    """The demo's deployment, after the demo ran on it."""

    aws: EmbeddedAws
    app: Path  # the synthesized one
    outputs: dict[str, dict[str, str]]
    document: dict[str, Any]
    problems: list[str]
    messages: dict[str, str]  # queue URLs: what the failure topic and the event bus said

    def client(self, service: str) -> Any:
        return self.aws.client(service, COMPANY)

    def causeway(self, *arguments: str) -> dict[str, Any]:
        """What a command answers, as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "causeway", *arguments, "--json"],
            cwd=ROOT, env=self.aws.environment(COMPANY), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @property
    def lake(self) -> dict[str, str]:
        return self.outputs["causeway-lake"]

    def land(self, name: str) -> tuple[str, str]:
        """An hour of the weather under this name; returns its key and version."""
        key, (line, *_) = f"landing/weather/{name}", story.weather_lines()
        put = self.client("s3").put_object(Bucket=self.lake["LandingBucket"], Key=key, Body=line.encode())
        return key, put["VersionId"]

    def becomes(self, what: str, wanted: Callable[[], object]) -> None:
        """Waits until it is so."""
        deadline = time.monotonic() + 120
        while not wanted():
            assert time.monotonic() < deadline, what
            time.sleep(0.2)

    def is_curated(self, landed: tuple[str, str]) -> bool:
        reports = Watch(self.aws, self.lake).reports()
        return landed in [(s.source, s.version) for report in reports for s in report.sources]

    def waiting(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self.client("sqs").get_queue_attributes(QueueUrl=self.lake[queue], AttributeNames=names)
        return sum(int(count) for count in asked["Attributes"].values())

    def reconcile(self) -> int:
        """How many sources were queued again."""
        datasets = self.causeway("reconcile", "--grace-minutes", "0")["datasets"]
        return sum(dataset["queued"] for dataset in datasets.values())

    def unaccounted(self) -> int:
        return sum(dataset["unaccounted"] for dataset in self.causeway("status")["datasets"].values())

    def heard(self, where: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message in that queue that is the wanted one."""
        sqs = self.client("sqs")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            got = sqs.receive_message(
                QueueUrl=self.messages[where], WaitTimeSeconds=1, MaxNumberOfMessages=10
            )
            for message in got.get("Messages", []):
                body: dict[str, Any] = json.loads(message["Body"])
                if wanted(body):
                    return body
        raise AssertionError(f"no such message in {where}")


def listen(aws: EmbeddedAws, project: str) -> dict[str, str]:
    """Queues that hear what the pipeline says to the world: failures, and curated datasets."""
    sqs, sns, events = (aws.client(service, COMPANY) for service in ("sqs", "sns", "events"))
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("failures", "events")}
    arns = {name: f"arn:aws:sqs:us-east-1:{COMPANY}:{name}" for name in urls}
    (topic,) = [
        t["TopicArn"] for t in sns.list_topics()["Topics"] if f"{project}-pipeline-Failures" in t["TopicArn"]
    ]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Resource": arns["failures"]}]})
    sqs.set_queue_attributes(QueueUrl=urls["failures"], Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns["failures"])
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["causeway"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arns["events"]}])
    return urls


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CDK_VALIDATION")
        build = tmp_path_factory.mktemp("build")
        progress = Progress()
        project = load_settings().project
        with EmbeddedAws(account=COMPANY, region="us-east-1") as aws:
            outputs = deploy(aws, build, progress)
            messages = listen(aws, project)
            problems = run(aws, outputs, build, progress)
            document = json.loads((build / "demo.json").read_text())
            yield Deployment(aws, build / "cdk.out", outputs, document, problems, messages)


def test_every_flight_is_landed_and_accounted_for(deployment: Deployment) -> None:
    flights = deployment.document["datasets"]["flights"]
    assert not deployment.problems
    assert flights["landed"] == 336_776
    assert flights["landed"] == flights["curated"] + flights["quarantined"]
    assert flights["read_by_partner"] == flights["curated"]
    assert flights["superseded"] == 1000
    assert flights["unreadable_objects"] == 2


def test_every_dataset_adds_up(deployment: Deployment) -> None:
    datasets = deployment.document["datasets"]
    assert {"flights", "weather"} <= set(datasets)
    for rows in datasets.values():
        assert (
            rows["landed"]
            == rows["curated"] + rows["quarantined"]
            == rows["read_by_partner"] + rows["quarantined"]
        )


def test_every_refusal_is_one(deployment: Deployment) -> None:
    refusals = deployment.document["refusals"]
    assert len(refusals) >= 15
    assert set(refusals.values()) == {"refused"}


def test_what_no_dataset_could_take_is_set_aside_with_its_reason(deployment: Deployment) -> None:
    assert deployment.document["unrouted"] == {"folder_marker": 1, "test_event": 1, "unknown_dataset": 1}


def test_success_is_published_with_dataset_batch_and_snapshot(deployment: Deployment) -> None:
    snapshot = deployment.document["snapshots"]["flights"]
    event = deployment.heard("events", lambda body: body["detail"]["snapshot"] == snapshot)
    assert event["detail-type"] == "Dataset Curated"
    assert event["detail"]["dataset"] == "flights"
    assert len(event["detail"]["batch"]) == 32


def test_an_event_that_is_delivered_again_starts_no_job(deployment: Deployment) -> None:
    (current, _) = newest(Watch(deployment.aws, deployment.lake).reports())
    (source,) = current["planes"].values()
    described = {"key": source.source, "versionId": source.version, "size": 1, "sequencer": "1"}
    body = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": described}}]})
    before = len(Watch(deployment.aws, deployment.lake).executions())
    deployment.client("sqs").send_message(QueueUrl=deployment.lake["LandingEventsUrl"], MessageBody=body)
    deployment.becomes("the queue is empty", lambda: not deployment.waiting("LandingEventsUrl"))
    assert len(Watch(deployment.aws, deployment.lake).executions()) == before


def test_what_landed_without_an_event_is_found_and_curated(deployment: Deployment) -> None:
    s3, bucket = deployment.client("s3"), deployment.lake["LandingBucket"]
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    landed = deployment.land("suppressed.jsonl")
    kept.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)
    assert deployment.reconcile() == 1
    deployment.becomes("it is curated", lambda: deployment.is_curated(landed))
    assert deployment.reconcile() == 0


def test_a_dead_letter_is_seen_and_moved_back(deployment: Deployment) -> None:
    sqs, queue = deployment.client("sqs"), deployment.lake["LandingEventsUrl"]
    functions = deployment.client("lambda")
    (name,) = [
        function["FunctionName"]
        for function in functions.list_functions()["Functions"]
        if "BatchEvents" in function["FunctionName"]
    ]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = {**variables, "STATE_MACHINE": variables["STATE_MACHINE"] + "-gone"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    landed = deployment.land("unlucky.jsonl")
    deployment.becomes("it is a dead letter", lambda: deployment.waiting("DeadLettersUrl"))
    assert deployment.causeway("status")["datasets"]["weather"]["dead_lettered"] == 1
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    assert deployment.causeway("replay", "--dead-letters")["dead_letters_moved"] == 1
    deployment.becomes("it is curated", lambda: deployment.is_curated(landed))
    assert deployment.waiting("DeadLettersUrl") == 0


def test_a_job_that_is_killed_runs_again_and_nothing_is_lost(deployment: Deployment) -> None:
    landed = deployment.land("killed.jsonl")
    deployment.becomes("its job runs", lambda: job_processes(deployment.aws))
    for process in job_processes(deployment.aws):
        os.kill(process, signal.SIGKILL)
    deployment.becomes("it is curated", lambda: deployment.is_curated(landed))
    deployment.becomes("nothing is unaccounted for", lambda: deployment.unaccounted() == 0)


def job_processes(aws: EmbeddedAws) -> list[int]:
    """The Glue jobs that run on this AWS."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it just ended
        if b"--manifest" in command and str(aws.folder).encode() in command[1]:
            found.append(int(folder.name))
    return found


def test_a_job_that_fails_ends_its_execution_red_and_is_notified(deployment: Deployment) -> None:
    states = deployment.client("stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    asked = {"dataset": "flights", "batch": "0" * 32, "manifest": "s3://nowhere/manifest.json"}
    started = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], name="fails", input=json.dumps(asked)
    )
    notice = deployment.heard("failures", lambda body: "0" * 32 in body["Message"])
    assert "NoSuchBucket" in notice["Message"] or "AccessDenied" in notice["Message"]
    deadline = time.monotonic() + 30
    while (told := states.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        assert time.monotonic() < deadline
    assert told["status"] == "FAILED"
    assert told["error"] == "GivenUp"


def test_a_message_that_is_no_event_is_set_aside_and_stops_nothing(deployment: Deployment) -> None:
    sqs = deployment.client("sqs")
    (queue,) = [u for u in sqs.list_queues()["QueueUrls"] if "LandingEvents" in u]
    sqs.send_message(QueueUrl=queue, MessageBody="not an event")
    lake = deployment.outputs["causeway-lake"]
    watch = Watch(deployment.aws, lake)
    deadline = time.monotonic() + 60
    while not any(record["received"] == "not an event" for record in watch.unrouted()):
        assert time.monotonic() < deadline


def test_deploying_again_changes_nothing(deployment: Deployment) -> None:
    lines: list[str] = []
    environment = deployment.aws.environment(COMPANY)
    arguments = ("--all", "--require-approval", "never", "--app", str(deployment.app))
    cdk("deploy", *arguments, environment=environment, hear=lines.append)
    unchanged = [line for line in lines if "(no changes)" in line]
    templates = list(deployment.app.glob("*.template.json"))
    assert len(unchanged) == len(templates), "\n".join(lines)


def test_destroying_the_sandbox_leaves_no_stack_and_no_bucket(deployment: Deployment) -> None:
    environment = {**deployment.aws.environment(COMPANY), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["make", "--no-print-directory", "destroy"], cwd=ROOT, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    stacks = deployment.client("cloudformation").list_stacks()["StackSummaries"]
    assert {s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"} == {"CDKToolkit"}
    buckets = [b["Name"] for b in deployment.client("s3").list_buckets()["Buckets"]]
    assert [b for b in buckets if b.startswith("causeway")] == []


def test_nothing_listens_beyond_loopback(deployment: Deployment) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f"{deployment.aws.port:04X}"
    bound = [
        line.split()[1].split(":")[0]
        for line in listening
        if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    ]
    assert bound == ["0100007F"]
