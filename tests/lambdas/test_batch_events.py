"""The batching Lambda, on moto's S3 and Step Functions."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from causeway.flow.events import NO_DATASET
from causeway.flow.ledger import Entry, Ledger, Watermark
from causeway.flow.manifest import AGAIN, REMOVED, Manifest
from causeway.flow.parameters import BatchLimits
from lambdas.batch_events import handler as handler_module
from lambdas.batch_events.handler import Batching, handler
from tests.glue_jobs.conftest import ledger_table

MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:batches"


class Pipeline:
    """Buckets, a ledger, a queue and a state machine; `executions` by name, with their inputs."""

    def __init__(self) -> None:
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")
        for bucket in ("landing", "quarantine"):
            self.s3.create_bucket(Bucket=bucket)
        self.queue_url = self.sqs.create_queue(QueueName="landing-events")["QueueUrl"]
        self.ledger = ledger_table()
        self.states = FakeStates()

    def send(self, *bodies: str, **limits: int) -> list[str]:
        """Deliver messages m0, m1, …; returns those reported as failed."""
        of_flights = BatchLimits(**{"max_objects": 1000, "max_bytes": 10**9, **limits})
        batching = Batching(
            limits={"flights": of_flights, "weather": BatchLimits(1000, 10**9)},
            landing_bucket="landing",
            quarantine_bucket="quarantine",
            state_machine=MACHINE,
            queue_url=self.queue_url,
            s3=self.s3,
            states=self.states,
            sqs=self.sqs,
            ledger=self.ledger,
        )
        answer = batching.batch_events(
            [{"messageId": f"m{i}", "body": body} for i, body in enumerate(bodies)]
        )
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def committed(self, source: str, version: str, snapshot: str = "s1") -> None:
        """Let the ledger say that the table holds this."""
        ledger = Ledger(self.ledger, "flights")
        at = Watermark(snapshot, 1, ledger.begin().epoch)
        ledger.put({source: Entry(version, "1.0.0", 1, 0, False, snapshot)}, at)

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


def event(
    key: str,
    version: str = "v1",
    size: int = 10,
    sequencer: str = "01",
    name: str = "ObjectCreated:Put",
    **more: Any,
) -> str:
    described = {"key": quote_plus(key), "versionId": version, "size": size, "sequencer": sequencer}
    return json.dumps({"Records": [{"eventName": name, "s3": {"object": described}, **more}]})


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


@pytest.mark.parametrize(
    ("key", "alarms"),
    [("landing/crews/a.csv", True), ("landing/flights/archive/", False), ("landing/flights/_SUCCESS", False)],
)
def test_the_words_that_the_alarm_counts_stand_in_the_log_where_a_person_is_needed(
    pipeline: Pipeline, key: str, alarms: bool, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline.send(event(key))
    assert (NO_DATASET in caplog.text) == alarms


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


def hints(pipeline: Pipeline) -> list[str]:
    return [s.hint for manifest in pipeline.manifests() for s in manifest.sources]


@pytest.mark.parametrize("how", ["DeleteMarkerCreated", "Delete"])
def test_a_removal_says_how_so_that_undoing_it_is_another_batch(pipeline: Pipeline, how: str) -> None:
    pipeline.send(event("landing/flights/a.csv", name=f"ObjectRemoved:{how}"))
    assert hints(pipeline) == [f"removed:{how}"]


def test_what_the_table_holds_already_starts_nothing(pipeline: Pipeline) -> None:
    pipeline.committed("landing/flights/a.csv", "v1")
    assert pipeline.send(event("landing/flights/a.csv", "v1")) == []
    assert pipeline.manifests() == []
    pipeline.send(event("landing/flights/a.csv", "v2"), event("landing/flights/b.csv", "v1"))
    assert sources(pipeline) == {("landing/flights/a.csv", "v2"), ("landing/flights/b.csv", "v1")}


def test_the_removal_of_what_the_table_holds_is_a_batch(pipeline: Pipeline) -> None:
    pipeline.committed("landing/flights/a.csv", "v1")
    pipeline.send(event("landing/flights/a.csv", "v1", name="ObjectRemoved:Delete"))
    assert hints(pipeline) == ["removed:Delete"]


def test_a_replay_runs_as_long_as_the_table_holds_what_it_was_asked_for(pipeline: Pipeline) -> None:
    pipeline.committed("landing/flights/a.csv", "v1", snapshot="s1")
    pipeline.send(event("landing/flights/a.csv", causeway={"hint": AGAIN + "s0"}))
    assert pipeline.manifests() == []
    pipeline.send(event("landing/flights/a.csv", causeway={"hint": AGAIN + "s1"}))
    assert hints(pipeline) == [AGAIN + "s1"]


def test_a_replay_is_not_lost_beside_an_event_of_the_same_source(pipeline: Pipeline) -> None:
    replay = event("landing/flights/a.csv", sequencer="", causeway={"hint": AGAIN + "s1"})
    pipeline.committed("landing/flights/a.csv", "v0", snapshot="s1")
    pipeline.send(replay, event("landing/flights/a.csv", "v1"))
    assert sources(pipeline) == {("landing/flights/a.csv", "v1")}
    assert hints(pipeline) == [AGAIN + "s1"]


def test_a_ledger_that_cannot_be_asked_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.ledger.delete()
    assert pipeline.send(event("landing/flights/a.csv")) == []
    assert sources(pipeline) == {("landing/flights/a.csv", "v1")}


def test_events_of_a_dataset_with_a_window_of_its_own_come_back_together_when_it_closes(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.batch_events.handler.time.time", lambda: 1_000_250.0)
    held: list[dict[str, Any]] = []
    send = pipeline.sqs.send_message_batch

    def keep(**asked: Any) -> Any:
        held.extend(asked["Entries"])
        return send(**asked)

    monkeypatch.setattr(pipeline.sqs, "send_message_batch", keep)
    bodies = [event(f"landing/flights/{n}.csv") for n in range(25)]
    assert pipeline.send(*bodies, event("landing/weather/a.jsonl"), window_seconds=600) == []
    assert {m.dataset for m in pipeline.manifests()} == {"weather"}
    assert {entry["DelaySeconds"] for entry in held} == {550}  # 1,000,250 + 550 is a multiple of 600
    assert pipeline.send(*(entry["MessageBody"] for entry in held), window_seconds=600) == []
    assert len([s for s in sources(pipeline) if "/flights/" in s[0]]) == 25


def test_an_event_that_could_not_be_held_is_returned(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.sqs, "send_message_batch", lambda **_: {"Failed": [{"Id": "1"}]})
    bodies = [event(f"landing/flights/{n}.csv") for n in range(3)]
    assert pipeline.send(*bodies, window_seconds=60) == ["m1"]


def test_the_handler_takes_its_settings_from_the_environment(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"*": {"max_objects": 1, "max_bytes": 1000}, "flights": {"max_objects": 2}}
    for name, value in {
        "BATCHING": json.dumps(limits),
        "LANDING_BUCKET": "landing",
        "QUARANTINE_BUCKET": "quarantine",
        "STATE_MACHINE": MACHINE,
        "QUEUE_URL": pipeline.queue_url,
        "LEDGER_TABLE": "ledger",
    }.items():
        monkeypatch.setenv(name, value)
    handler_module._batching.cache_clear()
    answer = handler({"Records": [{"messageId": "m", "body": "not json"}]}, None)
    assert answer == {"batchItemFailures": []}
    assert [record["code"] for record in pipeline.set_aside()] == ["undecodable_message"]
    known = handler_module._batching().limits
    assert (known["flights"], known["weather"]) == (BatchLimits(2, 1000), BatchLimits(1, 1000))
    handler_module._batching.cache_clear()


def test_a_message_nested_ever_so_deep_is_undecodable_and_stops_nothing(pipeline: Pipeline) -> None:
    assert pipeline.send("[" * 100_000 + "]" * 100_000, event("landing/flights/a.csv")) == []
    assert [record["code"] for record in pipeline.set_aside()] == ["undecodable_message"]
    assert sources(pipeline) == {("landing/flights/a.csv", "v1")}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda key: json.dumps({"Type": "Notification", "Message": event(key)}),
        lambda key: json.dumps(
            {
                "source": "aws.s3",
                "detail-type": "Object Created",
                "detail": {"object": {"key": key, "version-id": "v1", "size": 3, "sequencer": "0A"}},
            }
        ),
    ],
    ids=["SNS", "EventBridge"],
)
def test_an_event_that_comes_by_another_service_is_the_same_event(
    pipeline: Pipeline, wrapped: Callable[[str], str]
) -> None:
    key = "landing/flights/2013 (a) +1%.csv"
    assert pipeline.send(wrapped(key)) == []
    assert sources(pipeline) == {(key, "v1")}


def test_a_deletion_that_eventbridge_tells_is_one(pipeline: Pipeline) -> None:
    detail = {
        "object": {"key": "landing/flights/a.csv", "version-id": "m"},
        "deletion-type": "Delete Marker Created",
    }
    pipeline.send(json.dumps({"source": "aws.s3", "detail-type": "Object Deleted", "detail": detail}))
    assert hints(pipeline) == [REMOVED + "DeleteMarkerCreated"]


@pytest.mark.parametrize(
    "name", ["_SUCCESS", "_temporary/0/a.csv", "day=1/.a.csv.crc", "_started_123", "a/.DS_Store"]
)
def test_what_programs_write_beside_data_is_left_alone_and_visible(pipeline: Pipeline, name: str) -> None:
    assert pipeline.send(event(f"landing/flights/{name}"), event("landing/flights/_own/.a.csv")) == []
    assert sources(pipeline) == {("landing/flights/_own/.a.csv", "v1")}
    assert [record["code"] for record in pipeline.set_aside()] == ["marker_file"]
