"""A small lake with everything that the commands look at: its queues, its state machine, its outputs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from causeway.contract.model import Contract
from causeway.flow.events import Change, read_message
from causeway.flow.manifest import Manifest, SourceVersion
from causeway.operate.deployment import Deployment
from causeway.settings import load_settings
from tests.glue_jobs.conftest import SmallLake, small_lake  # noqa: F401  # a fixture


@dataclass
class Deployed:
    """What the commands find when they look for the deployment."""

    lake: SmallLake
    deployment: Deployment

    @property
    def landing(self) -> Any:
        return self.deployment.landing

    @property
    def states(self) -> Any:
        return self.deployment.client("stepfunctions")

    def queued(self, queue: str = "LandingEventsUrl") -> list[SourceVersion]:
        """What the queue's messages speak of; they are taken out of it."""
        url, sources = self.deployment.lake[queue], []
        while messages := self.landing.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                events = read_message("m", message["Body"], ["trips"])
                sources += [change.source for change in events if isinstance(change, Change)]
                self.landing.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(sources)

    def start(self, *sources: SourceVersion, again: str = "") -> str:
        """Start an execution as the batching function does; returns its ARN."""
        manifest = Manifest("trips", sources)
        self.landing.s3.put_object(Bucket="landing", Key=manifest.key, Body=manifest.to_json())
        started: dict[str, str] = self.states.start_execution(
            stateMachineArn=self.deployment.pipeline["StateMachine"], name=f"trips-{manifest.batch}{again}"
        )
        return started["executionArn"]

    def fail(self, *sources: SourceVersion, again: str = "") -> None:
        self.states.stop_execution(executionArn=self.start(*sources, again=again), error="E", cause="why")

    def dead_letter(self, source: SourceVersion) -> None:
        described = {"key": source.source, "versionId": source.version, "size": source.size}
        body = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": described}}]})
        self.landing.sqs.send_message(QueueUrl=self.deployment.lake["DeadLettersUrl"], MessageBody=body)

    def with_contract(self, contract: Contract) -> None:
        self.deployment.contracts["trips"] = contract  # type: ignore[index]


@pytest.fixture
def deployed(small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> Deployed:  # noqa: F811
    sqs, states = boto3.client("sqs"), boto3.client("stepfunctions")
    urls = {
        name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("LandingEventsUrl", "DeadLettersUrl")
    }
    machine = states.create_state_machine(
        name="batches", definition="{}", roleArn="arn:aws:iam::111111111111:role/batches"
    )
    deployment = Deployment(
        load_settings(),
        boto3.Session(),
        {"LandingBucket": "landing", "CuratedBucket": "curated", "QuarantineBucket": "quarantine", **urls},
        {
            "LedgerTable": "ledger",
            "StateMachine": machine["stateMachineArn"],
            "AlertTopic": boto3.client("sns").create_topic(Name="failures")["TopicArn"],
        },
        {"trips": small_lake.contract},
    )
    for kind in ("lake", "quarantine"):
        database = deployment.settings.database(kind)
        boto3.client("glue").create_database(DatabaseInput={"Name": database})
    costs = {"AlertTopic": boto3.client("sns").create_topic(Name="budget")["TopicArn"]}
    monkeypatch.setattr("causeway.operate.alerts.stack_outputs", lambda *_: costs)
    monkeypatch.setattr(Deployment, "find", lambda: deployment)
    return Deployed(small_lake, deployment)


def later(**time: float) -> datetime:
    return datetime.now(UTC) + timedelta(**time)
