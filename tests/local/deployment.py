"""The demo's deployment for tests: what they do to it, and what they hear from it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns
from typing import Any

from local.aws.embedded import ROOT, EmbeddedAws
from local.demo import story
from local.demo.deploy import cdk
from local.demo.training import Training
from local.demo.watch import Watch

COMPANY, PARTNER = "111111111111", "222222222222"


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

    def causeway(self, *arguments: str, account: str = COMPANY) -> dict[str, Any]:
        """What a command answers, as JSON, with the credentials of that account."""
        done = subprocess.run(
            [sys.executable, "-m", "causeway", *arguments, "--json"],
            cwd=ROOT, env=self.aws.environment(account), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @property
    def lake(self) -> dict[str, str]:
        return self.outputs["causeway-lake"]

    @property
    def watch(self) -> Watch:
        return Watch(self.aws, self.lake, self.outputs["causeway-pipeline"])

    @property
    def training(self) -> Training:
        return Training(self.aws, PARTNER, self.outputs["causeway-training"])

    def land(self, name: str) -> tuple[str, str]:
        """An hour of the weather under this name; returns its key and version."""
        key, (line, *_) = f"landing/weather/{name}", story.weather_lines()
        put = self.client("s3").put_object(Bucket=self.lake["LandingBucket"], Key=key, Body=line.encode())
        return key, put["VersionId"]

    def snapshot(self, table: str) -> int:
        """The current one's id."""
        snapshot = self.aws.catalog().load_table(("causeway_lake", table)).current_snapshot()
        return snapshot.snapshot_id if snapshot else 0

    @contextmanager
    def broken(self, function: str, **variables: str) -> Iterator[None]:
        """Meanwhile the function whose name has that part has other variables in its environment."""
        functions = self.client("lambda")
        (name,) = [
            one["FunctionName"]
            for one in functions.list_functions()["Functions"]
            if function in one["FunctionName"]
        ]
        whole = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        update = functions.update_function_configuration
        update(FunctionName=name, Environment={"Variables": {**whole, **variables}})
        try:
            yield
        finally:
            update(FunctionName=name, Environment={"Variables": whole})

    def becomes(self, state: str, is_so: Callable[[], object]) -> None:
        """Waits until it is so."""
        deadline = time.monotonic() + 120
        while not is_so():
            assert time.monotonic() < deadline, state
            time.sleep(0.2)

    def is_curated(self, landed: tuple[str, str]) -> bool:
        sources = [source for report in self.watch.reports() for source in report.sources]
        return landed in [(source.source, source.version) for source in sources]

    def profiling(self) -> list[str]:
        """The executions that wait to profile a table, or do."""
        machine = self.outputs["causeway-pipeline"]["ProfilesMachine"]
        running = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
        return [e["name"] for e in self.client("stepfunctions").list_executions(**running)["executions"]]

    def waiting(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.lake[queue], AttributeNames=names)
        return sum(int(count) for count in answer["Attributes"].values())

    def reconcile(self) -> int:
        """How many sources were queued again."""
        datasets = self.causeway("reconcile", "--grace-minutes", "0")["datasets"]
        return sum(dataset["queued"] for dataset in datasets.values())

    def unaccounted(self) -> int:
        return sum(dataset["unaccounted"] for dataset in self.causeway("status")["datasets"].values())

    def synthesize_changed(self, folder: Path, change: str) -> Path:
        """The app of a checkout whose code differs, and so all that is packaged for AWS."""
        self.copy_checkout(folder)
        with (folder / "causeway/__init__.py").open("a") as module:
            module.write(f"\n# {change}\n")
        return self.synthesize(folder)

    @staticmethod
    def copy_checkout(folder: Path) -> None:
        """What is deployed, and what says so."""
        for name in (
            "causeway",
            "contracts",
            "glue_jobs",
            "lambdas",
            "ml",
            "models",
            "partner_kit",
            "stacks",
        ):
            copytree(ROOT / name, folder / name, ignore=ignore_patterns("__pycache__"))
        copyfile(ROOT / "app.py", folder / "app.py")

    def synthesize(self, folder: Path) -> Path:
        """The app of that checkout."""
        settings = {"CAUSEWAY_SETTINGS": str(self.app.parent / "settings.toml")}
        environment, app = {**self.aws.environment(COMPANY), **settings}, folder / "cdk.out"
        command = f"{sys.executable} {folder / 'app.py'}"
        options = ("--output", str(app), "--context", "layers=none")
        cdk("synth", "--quiet", "--app", command, *options, environment=environment)
        return app

    def redeploy(self, stack: str, app: Path, account: str = COMPANY) -> None:
        arguments = ("--exclusively", "--app", str(app), "--require-approval", "never")
        cdk("deploy", stack, *arguments, environment=self.aws.environment(account))

    def job_library(self) -> str:
        """Where the package lies that the job's next run reads."""
        jobs = self.client("glue").get_jobs()["Jobs"]
        (job,) = (job for job in jobs if job["Description"].startswith("Curates"))
        return str(job["DefaultArguments"]["--extra-py-files"])

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


def signal_jobs(aws: EmbeddedAws, number: signal.Signals) -> None:
    for process in job_processes(aws):
        os.kill(process, number)
