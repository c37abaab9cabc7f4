"""`make destroy` refuses and asks before it touches anything, waits for what runs, and empties buckets."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from causeway.operate.account import AccountError
from causeway.settings import SETTINGS_FILE, load_settings
from local import destroy

PIPELINE = destroy.Held(
    list,
    {
        "AWS::Lambda::EventSourceMapping": ["mapping"],
        "AWS::StepFunctions::StateMachine": ["machine"],
    },
)


def test_what_is_no_sandbox_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, session = tmp_path / "settings.toml", Mock()
    settings.write_text(SETTINGS_FILE.read_text().replace("sandbox = true", "sandbox = false"))
    monkeypatch.setenv("CAUSEWAY_SETTINGS", str(settings))
    monkeypatch.setattr(destroy, "session_of_either", lambda _settings: (session, "111111111111"))
    with pytest.raises(SystemExit, match=r"make destroy: settings\.toml says sandbox = false"):
        destroy.main()
    assert not session.mock_calls


def test_credentials_of_another_account_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Mock(side_effect=AccountError("the credentials are for account 333333333333"))
    monkeypatch.setattr(destroy, "session_of_either", refuse)
    with pytest.raises(SystemExit, match="make destroy: the credentials are for account 333333333333"):
        destroy.main()


def test_a_stack_that_was_deployed_protected_is_left_alone() -> None:
    cloudformation = Mock()
    cloudformation.describe_stacks.return_value = {"Stacks": [{"EnableTerminationProtection": True}]}
    with pytest.raises(SystemExit, match="causeway-lake was deployed with sandbox = false"):
        destroy.find(cloudformation, "causeway-lake")


def test_what_is_deleted_or_being_deleted_is_not_found() -> None:
    cloudformation = Mock()
    cloudformation.describe_stacks.return_value = {"Stacks": [{}]}
    held = [
        {"ResourceType": "T", "ResourceStatus": status, "PhysicalResourceId": status}
        for status in ("CREATE_COMPLETE", "DELETE_COMPLETE", "DELETE_FAILED", "DELETE_IN_PROGRESS")
    ]
    cloudformation.get_paginator().paginate.return_value = [{"StackResourceSummaries": held}]
    assert destroy.find(cloudformation, "stack") == {"T": ["CREATE_COMPLETE", "DELETE_FAILED"]}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What the person there says; nobody is asked when it is not set."""
    says = Mock(side_effect=AssertionError("asked"))
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.setattr("builtins.input", says)
    monkeypatch.setattr("sys.stdin.isatty", lambda: says.side_effect is None)
    return says


def ask() -> bool:
    return destroy.ask(load_settings(), "111111111111", ["causeway-lake", "causeway-pipeline"], ["landing-1"])


def test_it_asks_and_names_account_and_what_is_lost(
    terminal: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.side_effect, terminal.return_value = None, "yes"
    assert ask()
    said = capsys.readouterr().out
    for name in ("111111111111", "us-east-1", "causeway-lake, causeway-pipeline", "landing-1"):
        assert name in said


@pytest.mark.parametrize("answer", ["", "no", "y", "yes, but not now"])
def test_anything_but_yes_is_no(terminal: Mock, answer: str) -> None:
    terminal.side_effect, terminal.return_value = None, answer
    with pytest.raises(SystemExit, match="nothing was removed"):
        ask()


@pytest.mark.usefixtures("terminal")
def test_without_a_terminal_it_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ask()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "make destroy: nobody to ask, so nothing was removed; YES=1 answers\n"


@pytest.mark.usefixtures("terminal")
def test_a_machine_answers_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YES", "1")
    assert ask()


@pytest.mark.usefixtures("terminal")
def test_where_nothing_is_deployed_there_is_nothing_to_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(destroy, "find", lambda *_: None)
    destroy.destroy(Mock(), load_settings())
    assert capsys.readouterr().out == "Nothing of causeway is deployed in account 111111111111, us-east-1.\n"


def test_a_stack_that_is_not_synthesized_any_more_is_named_and_nothing_is_emptied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, session, emptied, cdk = destroy.Held(list, {"AWS::S3::Bucket": ["full"]}), Mock(), Mock(), Mock()
    session.resource().Bucket().name = "full"
    monkeypatch.setenv("YES", "1")
    monkeypatch.setattr(destroy, "find", lambda _, stack: None if stack == "causeway-pipeline" else held)
    monkeypatch.setattr(destroy, "empty", emptied)
    monkeypatch.setattr(destroy, "_cdk", cdk)
    left = ", ".join(f"causeway-{part}" for part in ("store", "inference", "partner", "audit", "costs"))
    with pytest.raises(SystemExit, match=f"first delete {left}"):
        destroy.destroy(session, load_settings())
    assert [call.args[0] for call in cdk.call_args_list] == ["synth", "destroy"]
    assert not emptied.called


@pytest.mark.parametrize("part", ["store", "inference"])
def test_a_bucket_of_what_is_served_is_emptied_before_its_stack_goes(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    settings, session, done = load_settings(), Mock(), list[str]()
    on = getattr(settings, part).model_copy(update={"enabled": True})
    session.resource().Bucket().name = "full"
    held = destroy.Held(list, {"AWS::S3::Bucket": ["full"]})
    monkeypatch.setenv("YES", "1")
    monkeypatch.setattr(destroy, "find", lambda _, stack: held if stack == f"causeway-{part}" else None)
    monkeypatch.setattr(destroy, "empty", lambda bucket: done.append(f"empty {bucket.name}"))
    monkeypatch.setattr(destroy, "remove", lambda _, stacks: done.extend(stacks))
    monkeypatch.setattr(destroy, "_cdk", Mock())
    destroy.destroy(session, settings.model_copy(update={part: on}))
    assert done == ["empty full", f"causeway-{part}"]


def test_with_the_partners_credentials_only_the_partners_stack_goes_and_its_buckets_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session, done = Mock(), list[tuple[str, ...]]()
    session.resource().Bucket().name = "full"
    found = iter([destroy.Held(list, {"AWS::S3::Bucket": ["full"]}), None])
    monkeypatch.setenv("YES", "1")
    monkeypatch.setattr(destroy, "session_of_either", lambda _settings: (session, "222222222222"))
    monkeypatch.setattr(destroy, "find", lambda *_: next(found))
    monkeypatch.setattr(destroy, "empty", lambda bucket: done.append(("empty", bucket.name)))
    monkeypatch.setattr(destroy, "_cdk", lambda *arguments: done.append(arguments[:2]))
    destroy.main()
    assert done == [("synth", "--quiet"), ("empty", "full"), ("destroy", "causeway-training")]
    assert "This removes from account 222222222222" in capsys.readouterr().out


class Aws:
    """A pipeline whose queue and executions go as told; `switched` are the states of its source."""

    def __init__(self, running: list[int], in_flight: list[int]) -> None:
        self.switched, self._state = list[bool](), "Enabled"
        self.functions, self.states, self.sqs = Mock(), Mock(), Mock()
        self.functions.update_event_source_mapping.side_effect = self._switch
        self.functions.get_event_source_mapping.side_effect = self._settle
        listed = [{"executionArn": "one"}]
        self.states.list_executions.side_effect = ({"executions": listed * count} for count in running)
        self.states.describe_execution.return_value = {"input": json.dumps({"dataset": "trips"})}
        counts = ({"ApproximateNumberOfMessagesNotVisible": str(count)} for count in in_flight)
        self.sqs.get_queue_attributes.side_effect = ({"Attributes": count} for count in counts)

    def _switch(self, **request: Any) -> None:
        assert request["UUID"] == "mapping"
        assert self._state in ("Enabled", "Disabled"), "AWS refuses while it changes"
        self.switched.append(request["Enabled"])
        self._state = "Enabling" if request["Enabled"] else "Disabling"

    def _settle(self, **_request: Any) -> dict[str, str]:
        before, self._state = self._state, self._state.replace("ing", "ed")
        return {"State": before}

    def client(self, service: str) -> Any:
        return {"lambda": self.functions, "stepfunctions": self.states, "sqs": self.sqs}[service]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The clock of `destroy` alone: threads of others sleep by their own."""
    mock = Mock(wraps=time, sleep=Mock())
    monkeypatch.setattr(destroy, "time", mock)
    return mock


@pytest.mark.usefixtures("clock")
def test_it_waits_for_executions_and_for_calls_that_may_start_some() -> None:
    aws: Any = Aws(running=[0, 2, 1, 0], in_flight=[3, 0, 0, 0])
    destroy.drain(aws, PIPELINE, ["queue"])
    assert aws.states.list_executions.call_count == 4
    assert aws.switched == [False]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("hours", "stopped"), [(1, True), (-1, False)])
def test_what_waits_for_hours_is_stopped_and_what_is_due_is_waited_for(hours: int, *, stopped: bool) -> None:
    aws: Any = Aws(running=[1, 0], in_flight=[0, 0])
    due = datetime.now(UTC) + timedelta(hours=hours)
    aws.states.describe_execution.return_value = {"input": json.dumps({"due": due.isoformat()})}
    destroy.drain(aws, PIPELINE, ["queue"])
    assert aws.states.stop_execution.called == stopped
    assert aws.states.list_executions.call_count == (1 if stopped else 2)


def test_messages_of_calls_that_failed_long_ago_hold_nothing_up(clock: Mock) -> None:
    clock.monotonic.side_effect = [0.0, 119.0, 121.0]
    aws: Any = Aws(running=[0, 0], in_flight=[3])
    destroy.drain(aws, PIPELINE, ["queue"])


def test_an_interruption_lets_the_pipeline_go_on(
    clock: Mock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws: Any = Aws(running=[1], in_flight=[0])
    clock.sleep.side_effect = [None, KeyboardInterrupt, None]
    with pytest.raises(KeyboardInterrupt):
        destroy.drain(aws, PIPELINE, ["queue"])
    assert aws.switched == [False, True]
    assert "nothing was removed, and the pipeline goes on" in capsys.readouterr().err
    monkeypatch.setattr(destroy, "load_settings", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(SystemExit, match="make destroy: interrupted; run it again to finish"):
        destroy.main()


@pytest.fixture
def bucket() -> Iterator[Any]:
    """A bucket with a version, a marker over another, and an upload that was not finished."""
    with mock_aws():
        bucket = boto3.resource("s3").create_bucket(Bucket="full")
        bucket.Versioning().enable()
        bucket.put_object(Key="kept", Body=b"")
        bucket.put_object(Key="deleted", Body=b"").delete()
        bucket.Object("unfinished").initiate_multipart_upload()
        yield bucket


def contents(bucket: Any) -> list[Any]:
    return [*bucket.object_versions.all(), *bucket.multipart_uploads.all()]


def test_a_bucket_is_closed_and_emptied(bucket: Any) -> None:
    assert len(contents(bucket)) == 4
    destroy.empty(bucket)
    assert contents(bucket) == []
    with pytest.raises(ClientError, match="Forbidden"):
        bucket.put_object(Key="late", Body=b"")


def refill(bucket: Any, times: int) -> None:
    """So many times, another object comes when the bucket's are deleted: it was let in before."""
    left = iter(range(times))

    def put(**_: Any) -> None:
        if next(left, None) is not None:
            bucket.Policy().delete()
            bucket.put_object(Key="late", Body=b"")

    bucket.meta.client.meta.events.register("after-call.s3.DeleteObjects", put)


def test_what_was_on_its_way_is_deleted_in_another_round(bucket: Any, clock: Mock) -> None:
    refill(bucket, 2)
    destroy.empty(bucket)
    assert contents(bucket) == []
    assert clock.sleep.call_count == 2


@pytest.mark.usefixtures("clock")
def test_a_bucket_that_never_is_empty_ends_it(bucket: Any) -> None:
    refill(bucket, 100)
    with pytest.raises(SystemExit, match="make destroy: full is not empty after 5 rounds"):
        destroy.empty(bucket)


def test_stacks_of_every_partner_go(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, asked = load_settings(), list[str]()
    monkeypatch.setattr(destroy, "find", lambda _, stack: asked.append(stack))
    destroy.destroy(Mock(), settings.model_copy(update={"partners": {"acme": settings.partner}}))
    assert {"causeway-partner", "causeway-partner-acme"} <= set(asked)
