"""The batching Lambda, on moto's S3 and Step Functions."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from causeway.manifest import Manifest
from lambdas.batch_events.handler import batch_events, handler

MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:batches"


class Pipeline:
    """Buckets and a state machine; `executions` by name, with their inputs."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        for bucket in ("landing", "quarantine"):
            self.s3.create_bucket(Bucket=bucket)
        self.states = FakeStates()

    def send(self, *bodies: str, **limits: int) -> list[str]:
        """Deliver messages m0, m1, …; returns those reported as failed."""
        answer = batch_events(
            [{"messageId": f"m{i}", "body": body} for i, body in enumerate(bodies)],
            datasets=frozenset({"flights", "weather"}),
            landing_bucket="landing",
            quarantine_bucket="quarantine",
            state_machine=MACHINE,
            max_objects=limits.get("max_objects", 1000),
            max_bytes=limits.get("max_bytes", 10**9),
            s3=self.s3,
            states=self.states,
        )
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def manifests(self) -> list[Manifest]:
        found = []
        for started in self.states.inputs.values():
            key = json.loads(started)["manifest"].removeprefix("s3://landing/")
            found.append(Manifest.from_json(self.s3.get_object(Bucket="landing", Key=key)["Body"].read()))
        return found

    def set_aside(self) -> list[dict[str, Any]]:
        listed = self.s3.list_objects_v2(Bucket="quarantine").get("Contents", [])
        return [
            json.loads(self.s3.get_object(Bucket="quarantine", Key=o["Key"])["Body"].read()) for o in listed
        ]


class FakeStates:
    """Step Functions as StartExecution's documentation has it: a closed name is taken, whatever its input."""

    class exceptions:  # noqa: N801 - boto3's spelling
        class ExecutionAlreadyExists(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}
        self.status: dict[str, str] = {}
        self.throttled = False

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803
        assert stateMachineArn == MACHINE
        assert len(name) <= 80
        if self.throttled:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "StartExecution")
        if name in self.inputs and not (self.status[name] == "RUNNING" and self.inputs[name] == input):
            raise self.exceptions.ExecutionAlreadyExists
        self.inputs[name], self.status[name] = input, "RUNNING"

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803
        prefix = MACHINE.replace(":stateMachine:", ":execution:")
        return {"status": self.status[executionArn.removeprefix(f"{prefix}:")]}


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with mock_aws():
        yield Pipeline()


def event(key: str, version: str = "v1", size: int = 10, sequencer: str = "01") -> str:
    described = {"key": quote_plus(key), "versionId": version, "size": size, "sequencer": sequencer}
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": described}}]})


def sources(pipeline: Pipeline) -> set[tuple[str, str]]:
    return {(s.source, s.version) for manifest in pipeline.manifests() for s in manifest.sources}


def test_many_files_of_one_dataset_are_one_execution(pipeline: Pipeline) -> None:
    assert pipeline.send(*(event(f"landing/flights/{n}.csv") for n in range(50))) == []
    assert len(pipeline.states.inputs) == 1
    assert len(sources(pipeline)) == 50


def test_each_dataset_has_an_execution_of_its_own(pipeline: Pipeline) -> None:
    pipeline.send(event("landing/flights/a.csv"), event("landing/weather/a.jsonl"))
    assert {m.dataset for m in pipeline.manifests()} == {"flights", "weather"}


def test_the_same_events_in_any_order_are_the_same_batch(pipeline: Pipeline) -> None:
    bodies = [event(f"landing/flights/{n}.csv") for n in range(5)]
    pipeline.send(*bodies)
    pipeline.send(*reversed(bodies), bodies[0])
    assert len(pipeline.states.inputs) == 1


def test_events_of_one_source_collapse_to_the_newest(pipeline: Pipeline) -> None:
    pipeline.send(
        event("landing/flights/a.csv", "new", sequencer="0A"),
        event("landing/flights/a.csv", "old", sequencer="9"),
    )
    assert sources(pipeline) == {("landing/flights/a.csv", "new")}


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
def test_a_batch_that_runs_or_succeeded_is_not_started_again(pipeline: Pipeline, status: str) -> None:
    body = event("landing/flights/a.csv")
    pipeline.send(body)
    (name,) = pipeline.states.inputs
    pipeline.states.status[name] = status
    assert pipeline.send(body) == []
    assert list(pipeline.states.inputs) == [name]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_batch_that_failed_is_started_under_the_next_name(pipeline: Pipeline, status: str) -> None:
    body = event("landing/flights/a.csv")
    pipeline.send(body)
    (name,) = pipeline.states.inputs
    for again in ("-r2", "-r3"):
        pipeline.states.status = dict.fromkeys(pipeline.states.status, status)
        assert pipeline.send(body) == []
        assert f"{name}{again}" in pipeline.states.inputs


def test_only_the_messages_whose_batch_did_not_start_are_returned(pipeline: Pipeline) -> None:
    pipeline.states.throttled = True
    assert pipeline.send("not json", event("landing/flights/a.csv"), event("landing/crews/a.csv")) == ["m1"]


def test_a_batch_is_cut_at_the_limit_of_objects(pipeline: Pipeline) -> None:
    pipeline.send(*(event(f"landing/flights/{n}.csv") for n in range(7)), max_objects=3)
    assert sorted(len(m.sources) for m in pipeline.manifests()) == [1, 3, 3]


def test_a_batch_is_cut_at_the_limit_of_bytes_and_a_larger_object_is_a_batch_of_its_own(
    pipeline: Pipeline,
) -> None:
    sizes = {"a": 40, "b": 40, "c": 500, "d": 40}
    pipeline.send(*(event(f"landing/flights/{k}", size=v) for k, v in sizes.items()), max_bytes=100)
    assert sorted(sum(s.size for s in m.sources) for m in pipeline.manifests()) == [40, 80, 500]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("not json", "undecodable_message"),
        ("[1, 2]", "undecodable_message"),
        ('{"Records": []}', "undecodable_message"),
        ('{"Records": [{"s3": {"object": {}}}]}', "undecodable_message"),
        ('{"Records": [{"s3": {"object": {"key": "%FF%FE"}}}]}', "undecodable_message"),
        ('{"Event": "s3:TestEvent", "Bucket": "landing"}', "test_event"),
        (event("landing/flights/archive/"), "folder_marker"),
        (event("landing/crews/a.csv"), "unknown_dataset"),
        (event("landing/a.csv"), "unknown_dataset"),
        (event("elsewhere/flights/a.csv"), "unknown_dataset"),
    ],
)
def test_what_no_dataset_can_take_is_set_aside_with_its_reason_and_stops_nothing(
    pipeline: Pipeline, body: str, code: str
) -> None:
    assert pipeline.send(body, event("landing/flights/good.csv")) == []
    assert sources(pipeline) == {("landing/flights/good.csv", "v1")}
    (record,) = pipeline.set_aside()
    assert record["code"] == code
    assert record["reason"]
    assert json.loads(json.dumps(record["received"]))


def test_a_message_with_a_good_and_a_bad_record_loses_neither(pipeline: Pipeline) -> None:
    good, bad = (json.loads(event(f"landing/{d}/a.csv"))["Records"][0] for d in ("flights", "crews"))
    assert pipeline.send(json.dumps({"Records": [bad, good]})) == []
    assert sources(pipeline) == {("landing/flights/a.csv", "v1")}
    assert [record["code"] for record in pipeline.set_aside()] == ["unknown_dataset"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_key_survives_the_way_from_event_to_manifest(pipeline: Pipeline, name: str) -> None:
    key = f"landing/flights/{name}x"
    assert pipeline.send(event(key)) == []
    assert (key, "v1") in sources(pipeline)


def test_the_handler_takes_its_settings_from_the_environment(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATASETS": "flights,weather",
        "LANDING_BUCKET": "landing",
        "QUARANTINE_BUCKET": "quarantine",
        "STATE_MACHINE": MACHINE,
        "BATCH_MAX_OBJECTS": "10",
        "BATCH_MAX_BYTES": "1000",
    }.items():
        monkeypatch.setenv(name, value)
    answer = handler({"Records": [{"messageId": "m", "body": "not json"}]}, None)
    assert answer == {"batchItemFailures": []}
    assert [record["code"] for record in pipeline.set_aside()] == ["undecodable_message"]
